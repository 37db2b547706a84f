"""The bytes of files in a backup: those that the copy of the database names, in a folder beside it.

Names are digests and what is in such a file never changes, so a name in the same file system (a hard link) is a copy;
elsewhere the bytes are copied. What is there already, from an earlier backup, is not copied again.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["bring", "drop_others", "folder_of", "named", "sync"]

_DIGEST: Final = re.compile("[0-9a-f]{64}")
_NAMED: Final = "SELECT sha256, bytes FROM file UNION SELECT sha256, bytes FROM upload_part"


def folder_of(database: Path) -> Path:
    """Say where the bytes of a store's files are."""
    return Path(f"{database.absolute()}-files")


def named(connection: sqlite3.Connection) -> Mapping[str, int]:
    """Read which bytes a store needs: their digests, and how many there are of each."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'upload_part'").fetchone():
        return {}  # a store of a version without files
    return dict(connection.execute(_NAMED).fetchall())


def bring(needed: Mapping[str, int], source: Path, target: Path) -> list[str]:
    """Bring bytes into the folder `target`, synced; gives the digests whose bytes are not whole in `source`."""
    missing: list[str] = []
    changed: set[Path] = set()
    for digest, size in needed.items():
        place = target / digest[:2] / digest
        if _size(place) == size:
            continue
        original = source / digest[:2] / digest
        if _size(original) != size:
            missing.append(digest)
            continue
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        changed |= {place.parent, target, target.parent}
        try:
            _put(original, place)
        except FileNotFoundError:  # it was deleted just now
            missing.append(digest)
    for folder in changed:
        sync(folder)
    return missing


def drop_others(needed: Mapping[str, int], target: Path) -> None:
    """Remove the bytes that only an earlier backup of the same name needed, and nothing else."""
    for place in target.glob("??/*"):
        if _DIGEST.fullmatch(place.name) and place.name not in needed:
            place.unlink(missing_ok=True)


def sync(place: Path) -> None:
    """Have a file, or the names in a folder, written to the disk."""
    if os.name == "nt" and place.is_dir():  # Windows opens no folders, and has no need of it
        return
    handle = os.open(place, os.O_RDONLY if place.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put(original: Path, place: Path) -> None:
    """Put bytes in their place, whole or not at all."""
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=place.parent) as beside:
        copy = Path(beside) / place.name
        try:
            os.link(original, copy)
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            shutil.copyfile(original, copy)
            copy.chmod(0o600)
            sync(copy)
        os.replace(copy, place)


def _size(place: Path) -> int | None:
    with contextlib.suppress(FileNotFoundError):
        return place.stat().st_size
    return None
