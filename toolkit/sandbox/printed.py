"""What comes out of a session as text, and where in it each answer belongs.

Text and answers come by pipes of their own. So before it sends an answer, the worker prints a mark: the session's
secret word, and a number that the answer bears too. Code that finds the word out can print marks; its order suffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["MARK_BYTES", "NUMBER_BYTES", "Mark", "Printed"]

MARK_BYTES: Final = 16
NUMBER_BYTES: Final = 8


class Mark(NamedTuple):
    """The place of an answer."""

    number: str


class Printed:
    """Tells text from marks in what comes, however it is cut; `word` is the session's."""

    def __init__(self, word: bytes) -> None:
        self._word = word
        self._left = b""

    def feed(self, data: bytes) -> Iterator[bytes | Mark]:
        """Take what has come; what may be the beginning of a mark is held back."""
        left = self._left + data
        while (at := left.find(self._word)) >= 0 and len(left) - at >= MARK_BYTES + NUMBER_BYTES:
            end = at + MARK_BYTES + NUMBER_BYTES
            if at:
                yield left[:at]
            yield Mark(left[at + MARK_BYTES : end].hex())
            left = left[end:]
        held = len(left) - at if at >= 0 else self._begun(left)
        self._left = left[len(left) - held :]
        if held < len(left):
            yield left[: len(left) - held]

    def end(self) -> bytes:
        """Give what was held back: no more comes."""
        left, self._left = self._left, b""
        return left

    def _begun(self, data: bytes) -> int:
        """Say how many bytes at the end may be the first of a mark."""
        most = min(len(data), MARK_BYTES - 1)
        return next((size for size in range(most, 0, -1) if self._word.startswith(data[-size:])), 0)
