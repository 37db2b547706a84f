"""Which wall stands on this machine: each is tried for real, the strongest first, and the first that stands is it.

Where none stands there is none: code never runs without one.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from toolkit.errors import SandboxUnavailable
from toolkit.kernel.calls import machine
from toolkit.kernel.privileges import own_uid
from toolkit.sandbox.bubblewrap import Bubblewrap, bwrap
from toolkit.sandbox.namespaces import Namespaces
from toolkit.sandbox.packages import extra, parts
from toolkit.sandbox.printed import MARK_BYTES
from toolkit.sandbox.root import Root, root, told, worker
from toolkit.sandbox.sandbox import Limits
from toolkit.sandbox.session import WalledSession
from toolkit.sandbox.starting import start

__all__ = ["Wall", "Walled", "available", "walls"]

_LAST: Final = "; without any wall only for who says --unsafe-code-interpreter."
_REMEDY: Final = (
    "Install bubblewrap (Debian and Ubuntu: apt install bubblewrap), or allow user namespaces: in a container, run it "
    "with a seccomp profile that lets unshare and mount through; on a host, sysctl -w user.max_user_namespaces=10000, "
    "and on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0. "
    f"Or use containers of Docker or Podman (--sandbox-image){_LAST}"
)


class Wall(Protocol):
    """One way to start a process behind a wall."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def command(self, plan: int, worker: Sequence[str]) -> Sequence[str]:
        """Give the command that puts the wall up and runs the worker; `plan` is the descriptor of the plan."""
        ...

    def plan(self, root: Root, limits: Limits) -> bytes:
        """Write what the command is told about the wall."""
        ...


class Walled:
    """A Sandbox of processes on this machine, behind one kind of wall."""

    own_kernel = False

    def __init__(self, wall: Wall, root: Root, *, own_uid: bool) -> None:
        self.wall = wall
        self.own_uid = own_uid
        """Whether each session is a user of its own, whom nothing else belongs to."""
        self._root = root

    @property
    def name(self) -> str:
        """What the wall is called."""
        return self.wall.name

    async def open(self, limits: Limits) -> WalledSession:
        """Start a session."""
        word = secrets.token_bytes(MARK_BYTES)
        said = worker(told(word, limits, uid=_own_uid() if self.own_uid else None))
        try:
            plan = os.memfd_create("plan", 0)
            try:
                os.write(plan, self.wall.plan(self._root, limits))
                os.lseek(plan, 0, os.SEEK_SET)
                return await start(self.wall.command(plan, said), word, limits, environment={}, told=plan)
            finally:
                os.close(plan)
        except OSError as error:
            raise SandboxUnavailable(f"A session could not be started behind {self.name}: {error}") from error


def walls() -> Iterator[tuple[Wall, bool]]:
    """Give the walls that may stand here, the strongest first, and whether sessions are users of their own there.

    Who can give them one always does: limits on processes do not hold for the machine's root, by whatever name.
    """
    program, own = bwrap(), _own_uid() is not None
    if program is not None:
        yield Bubblewrap(program, own_uid=own), own
    yield Namespaces(own_uid=own), own


async def available(packages: Iterable[str] | None = None) -> Walled:
    """Give the sandbox that works here. Raises SandboxUnavailable, which says what to install or to allow.

    `packages` are those that sessions can import; the `[sandbox]` extra's when not given.
    """
    if sys.platform != "linux" or machine() is None:
        raise SandboxUnavailable(
            "code_interpreter needs Linux on x86-64 or arm64 for its wall. Elsewhere it runs in containers of Docker "
            f"or Podman (--sandbox-image), or in a virtual machine{_LAST}"
        )
    seen = await asyncio.to_thread(lambda: root(parts(extra() if packages is None else packages)))
    said: list[str] = []
    for wall, own in walls():
        sandbox = Walled(wall, seen, own_uid=own)
        try:
            session = await sandbox.open(Limits())
        except SandboxUnavailable as error:
            said.append(str(error))
        else:
            await session.aclose()
            return sandbox
    raise SandboxUnavailable("\n".join(["code_interpreter needs a wall around the code. " + _REMEDY, *said]))


def _own_uid() -> int | None:
    """Choose a user id of its own for a session, where we may give one."""
    if os.geteuid() != 0:
        return None
    return own_uid(Path("/proc/self/uid_map").read_text(encoding="ascii"), secrets.randbelow)
