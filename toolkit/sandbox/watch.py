"""What a session takes of this machine, as seen from outside: the limits that no process has, but all of it together.

It is read from /proc every now and then, so a session may go over for a moment. Where our user may not look into a
session's root, the files there are not counted; their sizes are bounded by the mounts all the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from toolkit.sandbox.root import WRITABLE

__all__ = ["Usage", "processes", "usage"]

_QUICK: Final = re.compile(r"^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB", re.MULTILINE)
_EXACT: Final = re.compile(r"^(?:Pss_Anon|Pss_Shmem|SwapPss):\s+(\d+) kB", re.MULTILINE)
"""Lines of the kernel's; what a process has had put out to disk is still its own."""
_MOST_PROCESSES: Final = 1000
_SOCKET_BYTES: Final = 2 * 212_992
"""What a socket holds at most: the filter lets none be made larger. Twice, since the kernel adds to what is sent."""
_USER_AND_SYSTEM: Final = slice(11, 13)
"""Where they are after the name, in /proc/PID/stat."""


class Usage(NamedTuple):
    """What all processes of a session take together."""

    memory_bytes: int
    """Their own memory and their files, which are kept in memory."""
    files: int
    """Names in the fullest of the folders that may be written."""
    cpu_s: float
    """Time of processors, of the processes that live now."""


def usage(pid: int, enough_bytes: int) -> Usage:
    """Look at a session whose outermost process is `pid`; what is shared is counted once only above `enough_bytes`."""
    found = list(processes(pid))
    memory = sum(_memory(each, "status", _QUICK) for each in found)
    if memory > enough_bytes:
        memory = sum(_memory(each, "smaps_rollup", _EXACT) or _memory(each, "status", _QUICK) for each in found)
    kept, files = _kept(found[-1]) if found[1:] else (0, 0)
    kept += _sockets(found[-1]) * _SOCKET_BYTES if found[1:] else 0
    return Usage(memory + kept, files, sum(map(_cpu_s, found)))


def processes(pid: int) -> Iterator[int]:
    """List a process and all below it."""
    left, seen = [pid], 0
    while left and seen < _MOST_PROCESSES:
        each = left.pop(0)
        seen += 1
        yield each
        try:
            for thread in os.listdir(f"/proc/{each}/task"):
                left += map(int, Path(f"/proc/{each}/task/{thread}/children").read_text(encoding="ascii").split())
        except (OSError, ValueError):
            continue  # it has ended


def _memory(pid: int, file: str, lines: re.Pattern[str]) -> int:
    try:
        said = Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return sum(int(kilobytes) for kilobytes in lines.findall(said)) * 1024


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    user, system = fields[_USER_AND_SYSTEM]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _sockets(pid: int) -> int:
    """Count the sockets of a session, which has a network of its own; the kernel keeps what is sent by them."""
    if _linked(f"/proc/{pid}/ns/net") in ("", _linked("/proc/self/ns/net")):
        return 0
    try:
        return Path(f"/proc/{pid}/net/unix").read_bytes().count(b"\n") - 1
    except OSError:
        return 0


def _linked(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _kept(pid: int) -> tuple[int, int]:
    """Give the bytes of the files that a process can write, and the most names in a folder.

    Nothing, where it has no root of its own: those files are the machine's, whoever wrote them.
    """
    size = most = 0
    if _root(pid) in (None, _root(os.getpid())):
        return 0, 0
    for folder in WRITABLE:
        try:
            found = os.statvfs(f"/proc/{pid}/root{folder}")
        except OSError:
            continue
        size += (found.f_blocks - found.f_bfree) * found.f_frsize
        most = max(most, found.f_files - found.f_ffree)
    return size, most


def _root(pid: int) -> tuple[int, int] | None:
    try:
        found = os.stat(f"/proc/{pid}/root")
    except OSError:
        return None
    return found.st_dev, found.st_ino
