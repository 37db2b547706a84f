"""The wall by bubblewrap (`bwrap`), which every Linux distribution has: namespaces, and a root of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import Final

from toolkit.sandbox.root import DEVICES, Root, environment, sizes
from toolkit.sandbox.sandbox import Limits

__all__ = ["Bubblewrap", "bwrap"]

_PLACES: Final = "/usr/bin:/usr/local/bin:/bin:/run/current-system/sw/bin"


def bwrap() -> str | None:
    """Find the program, where systems put it and not where our environment says."""
    return shutil.which("bwrap", path=_PLACES)


class Bubblewrap:
    """Writes what bubblewrap is told; `own_uid` says that the process inside will become a user of its own.

    That takes privileges, which it then has for this alone until it has done so. Without them bubblewrap makes a user
    namespace, and the process is, seen from outside, the user that we are.
    """

    name = "bubblewrap"

    def __init__(self, program: str, *, own_uid: bool) -> None:
        self._program, self._own_uid = program, own_uid

    def command(self, plan: int, worker: Sequence[str]) -> Sequence[str]:
        """Give the command; `plan` is the descriptor to read the rest from, which no list of processes shows."""
        return (self._program, "--args", str(plan), "--", *worker)

    def plan(self, root: Root, limits: Limits) -> bytes:
        """Write the arguments."""
        return b"".join(argument.encode() + b"\0" for argument in self._arguments(root, limits))

    def _arguments(self, root: Root, limits: Limits) -> Iterator[str]:
        yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
        yield from ("--hostname", "sandbox", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
        if self._own_uid:
            yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
        else:
            yield from ("--unshare-user", "--uid", "1000", "--gid", "1000")
        for name, value in environment().items():
            yield from ("--setenv", name, value)
        for folder in root.folders:
            yield from ("--perms", "0755", "--dir", folder)  # those that it makes by itself are for their owner alone
        for bind in root.binds:
            yield from ("--ro-bind", bind.source, bind.target)
        yield from ("--proc", "/proc", "--perms", "0755", "--size", "65536", "--tmpfs", "/dev")
        for device in DEVICES:  # `--dev` would bring terminals, of which a machine has so many
            yield from ("--dev-bind", f"/dev/{device}", f"/dev/{device}")
        for path in root.hidden:
            yield from ("--ro-bind", "/dev/null", path)
        for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
            yield from ("--symlink", f"/proc/self/fd{target}", f"/dev/{name}")
        for folder, size in sizes(limits).items():
            yield from ("--perms", "1777", "--size", str(size), "--tmpfs", folder)
        for folder in root.empty:
            yield from ("--size", "4096", "--tmpfs", folder, "--remount-ro", folder)
        yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/mnt/data")
