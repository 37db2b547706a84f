"""Signs of life beside a database file: a file for each worker, locked as long as its process lives.

The kernel takes a lock away with the process, however that ended, so whoever opens the store after a `kill -9` knows at
once that the worker is gone. Where files cannot be locked (Windows, some network file systems) nobody is known to be
gone, and the beats in the store tell, later.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final
from weakref import WeakSet

if sys.platform != "win32":
    import fcntl

__all__ = ["Presence"]


class Presence:
    """The workers of one database file: those of this process, and what is known of the others."""

    def __init__(self, database: Path) -> None:
        self._folder, self._prefix = database.parent, f"{database.name}-worker-"
        self._held: dict[str, int] = {}
        _HERE.add(self)

    def appear(self, worker: str) -> None:
        """Show that a worker lives, until this process ends or `disappear`."""
        if sys.platform == "win32":
            return
        with contextlib.suppress(OSError):  # a folder that cannot be written; the beats have to do
            file = os.open(self._file(worker), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._held[worker] = file
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def disappear(self, worker: str) -> None:
        """Take the sign of a worker away: of one of this process, or of one that is gone."""
        with contextlib.suppress(OSError):
            self._file(worker).unlink()
        if (file := self._held.pop(worker, None)) is not None:
            os.close(file)

    def is_gone(self, worker: str) -> bool:
        """Say whether a worker is known to live no more."""
        if sys.platform == "win32" or worker in self._held:
            return False
        try:
            file = os.open(self._file(worker), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(file)

    def _file(self, worker: str) -> Path:
        return self._folder / f"{self._prefix}{worker}"

    def let_go(self) -> None:
        """Close the files without a word: in a fork, which would keep the locks of its parent after its death."""
        for file in self._held.values():
            os.close(file)
        self._held.clear()


_HERE: Final[WeakSet[Presence]] = WeakSet()


def _let_all_go() -> None:
    for presence in _HERE:
        presence.let_go()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_let_all_go)
