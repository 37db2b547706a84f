"""A copy of a store that goes on being used meanwhile: one snapshot, taken whole, put in place at the end.

The snapshot is a read transaction that is held for the length of the copy. In WAL mode it keeps no writer waiting, and
what they write meanwhile stays in the WAL, so the copy never starts over. The WAL grows for that time.

The bytes of files are brought twice: before the snapshot, since some may be deleted during it, and then those that came
since.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.backup_files import bring, drop_others, folder_of, named, sync
from toolkit.errors import EngineError

__all__ = ["Copied", "backup"]

_PAGES_A_STEP: Final = 1024
_BUSY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy has: bytes of the database, of files beside it, and how many files' bytes the store itself lacks."""

    database: int
    files: int
    missing: int


def backup(address: SQLiteAddress, to: Path, *, overwrite: bool = False) -> Copied:
    """Copy a store, live or not, into the file `to` and the folder `to`-files; blocking, for a thread or a command.

    Reads the store through a connection of its own, from this process or another. `to` is there whole and synced, with
    the bytes that it names, or not at all. Raises EngineError: no such store, `to` is there already or in use, no room,
    or a damaged store.
    """
    _check(address, to, overwrite)
    assert address.path is not None
    copy = _new_file_beside(to)
    try:
        needed, missing = _copy(address.path, copy, folder_of(to))
        shutil.copymode(address.path, copy)
        size = copy.stat().st_size
        sync(copy)
        os.replace(copy, to)
        sync(to.parent)
        drop_others(needed, folder_of(to))
    except (sqlite3.Error, OSError) as error:
        raise EngineError(f"No backup was made of {address.path}: {error}. What was at {to} is as it was.") from error
    finally:
        copy.unlink(missing_ok=True)
    files = sum(size for digest, size in needed.items() if digest not in missing)
    return Copied(size, files, len(missing))


def _check(address: SQLiteAddress, to: Path, overwrite: bool) -> None:
    if address.path is None:
        raise EngineError("A store in memory has no backup. Name a store in a file (sqlite:///PATH).")
    if not address.path.is_file():
        raise EngineError(f"There is no store at {address.path}. Name one that is there (sqlite:///PATH).")
    if to.exists():
        if not to.is_file() or to.samefile(address.path):
            raise EngineError(f"{to} cannot take the backup. Name another file.")
        if not overwrite:
            raise EngineError(f"{to} is there already. Name another file, or ask to overwrite it.")
    if Path(f"{to}-wal").exists():  # SQLite would read the old changes into the new file
        raise EngineError(f"{to} is open as a store, or was not closed well ({to}-wal is there). Name another file.")


def _new_file_beside(to: Path) -> Path:
    """Make an empty file that only this user can read, where a rename brings it to its place."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{to.name}.", suffix=".part", dir=to.parent)
    except OSError as error:
        raise EngineError(f"{to} cannot be written: {error}. Name a file that can.") from error
    os.close(handle)
    return Path(name)


def _copy(store: Path, copy: Path, files: Path) -> tuple[Mapping[str, int], set[str]]:
    """Copy database and files; gives the bytes that the copy needs, and which of them are missing."""
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous = OFF")  # it is synced once, as a whole
        uri = f"{store.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)) as source:
            bring(named(source), folder_of(store), files)
            source.execute("BEGIN")
            if not source.execute("PRAGMA user_version").fetchone()[0]:  # this read takes the snapshot
                raise EngineError(f"{store} is not a store of assistants-toolkit. Name one that is (sqlite:///PATH).")
            source.backup(target, pages=_PAGES_A_STEP, progress=_let_ctrl_c_in)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL beside it
        [said] = target.execute("PRAGMA quick_check(1)").fetchone()
        needed: Mapping[str, int] = named(target) if said == "ok" else {}
    if said != "ok":
        raise EngineError(f"Store {store} is damaged ({said}), so no backup was made. Go back to an earlier one.")
    return needed, set(bring(needed, folder_of(store), files))


def _let_ctrl_c_in(status: int, remaining: int, total: int) -> None:
    """Do nothing, in Python: between two steps is where a signal is seen."""
