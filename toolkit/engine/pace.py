"""How much work fits into one short transaction, found out on the way."""

from __future__ import annotations

from typing import Final

__all__ = ["TURN_S", "Pace"]

TURN_S: Final = 0.005
"""How long a transaction should take, more or less: the turn of everybody else comes after it."""
_LARGEST: Final = 1000


class Pace:
    """The size of the next piece of work; it doubles while pieces are quick, and is halved when one is not."""

    def __init__(self) -> None:
        self.size = 4

    def took(self, seconds: float, turn_s: float = TURN_S) -> None:
        """Learn from a piece that was done, and was to take `turn_s` at most."""
        self.size = min(_LARGEST, self.size * 2) if seconds < turn_s else max(1, self.size // 2)
