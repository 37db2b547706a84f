"""What the offline model says: answers out of tool outputs, questions for what is missing, and what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from toolkit.engine.offline.matching import Wish
from toolkit.engine.offline.toolbox import Toolbox
from toolkit.engine.offline.words import VERBS, is_little, stem, words_in

__all__ = ["Done", "answer", "introduction", "is_question", "question"]

_SHOWN_CHARACTERS: Final = 4_000
_SHOWN_ENTRIES: Final = 20
_FAILED = re.compile(r"the tool \S+ (failed|gave no result|ran, but)|there is no tool|error\b", re.IGNORECASE)
_QUESTION: Final = "To call `"
_PASSAGE: Final = re.compile(r'<passage mark="([^"]+)"[^>]*>\n(.*?)\n</passage>', re.DOTALL)
_WRITTEN: Final = re.compile(r"\[(/mnt/data/[^\n]*?) is kept for the user: sandbox:")
_NOTE: Final = re.compile(
    r"This is a new Python session: .*"
    r"|\[.*(?:kept for the user: sandbox:/mnt/data/.*|shown to the user with your answer\.|There is more of this: \d+"
    r"|could not be (?:kept|put into the session): .*|is /mnt/data/.* here\.)\]"
)
"""A line that the engine puts behind what code has printed."""
_SENTENCE: Final = re.compile(r"[^\s#*-][^\n]*?(?:[.!?。！？](?=\s|$)|\n|$)")


@dataclass(frozen=True, slots=True)
class Done:
    """A call that has been answered."""

    name: str
    arguments: Mapping[str, Any]
    output: str


def answer(done: Sequence[Done]) -> str:
    """Say what the calls brought, one after the other."""
    return "\n".join(_result(each) for each in done)


def question(wishes: Sequence[Wish]) -> str:
    """Ask for what is missing."""
    return "\n".join(_asked(wish) for wish in wishes)


def is_question(text: str) -> bool:
    """Say whether a text ends with a question of ours."""
    return text.rpartition("\n")[2].startswith(_QUESTION)


def introduction(text: str, box: Toolbox | None) -> str:
    """Say what this model is, when it has nothing to call."""
    words = text.split()
    asked = " ".join(words[:12]) + (" ..." if len(words) > 12 else "")
    said = f'You asked: "{asked}". ' if asked else ""
    if box is None or not box.tools:
        nothing = "There are no tools to call, so there is nothing more I can do."
    else:
        names = [f"`{tool.name}`" for tool in box.tools[:10]]
        more = f" and {len(box.tools) - 10} more" if len(box.tools) > 10 else ""
        nothing = f"None of the tools fits that; there {'is' if len(box.tools) == 1 else 'are'} {_listed(names)}{more}."
    return (
        f"This is the offline model. It is not a language model: it only matches words to tools. {said}{nothing} "
        "For real answers, set TOOLKIT_MODEL_URL and TOOLKIT_MODEL (or `--model-url URL --model NAME`)."
    )


def _asked(wish: Wish) -> str:
    names = [f"`{parameter.name}`{_described(parameter.schema)}" for parameter in wish.missing]
    what = "What should it be?" if len(names) == 1 else "What should they be?"
    return f"{_QUESTION}{wish.tool.name}` I still need {_listed(names)}. {what}"


def _described(schema: Mapping[str, Any]) -> str:
    allowed = schema.get("enum")
    if allowed and len(allowed) <= 8:
        return f" (one of {', '.join(map(str, allowed))})"
    text = str(schema.get("description") or "").split("\n")[0].strip().rstrip(".")
    return f" ({text[0].lower() + text[1:]})" if text and len(text) <= 80 else ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _result(done: Done) -> str:
    if passages := _PASSAGE.findall(done.output):
        return _cited(passages, str(done.arguments.get("queries")))
    if done.name.startswith("code_interpreter") and list(done.arguments) == ["code"]:
        return _ran(done.output)
    subject = _subject(done)
    if _FAILED.match(done.output):
        return f"{subject} did not work out: {_sentence(done.output)}"
    try:
        value: Any = json.loads(done.output)
    except (ValueError, RecursionError):
        value = done.output
    error: object = cast("dict[str, Any]", value).get("error") if isinstance(value, dict) else None
    if isinstance(error, str) and error:
        return f"{subject} did not work out: {_sentence(error)}"
    if value in (None, "", {}):
        return f"{_subject(done, whole=True)}: done."
    said = _said(cast("Any", value), done.arguments)
    return f"{subject}:{said}" if said.startswith("\n") else f"{subject}: {_sentence(said)}"


def _ran(output: str) -> str:
    """Say what code printed, and link the files it has written."""
    lines, notes = output.split("\n"), list[str]()
    while lines and _NOTE.fullmatch(lines[-1]):
        notes.insert(0, lines.pop())
    paths = _WRITTEN.findall("\n".join(notes))
    links = [f"[{path.rpartition('/')[2]}](sandbox:{path})" for path in paths]
    said = ["\n".join(lines)] if lines else []
    return "\n\n".join([*said, *([f"Files: {', '.join(links)}"] if links else [])]) or "Done."


def _cited(passages: Sequence[tuple[str, str]], asked: str) -> str:
    """Quote the sentence of the passages that has most of what was asked for, with the mark of its passage."""
    wanted = {word.stem for word in words_in(asked) if not is_little(word.stem)}
    sentences = [(sentence, mark) for mark, text in passages for sentence in _SENTENCE.findall(text)]
    shares = [len(wanted & {word.stem for word in words_in(sentence)}) for sentence, _ in sentences]
    best = max(range(len(sentences)), key=lambda at: (shares[at], -at), default=None)
    if best is None:
        return "The files say nothing about that."
    sentence, mark = sentences[best]
    return f"{_cut(' '.join(sentence.split()))} {mark}"


def _subject(done: Done, *, whole: bool = False) -> str:
    """Name what a call was about: `get_weather` of Seoul is Weather for Seoul; `whole` keeps the verb: Set light."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", done.name).replace("-", "_").lower().split("_")
    words = [part for part in parts if part]
    if len(words) > 1 and stem(words[0]) in VERBS and not whole:
        words = words[1:]
    subject = " ".join(words).capitalize()
    told = {
        name: value for name, value in done.arguments.items() if isinstance(value, str | int | float) and value != "."
    }
    told = {name: value for name, value in told.items() if not isinstance(value, bool) and len(str(value)) <= 60}
    strings = [value for value in told.values() if isinstance(value, str)]
    if len(told) == 1 and strings:
        return f"{subject} for {strings[0]}"
    inside = ", ".join(f"{_readable(name)}: {value}" for name, value in told.items())
    return f"{subject} ({inside})" if inside else subject


