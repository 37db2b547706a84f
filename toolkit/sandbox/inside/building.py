"""Puts up the outer wall where bubblewrap is not: namespaces and a root of its own, by the kernel's own calls.

It runs as a program of its own (`namespaces.py`) and ends as two processes in the new namespaces: the first of them,
which takes in orphans and does nothing else, and the one that serves the session. When the first one ends, the kernel
ends all that are in there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from toolkit.kernel.calls import call, syscall
from toolkit.kernel.privileges import bound_capabilities, drop_capabilities, gain_no_privileges

__all__ = ["build"]

_NEW_MOUNTS, _NEW_CGROUP, _NEW_UTS, _NEW_IPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PIDS, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_NO_WRITING, _NO_SETUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_REMOUNT, _BIND, _BELOW_TOO, _PRIVATE, _RELATIVE_TIMES = 32, 4096, 16384, 1 << 18, 1 << 21
_KEPT: Final = {1: 1, 2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: _RELATIVE_TIMES}
"""Flags of a mount as statvfs says them -> as mount takes them. Who has not made a mount may not take them off."""
_DETACH: Final = 2
_DIE_WITH_PARENT, _DUMPABLE = 1, 4
_BASE: Final = "/tmp"  # noqa: S108 - any folder will do: only this process sees what is mounted there
_OF_THE_KERNEL: Final = ("sys", "sysrq-trigger", "irq", "bus")
"""What in /proc is no process; root may write there, in whatever namespace."""


def build(plan: Mapping[str, Any], command: Sequence[str]) -> None:
    """Build what is planned around this process, and run the command in it. Does not return. Raises OSError.

    `plan` has `binds` ([source, target]), `folders`, `empty` and `hidden` (paths), `devices` (names), `writable`
    (path -> bytes), `files` (how many names each of those may have), `environment`, and `own_uid`: whether the command
    becomes a user of its own.
    """
    call("prctl", _DIE_WITH_PARENT, ctypes.c_ulong(signal.SIGKILL), *map(ctypes.c_ulong, (0, 0, 0)))
    _unshare(with_user=not plan["own_uid"])
    first = os.fork()
    if first:
        _close_all()
        os._exit(_ended(first))
    call("prctl", _DIE_WITH_PARENT, ctypes.c_ulong(signal.SIGKILL), *map(ctypes.c_ulong, (0, 0, 0)))
    _mount_all(plan)
    os.chdir("/mnt/data")
    second = os.fork()
    if second:
        _close_all()
        gain_no_privileges()
        bound_capabilities()
        drop_capabilities()
        call("prctl", _DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0)))
        os._exit(_ended(second))
    os.setsid()
    os.execve(command[0], list(command), dict(plan["environment"]))  # noqa: S606 - without a shell, on purpose


def _unshare(*, with_user: bool) -> None:
    uid, gid = os.getuid(), os.getgid()
    flags = _NEW_MOUNTS | _NEW_CGROUP | _NEW_UTS | _NEW_IPC | _NEW_PIDS | _NEW_NET
    call("unshare", flags | (_NEW_USER if with_user else 0))
    if with_user:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"1000 {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"1000 {gid} 1", encoding="ascii")
    name = b"sandbox"
    call("sethostname", ctypes.c_char_p(name), ctypes.c_size_t(len(name)))


def _mount_all(plan: Mapping[str, Any]) -> None:
    """Make the new root beside the old one, move into it, and let go of the old."""
    _mount(None, "/", None, _PRIVATE | _BELOW_TOO)
    _mount("tmpfs", _BASE, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=1m,mode=755")
    for folder in ("new", "old"):
        os.mkdir(f"{_BASE}/{folder}", 0o755)
    syscall("pivot_root", _path(_BASE), _path(f"{_BASE}/old"))
    os.chdir("/")
    _mount("tmpfs", "/new", "tmpfs", _NO_SETUID | _NO_DEVICES, "size=1m,mode=755")
    for folder in [*plan["folders"], "/proc", "/dev"]:
        os.makedirs(f"/new{folder}", 0o755, exist_ok=True)
    for source, target in plan["binds"]:
        _bind(f"/old{source}", f"/new{target}", _NO_WRITING | _NO_SETUID | _NO_DEVICES)
    _mount("proc", "/new/proc", "proc", _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS)
    for name in _OF_THE_KERNEL:
        if os.path.exists(f"/new/proc/{name}"):
            _bind(f"/new/proc/{name}", f"/new/proc/{name}", _NO_WRITING | _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS)
    for path in plan["hidden"]:
        _bind("/old/dev/null", f"/new{path}", _NO_WRITING | _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS)
    _mount("tmpfs", "/new/dev", "tmpfs", _NO_SETUID, "size=64k,nr_inodes=32,mode=755")
    for device in plan["devices"]:
        _bind(f"/old/dev/{device}", f"/new/dev/{device}", _NO_SETUID | _NO_PROGRAMS)
    for name, descriptor in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{descriptor}", f"/new/dev/{name}")
    for folder, size in plan["writable"].items():
        os.makedirs(f"/new{folder}", 0o755, exist_ok=True)
        options = f"size={size},nr_inodes={plan['files']},mode=1777"
        _mount("tmpfs", f"/new{folder}", "tmpfs", _NO_SETUID | _NO_DEVICES, options)
    for folder in plan["empty"]:
        _mount("tmpfs", f"/new{folder}", "tmpfs", _NO_WRITING | _NO_SETUID | _NO_DEVICES, "size=4k,mode=755")
    for folder in ("/new/dev", "/new"):
        _mount(
            None, folder, None, _REMOUNT | _BIND | _NO_WRITING | _NO_SETUID | (_NO_DEVICES if folder == "/new" else 0)
        )
    call("umount2", _path("/old"), _DETACH)
    os.chdir("/new")
    syscall("pivot_root", _path("."), _path("."))
    call("umount2", _path("."), _DETACH)
    os.chdir("/")


def _bind(source: str, target: str, flags: int) -> None:
    if os.path.isdir(source):
        os.makedirs(target, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
        if not os.path.exists(target):
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(source, target, None, _BIND)
    there = os.statvfs(target).f_flag
    kept = sum(mounted for said, mounted in _KEPT.items() if there & said)
    _mount(None, target, None, _REMOUNT | _BIND | kept | flags)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    try:
        call("mount", _path(source), _path(target), _path(kind), ctypes.c_ulong(flags), _path(options))
    except OSError as error:
        raise OSError(error.errno, f"mounting {target}: {os.strerror(error.errno or 0)}") from None


def _path(text: str | None) -> ctypes.c_char_p:
    return ctypes.c_char_p(text.encode() if text is not None else None)


def _close_all() -> None:
    """Hold nothing open, so that who listens hears of the end of who speaks."""
    os.closerange(0, 65_536)


def _ended(child: int) -> int:
    """Wait for a child, and for all orphans that end before it; gives how it ended."""
    while True:
        with contextlib.suppress(InterruptedError):
            pid, status = os.wait()
            if pid == child:
                return abs(os.waitstatus_to_exitcode(status))
