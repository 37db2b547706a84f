"""Marks in a model's text that stand for passages it was shown, such as 【4:0†source】: found while the text comes in.

A mark has the number of a search in its thread and of a passage in that search. Models write them as they were told to,
or nearly: in brackets of the keyboard, without a source. A mark may arrive in pieces, so what could become one is held
back until it is whole or something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from toolkit.engine.jsontext import clean

__all__ = ["Citing", "Mark"]

_MARK: Final = re.compile(r"(?:【(\d{1,6}):(\d{1,4})(?:†[^】\n]{0,100})?】|\[(\d{1,6}):(\d{1,4})†[^\]\n]{0,100}\])")
_BEGUN: Final = re.compile(
    r"(?:【(?:\d{1,6}(?::(?:\d{1,4}(?:†[^】\n]{0,100})?)?)?)?|\[(?:\d{1,6}(?::(?:\d{1,4}(?:†[^\]\n]{0,100})?)?)?)?)\Z"
)
"""The end of a text that may become a mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Stands for a passage."""

    search: int
    place: int

    def __str__(self) -> str:
        return f"【{self.search}:{self.place}†source】"


class Citing:
    """Takes a text in pieces and gives it in parts: text as it is to stand, and the marks between."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> Iterator[str | Mark]:
        """Take a piece; gives what is certain by now."""
        text = self._held + piece
        half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""  # of a character that comes in two
        text = clean(text[: len(text) - len(half)])
        begun = _BEGUN.search(text) if not half else None
        certain = begun.start() if begun else len(text)
        self._held = text[certain:] + half
        yield from _parts(text[:certain])

    def end(self) -> Iterator[str | Mark]:
        """Give what was held back: it becomes no mark any more."""
        held, self._held = clean(self._held), ""
        if held:
            yield held


def _parts(text: str) -> Iterator[str | Mark]:
    at = 0
    for found in _MARK.finditer(text):
        if found.start() > at:
            yield text[at : found.start()]
        search, place = (number for number in found.groups() if number is not None)
        yield Mark(int(search), int(place))
        at = found.end()
    if at < len(text):
        yield text[at:]
