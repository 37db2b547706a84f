"""Landlock: which files a process may reach, by the kernel, for processes that have no other means to bind themselves.

It is a second wall behind the mounts: what a hole in those would show still could not be opened.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Final

from toolkit.kernel.calls import syscall

__all__ = ["abi", "restrict"]

_EXECUTE, _WRITE, _READ, _READ_DIR, _REFER, _TRUNCATE, _IOCTL_DEV = 1, 2, 4, 8, 1 << 13, 1 << 14, 1 << 15
_FILES: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""The kernel's version of Landlock -> every right on files that it knows."""
_TCP: Final = 3
_SCOPED: Final = 3
"""Abstract sockets and signals, neither of which leave the domain."""
_READING: Final = _EXECUTE | _READ | _READ_DIR
_NEVER: Final = (1 << 6) | (1 << 11) | (1 << 9) | _IOCTL_DEV
"""Devices, sockets, and commands to devices."""
_PATH_BENEATH: Final = 1
_VERSION: Final = 1


def abi() -> int:
    """Give the kernel's version of Landlock; 0 without it."""
    try:
        return syscall("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError:
        return 0


def restrict(*, read: Iterable[str], write: Iterable[str]) -> int:
    """Let this process read and run what is below some folders, write below others, and open no TCP at all.

    Gives the version of Landlock that holds it, 0 where there is none. The process needs no_new_privs. Raises OSError.
    """
    version = abi()
    if not version:
        return 0
    known = _FILES[max(since for since in _FILES if since <= version)]
    header = struct.pack("QQQ", known, _TCP if version >= 4 else 0, _SCOPED if version >= 6 else 0)
    size = len(header) if version >= 6 else 16 if version >= 4 else 8
    ruleset = syscall("landlock_create_ruleset", ctypes.c_char_p(header), size, 0)
    try:
        for path in read:
            _allow(ruleset, path, _READING & known)
        for path in write:
            _allow(ruleset, path, known & ~_NEVER)
        syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: str, rights: int) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):
            rights &= _EXECUTE | _WRITE | _READ | _TRUNCATE
        rule = struct.pack("=Qi", rights, folder)
        syscall("landlock_add_rule", ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(folder)
