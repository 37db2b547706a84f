"""Strings out of a text: where a parameter's role says that they stand, beside its own name, or as what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from toolkit.engine.offline.source import Source
from toolkit.engine.offline.toolbox import Parameter, Schema
from toolkit.engine.offline.values import Kind, Value
from toolkit.engine.offline.words import ARTICLES, CONNECTORS, VERBS, Word, is_little, words_in

__all__ = ["KINDS", "free_text", "string"]

_LEADS: Final[Mapping[str, frozenset[str]]] = {
    "from": frozenset({"from", "leav", "depart"}),
    "to": frozenset({"to", "into", "toward"}),
    "place": frozenset({"in", "at", "for", "near", "around", "of"}),
    "folder": frozenset({"in", "from", "under", "of"}),
    "column": frozenset({"of", "for", "column"}),
    "name": frozenset({"named", "call", "nam", "name"}),
}
_CUES: Final = tuple(
    re.compile(rf"(?:{cue})\s+(\S.*)", re.IGNORECASE | re.DOTALL)
    for cue in (
        r"\w\s*:",
        r"\b(?:saying|that says?|which says?)",
        r"\b(?:about|regarding|concerning|mention(?:s|ing)?|contain(?:s|ing)?|named|called)",
        r"\bthat",
        r"\bfor",
        r"\b(?:me|him|her|us|them|reminder|task|note) to",
        r"\b(?:with|on)",
    )
)
"""What a free text follows, the surest first."""
KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "sum": ("sum",),
    "email": ("email",),
    "url": ("url",),
    "date": ("date",),
    "time": ("time",),
    "file": ("file", "quoted"),
}


def string(parameter: Parameter, source: Source, *, sure: bool) -> str | None:
    """Find the string for a parameter. `sure` takes no guesses."""
    role, needed = parameter.role, parameter.required and not parameter.nullable
    if found := _by_role(parameter, source):
        return _checked(found, parameter.schema)
    if role in ("sum", "email", "url", "date", "time"):
        return None
    if role != "place" and (found := _beside_name(parameter, source)):
        return _checked(found, parameter.schema)
    if not needed:
        return None
    if role == "free":
        return _checked(source.first("quoted") or (None if sure else free_text(source)), parameter.schema)
    if role not in ("file", "folder", "column"):
        opposite = _LEADS["to"] if role == "from" else _LEADS["from"] if role == "to" else frozenset[str]()
        quoted_first: tuple[Kind, ...] = ("name", "quoted") if source.quoted_is_free else ("quoted", "name")
        found = source.first(quoted_first[0], not_after=opposite) or source.first(quoted_first[1], not_after=opposite)
        found = found or source.first("code", "file")
    elif role == "column":
        found = source.first("quoted")
    if found is None and not sure and role not in ("folder", "from", "to"):
        found = _left_over(source, most=1 if role == "column" else 5)
    return _checked(found, parameter.schema)


def _by_role(parameter: Parameter, source: Source) -> str | None:
    role = parameter.role
    if role in KINDS:
        return source.first(*KINDS[role])
    if role in ("from", "to"):
        return source.first("name", "quoted", "email", leads=_LEADS[role]) or _phrase(source, _LEADS[role])
    if role == "place":
        leads = _LEADS["place"] | _LEADS["to"]
        return source.first("name", "quoted", leads=leads) or source.first("name") or _phrase(source, _LEADS["place"])
    if role == "folder":
        path = next((value for value in source.unused("file") if "/" in value.text), None)
        return source.take(path) if path else _beside_name(parameter, source) or _phrase(source, _LEADS["folder"])
    if role == "column":
        return _beside_name(parameter, source) or _phrase(source, _LEADS["column"])
    return None


def _checked(text: str | None, schema: Schema) -> str | None:
    if text is None or (pattern := schema.get("pattern")) is None:
        return text
    try:
        return text if re.search(pattern, text) else None
    except re.error:
        return text


def _beside_name(parameter: Parameter, source: Source) -> str | None:
    """Find the value beside the parameter's own name: column amount, amount column, title: "Milk"."""
    for position, word in enumerate(source.words):
        if word.stem not in parameter.words or is_little(word.stem) or not source.free(word.start, word.end):
            continue
        rest = re.compile(r"\s*(?:is|=|:|named|called)?\s*").match(source.text, word.end)
        start = rest.end() if rest else word.end
        if value := next(
            (value for value in source.values if value.start == start and source.free(start, value.end)), None
        ):
            return source.take(value)
        for near in (
            *source.words[position + 1 : position + 2],
            *reversed(source.words[max(0, position - 1) : position]),
        ):
            gap = source.text[min(near.end, word.end) : max(near.start, word.start)]
            if not gap.strip(" :=") and _may_be_value(near, source):
                source.used.append((near.start, near.end))
                return near.text
    return None


