"""Give the room that deleted rows leave in a SQLite file back to the disk.

New data fills such room first, so a file that is pruned regularly stays at its size without any of this. What can be
done while a server writes to the file is done in small steps; the whole is a `VACUUM`, for which writers wait.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolkit.errors import StoreUnavailable

__all__ = ["Space", "reclaim"]

_BUSY_S: Final = 10.0
_STEP_PAGES: Final = 256
_PAUSE_S: Final = 0.005
_INCREMENTAL: Final = 2


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a database: its size, what was given back, and what is still free for new data."""

    size: int
    freed: int
    spare: int


def reclaim(path: Path, *, full: bool = False) -> Space:
    """Shrink the file of a store as far as goes without holding up others, or wholly. Raises StoreUnavailable.

    `full` rewrites the file: it needs as much room again meanwhile, and writers wait, some for too long. After that the
    file can be shrunk in small steps, as those can that were made with `auto_vacuum`.
    """
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as connection:
            before = _bytes(connection, "page_count")
            if full:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("VACUUM")
            elif _value(connection, "auto_vacuum") == _INCREMENTAL:
                _in_steps(connection)
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # the file itself shrinks only here
            after, spare = _bytes(connection, "page_count"), _bytes(connection, "freelist_count")
            return Space(after, max(0, before - after), spare)
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"The room that is free in {path} could not be given back: {error}. "
            "Nothing is lost: try again when there is room on the disk and less to do."
        ) from error


def _in_steps(connection: sqlite3.Connection) -> None:
    while (free := _value(connection, "freelist_count")) > 0:
        connection.executescript(f"PRAGMA incremental_vacuum({_STEP_PAGES})")  # execute() frees one page of them
        if _value(connection, "freelist_count") >= free:
            return  # somebody else frees as fast
        time.sleep(_PAUSE_S)


def _bytes(connection: sqlite3.Connection, pages: str) -> int:
    return _value(connection, pages) * _value(connection, "page_size")


def _value(connection: sqlite3.Connection, pragma: str) -> int:
    value: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return value
