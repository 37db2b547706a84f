"""A text while the values for one tool are taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from toolkit.engine.offline.toolbox import Parameter
from toolkit.engine.offline.values import Kind, Value, values_in
from toolkit.engine.offline.words import Word, related, words_in

__all__ = ["Source", "source_of"]


@dataclass(slots=True)
class Source:
    """A text while values are taken out of it."""

    text: str
    values: list[Value]
    words: list[Word]
    own: frozenset[str]
    """Stems that are about the tool."""
    quoted_is_free: bool
    """Whether a quotation is for a parameter that takes free text."""
    used: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def free(self, start: int, end: int) -> bool:
        return all(end <= a or b <= start for a, b in self.used)

    def unused(self, *kinds: Kind) -> Iterator[Value]:
        return (value for value in self.values if value.kind in kinds and self.free(value.start, value.end))

    def take(self, value: Value) -> str:
        self.used.append((value.start, value.end))
        return value.text

    def first(
        self, *kinds: Kind, leads: frozenset[str] | None = None, not_after: frozenset[str] = frozenset()
    ) -> str | None:
        """Take the first unused value of the kinds, by the word that leads to it."""
        for value in self.unused(*kinds):
            if (leads is None or value.lead in leads) and value.lead not in not_after:
                return self.take(value)
        return None

    def is_own(self, word: Word) -> bool:
        return word.stem in self.own or any(related(word.stem, each) for each in self.own)


def source_of(
    parameters: Sequence[Parameter], own: frozenset[str], text: str, today: Callable[[], date], known: frozenset[str]
) -> Source:
    """Take a text apart for a tool's parameters; `own` are the stems that are about the tool."""
    has_free = any(parameter.role == "free" for parameter in parameters)
    return Source(text, values_in(text, today, known=known), words_in(text), own, has_free)