def _may_be_value(word: Word, source: Source) -> bool:
    return not (is_little(word.stem) or word.stem in VERBS or word.stem in source.own) and source.free(
        word.start, word.end
    )


def _phrase(source: Source, leads: frozenset[str]) -> str | None:
    """Find a phrase in small letters after one of the leading words: from seoul, in the old town."""
    for position, word in enumerate(source.words):
        if word.stem not in leads:
            continue
        chosen = _run(source, position + 1)
        if chosen and not all(source.is_own(each) for each in chosen):
            phrase = _as_value(source, chosen)
            source.values += [phrase, *_listed_after(source, chosen)]
            return source.take(phrase)
    return None


def _run(source: Source, position: int) -> list[Word]:
    """Give the words of a phrase that begins at a word: as far as they stand together and may be a value."""
    chosen: list[Word] = []
    for word in source.words[position : position + 5]:
        if not chosen and word.text.casefold() in ARTICLES:
            continue
        inside = any(value.start <= word.start < value.end for value in source.values if value.kind != "name")
        if inside or is_little(word.stem) or word.stem in source.own or not source.free(word.start, word.end):
            break
        if chosen and source.text[chosen[-1].end : word.start] != " ":
            break
        chosen.append(word)
    return chosen


def _listed_after(source: Source, words: list[Word]) -> Iterator[Value]:
    """Give the phrases that go on a listing: seoul, busan and new york."""
    while words:
        position = source.words.index(words[-1]) + 1
        following = source.words[position : position + 1]
        if following and following[0].text.casefold() in CONNECTORS:
            position += 1
        elif not following or source.text[words[-1].end : following[0].start].strip() != ",":
            return
        words = _run(source, position)
        if words:
            yield _as_value(source, words)


def _as_value(source: Source, words: list[Word]) -> Value:
    return Value("name", source.text[words[0].start : words[-1].end], words[0].start, words[-1].end)


def free_text(source: Source) -> str | None:
    """Find a free text: after a word that leads to one, else what is left of the request."""
    for cue in _CUES:
        found = cue.search(source.text)
        if found and (text := _trimmed(found.start(1), source)):
            return text
    return _left_over(source)


def _trimmed(start: int, source: Source) -> str | None:
    """Give the text from a place on, without what is about the tool at its end: `tomatoes in my notes, please`."""
    words = [word for word in source.words if word.start >= start]
    while words and (is_little(words[0].stem) and words[0].text.casefold() in ARTICLES):
        words.pop(0)
    cut = next(
        (n for n, word in enumerate(words) if n and word.stem in ("in", "from", "pleas") and _ends(words[n:], source)),
        None,
    )
    words = words[:cut]
    if not words or all(is_little(word.stem) or word.stem in source.own for word in words):
        return None
    source.used.append((words[0].start, words[-1].end))
    return source.text[words[0].start : words[-1].end].strip()


def _ends(words: list[Word], source: Source) -> bool:
    return all(is_little(word.stem) or source.is_own(word) for word in words)


def _left_over(source: Source, most: int = 12) -> str | None:
    """Give what neither is about the tool nor says little nor has been used, if that is at most so many words."""
    words = [
        word
        for word in source.words
        if source.free(word.start, word.end) and not (is_little(word.stem) or word.stem in VERBS or source.is_own(word))
    ]
    if not 0 < len(words) <= most:
        return None
    between = source.text[words[0].start : words[-1].end]
    whole = len(words_in(between)) <= 2 * len(words) and source.free(words[0].start, words[-1].end)
    source.used.append((words[0].start, words[-1].end))
    return between if whole else " ".join(word.text for word in words)
