"""Giving privileges up, for good: the user, the capabilities, and what running another program could bring back."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Callable
from typing import Final

from toolkit.kernel.calls import call, syscall

__all__ = ["become", "bound_capabilities", "drop_capabilities", "forget_keys", "gain_no_privileges", "own_uid"]

_NO_NEW_PRIVS, _DROP_BOUND, _AMBIENT, _CLEAR_AMBIENT = 38, 24, 47, 4
_JOIN_SESSION: Final = 1
_VERSION_3: Final = 0x20080522
_MOST_CAPABILITIES: Final = 64
_FIRST_OWN: Final = 60_000
"""Below are the users that a machine has."""
_OURS: Final = range(1_879_048_192, 2_013_265_920)
"""Where nobody gives out ids, as far as is known: above those of containers and of systemd."""


def own_uid(uid_map: str, pick: Callable[[int], int]) -> int | None:
    """Choose a user id that no other process has, of those that /proc/self/uid_map says there are; None without one.

    `pick` chooses one of so many.
    """
    ranges = [(int(first), int(first) + int(count)) for first, _, count in map(str.split, uid_map.splitlines())]
    start, end = max(ranges, key=lambda each: each[1], default=(0, 0))
    start = max(start, _FIRST_OWN)
    if end >= _OURS.stop:
        start, end = _OURS.start, _OURS.stop
    return start + pick(end - start) if end - start > 0 else None


def become(uid: int) -> None:
    """Be another user, of no other group, for good."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def bound_capabilities() -> None:
    """Give up what running a program could bring back, as far as we may."""
    for capability in range(_MOST_CAPABILITIES):
        try:
            call("prctl", _DROP_BOUND, *map(ctypes.c_ulong, (capability, 0, 0, 0)))
        except OSError:  # the kernel has no more of them, or we have not the one that it takes
            return


def drop_capabilities() -> None:
    """Have no capability."""
    try:
        call("prctl", _AMBIENT, *map(ctypes.c_ulong, (_CLEAR_AMBIENT, 0, 0, 0)))
    except OSError as error:
        if error.errno != errno.EINVAL:  # a kernel that knows of none: gVisor's
            raise
    header = ctypes.create_string_buffer(struct.pack("Ii", _VERSION_3, 0))
    call("capset", header, ctypes.create_string_buffer(24))


def forget_keys() -> None:
    """Leave the keys of the session that this process was started in, where the kernel keeps any."""
    with contextlib.suppress(OSError):
        syscall("keyctl", _JOIN_SESSION, 0)


def gain_no_privileges() -> None:
    """Let no program that is started have more privileges than this process: what is setuid counts for nothing."""
    call("prctl", _NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0)))
