"""What a started server writes to its stderr: kept for the message when it does not start, and logged at DEBUG.

Servers say much there, tracebacks of their own included; it is none of our program's terminal.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque

__all__ = ["Stderr"]

KEPT = 20
"""Lines that are kept."""
WAIT_S = 0.5
"""How long to wait for the last of them, when the server has ended."""


class Stderr:
    """A pipe, and a thread that reads it until every process that writes to it has ended."""

    def __init__(self, name: str) -> None:
        read, write = os.pipe()
        self.end = os.fdopen(write, "w")
        """The end that the server writes to; close it when the server has one of its own."""
        self._name = name
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._thread = threading.Thread(target=self._read, args=(read,), name="toolkit-mcp-stderr", daemon=True)
        self._thread.start()

    def last(self) -> str:
        """Give the last line that says something; empty when none does."""
        self.end.close()
        self._thread.join(WAIT_S)
        return next((line[:300] for line in reversed(self._lines) if any(map(str.isalnum, line))), "")

    def _read(self, read: int) -> None:
        log = logging.getLogger("toolkit.mcp")
        with os.fdopen(read, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self._lines.append(line.strip())
                log.debug("MCP server %s: %s", self._name, line.rstrip())
