"""One line on a terminal that says how far a long command is; nothing where nobody looks."""

from __future__ import annotations

import sys
import time
from typing import Final

__all__ = ["Progress"]

_EVERY_S: Final = 0.2
_WIDTH: Final = 79


class Progress:
    """The line. `end` before anything else is written."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._next = 0.0
        self._written = False

    def say(self, text: str) -> None:
        """Write another text over the last one, unless that was just now."""
        if self._shown and time.monotonic() >= self._next:
            sys.stderr.write(f"\r{text[:_WIDTH]:<{_WIDTH}}")
            sys.stderr.flush()
            self._next = time.monotonic() + _EVERY_S
            self._written = True

    def end(self) -> None:
        """Take the line away."""
        if self._written:
            sys.stderr.write(f"\r{'':<{_WIDTH}}\r")
            sys.stderr.flush()
            self._written = False
