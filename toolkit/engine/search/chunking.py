"""Cut a text into chunks that overlap, where it can be cut best: between paragraphs, lines, sentences, words.

Sizes are in tokens as the API counts them (`chunking_strategy`), estimated at four bytes of UTF-8 a token, since no
tokenizer is at hand. Chunks are slices of the text: together they are all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["BYTES_PER_TOKEN", "Chunk", "chunks", "tokens"]

BYTES_PER_TOKEN: Final = 4
_LOOKED_FOR: Final = 4
"""In the last of so many parts of a chunk a good place to end it is looked for, in the first of an overlap to begin."""
_PLACES: Final = tuple(
    re.compile(place)
    for place in (
        r"\n\n+",  # after a paragraph
        r"\n",  # a line
        r"[.!?;:]['\")\]]*\s+|[。！？]",  # a sentence
        r"\s+",  # a word
    )
)
"""After what a text is cut, the best first."""


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
    size, overlap = size_tokens * BYTES_PER_TOKEN, overlap_tokens * BYTES_PER_TOKEN
    start = end = 0
    while end < len(text):
        end = _end(text, start, size)
        yield Chunk(start, text[start:end])
        start = _begin(text, start, end, overlap)


def _end(text: str, start: int, size: int) -> int:
    """Choose where a chunk ends that begins at `start`: the best of the late places, of equals the last."""
    most = start + _first(text[start : start + size], size)
    if most == len(text):
        return most
    least = start + _first(text[start:most], size - size // _LOOKED_FOR)
    for place in _PLACES:
        ends = [found.end() for found in place.finditer(text, least, most)]
        if ends:
            return ends[-1]
    return max(most, start + 1)


def _begin(text: str, start: int, end: int, overlap: int) -> int:
    """Choose where the chunk after `start` to `end` begins: the best of the early places, of equals the first."""
    least = end - _last(text[max(start + 1, end - overlap) : end], overlap)
    most = least + (end - least) // _LOOKED_FOR
    for place in _PLACES:
        for found in place.finditer(text, max(start, least - 1), most):
            if found.end() >= least:
                return found.end()
    return least


def _first(text: str, size: int) -> int:
    """Count the characters at the beginning of a text that have so many bytes, or fewer."""
    return len(text) if text.isascii() and len(text) <= size else len(text.encode()[:size].decode(errors="ignore"))


def _last(text: str, size: int) -> int:
    """Count those at its end."""
    return len(text.encode()[-size:].decode(errors="ignore")) if size else 0