def _said(value: object, known: Mapping[str, Any]) -> str:
    """Say a value in words; a long or listed one begins on a line of its own."""
    match value:
        case []:
            return "nothing found"
        case True | False:
            return "yes" if value else "no"
        case str():
            text = value.strip()
            return f"\n{_cut(text)}" if "\n" in text else _cut(text)
        case dict():
            return _members(cast("dict[str, Any]", value), known)
        case list():
            return _entries(cast("Sequence[Any]", value))
        case _:
            return json.dumps(value)


def _members(value: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    shown = {name: each for name, each in value.items() if not (name in known and known[name] == each)} or value
    return _cut(", ".join(f"{_readable(name)}: {_inner(each)}" for name, each in shown.items()))


def _entries(values: Sequence[Any]) -> str:
    if (
        all(not isinstance(each, dict | list) and len(str(each)) <= 60 for each in values)
        and len(values) <= _SHOWN_ENTRIES
    ):
        return _listed([_inner(each) for each in values])
    lines = [f"- {_inner(each, bare=True)}" for each in values[:_SHOWN_ENTRIES]]
    if len(values) > _SHOWN_ENTRIES:
        lines.append(f"... and {len(values) - _SHOWN_ENTRIES} more")
    return _cut("\n" + "\n".join(lines))


def _inner(value: object, *, bare: bool = False) -> str:
    """Say a value that stands inside another."""
    match value:
        case None:
            return "none"
        case True | False:
            return "yes" if value else "no"
        case str():
            return " ".join(value.split())
        case dict():
            inside = ", ".join(
                f"{_readable(name)}: {_inner(each)}" for name, each in cast("dict[str, Any]", value).items()
            )
            return inside if bare else f"({inside})"
        case list():
            return _listed([_inner(each) for each in cast("Sequence[Any]", value)]) if value else "none"
        case _:
            return json.dumps(value)


def _readable(name: str) -> str:
    return name.replace("_", " ").strip()


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS].rstrip() + " …"
