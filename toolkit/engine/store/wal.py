"""Keeps the WAL of a store small.

SQLite carries the WAL into the file by itself, and starts it over in a moment when nobody reads from it. Where readers
overlap all the time there is no such moment, and it would grow for ever; a checkpoint that makes new readers wait for
their turn finds one.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

__all__ = ["LARGE", "Wal"]

LARGE: Final = 16 * 2**20
"""Bytes, four times what SQLite lets stand. A reader that stays (a backup) is left alone until it is twice as much."""
_EVERY: Final = 128
"""Writes between two looks at the size."""
_WAIT_MS: Final = 250


class Wal:
    """The WAL beside a database file, as the one thread sees it that writes."""

    def __init__(self, database: Path) -> None:
        self._file = Path(f"{database}-wal")
        self._writes = 0
        self._most = LARGE

    def written(self, connection: sqlite3.Connection, busy_ms: int) -> None:
        """Count a commit, and start the WAL over when it has become large."""
        self._writes += 1
        if self._writes % _EVERY == 0 and self._size() > self._most:
            connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error:  # a full disk, say: the next write that fails tells it
                pass
            finally:
                connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
            self._most = max(LARGE, 2 * self._size())

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0
