"""The kernel's locks on files and folders: they hold between processes, and end with a process however that ends.

Windows has none for folders. There what is old is taken for left alone.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

__all__ = ["STALE_S", "Hold", "age_s", "locked"]

STALE_S: Final = 3600.0
"""How old a file must be to be taken for left alone."""


class Hold:
    """A lock on the folder in which some bytes are, shared by those who bring some, or alone to remove some."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._over = False
        self._handle: int | None = None

    def take(self, *, alone: bool) -> bool:
        """Take the lock if it can be had at once."""
        if sys.platform == "win32":  # folders cannot be locked there: what is old is not being brought
            return not alone or age_s(self._place) > STALE_S
        with self._lock:
            if self._over or (alone and not self._place.exists()):
                return False
            handle = os.open(self._place.parent, os.O_RDONLY)
            if not locked(handle, alone=alone):
                os.close(handle)
                return False
            self._handle = handle
            return True

    def let_go(self) -> None:
        """Give the lock back, and take none any more."""
        with self._lock:
            self._over = True
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None


def locked(handle: int, *, alone: bool) -> bool:
    """Lock an open file or folder; False when somebody else has it."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def age_s(path: Path) -> float:
    """Give the seconds since a file was written to."""
    return time.time() - path.stat().st_mtime
