"""Questions with known answers, made of a documentation, and the documentation without the words they were made of.

A question is what people wrote to name a passage: its heading, the text of a link to it, or the sentence that sums up
a function. It is taken out of the text, so that nothing is found by the very words it was made of. Which are taken is
drawn by a hash, so that it is the same each time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from toolkit.engine.search.words import wanted

__all__ = ["Collection", "Form", "Named", "Page", "Question", "collection", "is_for_tuning"]

Form = Literal["heading", "link", "summary"]

_LEAST_WORDS: Final = 3
_LEAST_ANSWER: Final = 200
_MOST_ANSWER: Final = 1600
"""Bytes of an answer that are to be found: the first, half a chunk."""


@dataclass(frozen=True, slots=True)
class Named:
    """Words that name a passage: what they are, where to cut them out, and where in which page the passage is."""

    form: Form
    words: str
    cuts: Sequence[tuple[str, int, int]]
    """Page, start, end; once for each time the words are used for the passage."""
    page: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Page:
    """A document, by its name, which ends as a file's does."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and where in the pages the answer begins and how far it is looked for."""

    id: str
    form: Form
    text: str
    page: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Collection:
    """What goes into one vector store, and what is asked."""

    name: str
    pages: Sequence[Page]
    questions: Sequence[Question]


def is_for_tuning(question: Question) -> bool:
    """Say in which half a question is: the one to choose rankings by, or the one that is held out to compare them."""
    return _drawn(f"half {question.id}") % 2 == 0


def collection(name: str, pages: Sequence[Page], named: Iterable[Named], most: int) -> Collection:
    """Draw at most so many questions of each form, and cut their words out of the pages."""
    texts = {page.name: page.text for page in pages}
    drawn = _draw(name, [each for each in named if _is_fair(each, texts[each.page])], most)
    cuts: dict[str, list[tuple[int, int]]] = {page.name: [] for page in pages}
    for each in drawn:
        for page, start, end in each.cuts:
            cuts[page].append((start, end))
    left = {page: _without(texts[page], sorted({*spans})) for page, spans in cuts.items()}
    questions = [_question(name, each, *left[each.page]) for each in drawn]
    return Collection(name, [Page(page.name, left[page.name][0]) for page in pages], questions)


def _is_fair(named: Named, text: str) -> bool:
    answer = text[named.start : named.end].strip()
    return len({*wanted(named.words)}) >= _LEAST_WORDS and len(answer.encode()) >= _LEAST_ANSWER


def _draw(name: str, named: Sequence[Named], most: int) -> Sequence[Named]:
    """Take those whose words name one passage, at most so many of each form."""
    passages = Counter(each.words.casefold() for each in named)
    ordered = sorted(named, key=lambda each: (each.form, _drawn(f"{name} {each.form} {each.words}")))
    alone = [each for each in ordered if passages[each.words.casefold()] == 1]
    return [each for _, form in groupby(alone, key=lambda each: each.form) for each in [*form][:most]]


def _question(name: str, named: Named, text: str, moved: Sequence[tuple[int, int]]) -> Question:
    start, end = (at - sum(size for cut, size in moved if cut < at) for at in (named.start, named.end))
    start += len(text[start:end]) - len(text[start:end].lstrip())
    answer = text[start:end].rstrip().encode()[:_MOST_ANSWER].decode(errors="ignore")
    return Question(
        f"{name}/{named.form}/{named.words}", named.form, named.words, named.page, start, start + len(answer)
    )


def _without(text: str, cuts: Sequence[tuple[int, int]]) -> tuple[str, Sequence[tuple[int, int]]]:
    """Cut spans out of a text; gives where each was, and how long it is."""
    ends = [0, *(end for _, end in cuts)]
    starts = [*(start for start, _ in cuts), len(text)]
    assert all(end <= start for end, start in zip(ends, starts, strict=True)), "no two overlap"
    left = "".join(text[end:start] for end, start in zip(ends, starts, strict=True))
    return left, [(start, end - start) for start, end in cuts]


def _drawn(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
