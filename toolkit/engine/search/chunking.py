"""Cut a text into chunks that overlap, where it can be cut best: between paragraphs, lines, sentences, words.

Sizes are in tokens as the API counts them (`chunking_strategy`), estimated at four bytes of UTF-8 a token, since no
tokenizer is at hand. Chunks are slices of the text: together they are all of it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

__all__ = ["BYTES_PER_TOKEN", "Chunk", "chunks", "tokens"]

BYTES_PER_TOKEN: Final = 4
_LATE: Final = 0.75
"""From this part of a chunk on a better place to cut is looked for."""
_PIECE: Final = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A slice of a text: where it begins, in characters, and what it says."""

    start: int
    text: str


def tokens(text: str) -> int:
    """Estimate the tokens of a text, rounded up."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def chunks(text: str, size_tokens: int, overlap_tokens: int) -> Iterator[Chunk]:
    """Cut a text; a chunk has `size_tokens` at most, and begins with at most `overlap_tokens` of the one before."""
    if not text:
        return
    size, overlap = size_tokens * BYTES_PER_TOKEN, overlap_tokens * BYTES_PER_TOKEN
    places, sizes = _places(text, max(BYTES_PER_TOKEN, size // 8))
    first, last = 0, len(places) - 1
    while True:
        end = _end(text, places, sizes, first, size)
        yield Chunk(places[first], text[places[first] : places[end]])
        if end == last:
            return
        first = max(first + 1, bisect_left(sizes, sizes[end] - overlap, first, end))


def _end(text: str, places: Sequence[int], sizes: Sequence[int], first: int, size: int) -> int:
    """Choose where a chunk ends that begins at the place `first`: the best of the late places, of equals the last."""
    most = max(first + 1, bisect_right(sizes, sizes[first] + size, first) - 1)
    if most == len(places) - 1:
        return most
    least = max(first + 1, bisect_left(sizes, sizes[first] + int(size * _LATE), first, most))
    return max(range(least, most + 1), key=lambda place: (_worth(text, places[place]), place))


def _worth(text: str, place: int) -> int:
    """Rate a place: after an empty line, a line, a sentence, a word, or in a word."""
    before = text[max(0, place - 2) : place]
    if before.endswith("\n"):
        return 4 if before == "\n\n" else 3
    if before[-1:].isspace():
        return 2 if before[0] in ".!?;:" else 1
    return 2 if before[-1:] in "。！？" else 0


def _places(text: str, longest: int) -> tuple[Sequence[int], Sequence[int]]:
    """List where the text may be cut, and its bytes up to there; no two places are more than `longest` bytes apart."""
    places, sizes = [0], [0]
    for start, end in pairwise([0, *(found.end() for found in re.finditer(r"[^\n]*\n|[^\n]+\Z", text))]):
        for stop in _stops(text, start, end, longest):
            sizes.append(sizes[-1] + len(text[places[-1] : stop].encode()))
            places.append(stop)
    return places, sizes


def _stops(text: str, start: int, end: int, longest: int) -> Iterator[int]:
    """Walk the places in one line, its end included: words where it is long, and characters where words are."""
    if _fits(text, start, end, longest):
        yield end
        return
    for found in _PIECE.finditer(text, start, end):
        if _fits(text, found.start(), found.end(), longest):
            yield found.end()
        else:
            step = longest // 4  # a character has four bytes at most
            yield from range(found.start() + step, found.end(), step)
            yield found.end()


def _fits(text: str, start: int, end: int, most: int) -> bool:
    return (end - start) * 4 <= most or len(text[start:end].encode()) <= most
