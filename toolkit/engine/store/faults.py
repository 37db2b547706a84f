"""What SQLite's errors mean: a fault of the world, said with its remedy, or a bug of ours, which is left as it is.

The texts go to whoever asked for something, over HTTP as well: they name no path, statement or value.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from typing import Final

from toolkit.errors import StoreUnavailable

__all__ = ["Outage", "fault_of", "is_busy", "is_misnamed", "is_suspect", "moved", "other_version"]

_log = logging.getLogger("toolkit.engine")

_BUSY: Final = "The store is locked by another program. Let that finish, or end it; then work goes on by itself."
_DAMAGED: Final = "The store's file is damaged. Stop everything that uses it and put a backup in its place."
_TEXTS: Final = {
    sqlite3.SQLITE_FULL: "The store's disk is full. Make room on it; then work goes on by itself.",
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_READONLY: "The store cannot be written. Make its file, its folder and its file system writable.",
    sqlite3.SQLITE_PERM: "The store may not be used. Give this user the right to read and write its file and folder.",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: "The store cannot be opened. Raise `ulimit -n`, or see who may read its file and folder.",
    sqlite3.SQLITE_IOERR: "The store's disk does not read or write. Look at the disk, its room and the quota.",
}
_MISNAMED: Final = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB})
_SUSPECT: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_REPEAT_S: Final = 60.0
"""A file that is damaged in places fails by turns, and would fill the log."""


def fault_of(error: sqlite3.Error) -> StoreUnavailable | None:
    """Say a fault of disk, file or lock in our words; None for an error that is a bug of ours."""
    text = _TEXTS.get(_code(error))
    return None if text is None else StoreUnavailable(text)


def moved() -> StoreUnavailable:
    """Say that the file under the store's name is not the one that was opened."""
    return StoreUnavailable(
        "The store's file was deleted, moved or replaced while it was in use. Put it back; or stop everything that "
        "uses it, put another file there without the old -wal and -shm beside it, and start again."
    )


def other_version(version: int, known: int) -> StoreUnavailable:
    """Say that another version of this package has changed the file meanwhile."""
    return StoreUnavailable(
        f"The store is of another version of assistants-toolkit now (schema {version}, this one knows {known}). "
        "Start this program again with that version."
    )


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else held a lock for too long."""
    return _TEXTS.get(_code(error)) is _BUSY


def is_suspect(error: sqlite3.Error) -> bool:
    """Whether a connection may have something wrong in its memory now, and is better opened anew."""
    return _code(error) in _SUSPECT


def is_misnamed(error: sqlite3.Error) -> bool:
    """Whether a store that is being opened is most likely not where or what its name says."""
    return _code(error) in _MISNAMED


def _code(error: sqlite3.Error) -> int:
    """Give the primary result code, which is the lowest byte; what Python's own checks raise has none."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF


class Outage:
    """Logs that one kind of work fails, and that it goes on again: two lines, however often it is tried between."""

    def __init__(self, what: str) -> None:
        self.under_way = False
        self._what = what
        self._since = 0.0
        self._told = False
        self._told_at = -_REPEAT_S

    def goes_on(self, why: StoreUnavailable) -> None:
        """Note a failure."""
        if self.under_way:
            return
        self._since = time.monotonic()
        self.under_way = True
        self._told = self._since - self._told_at >= _REPEAT_S
        if self._told:
            self._told_at = self._since
            _log.error("%s fails: %s", self._what, why)

    def over(self) -> None:
        """Note a success."""
        self.under_way = False
        if self._told:
            _log.warning("%s works again, after %.1f s", self._what, time.monotonic() - self._since)
