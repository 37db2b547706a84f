"""The sessions in which code of runs is executed: one a thread, on the sandbox that works on this machine."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final

from toolkit.errors import Refused, SandboxUnavailable

if TYPE_CHECKING:
    from toolkit.sandbox.pool import Pool
    from toolkit.sandbox.sandbox import Limits, Sandbox, Session

__all__ = ["Sessions", "Taken", "Unsettled"]

_log = logging.getLogger("toolkit.engine")

PRELUDE = """
for _ in ("numpy", "pandas", "matplotlib.pyplot"):
    try:
        __import__(_)
    except ImportError:
        pass
del _
"""
"""What is imported ahead, since it takes seconds and most code wants it."""


_AGAIN_S: Final = 30.0
"""How long what kept code from being run is believed to be still so: machines that start have much to do."""


class Unsettled(Exception):
    """Nobody has tried lately whether code can be run here: `settle` does."""


@dataclass(slots=True)
class Taken:
    """The session of a thread."""

    session: Session
    id: str
    """Random; what is stored of the thread tells by it whether this is the session it had."""
    paths: set[str] = field(default_factory=set[str])
    """The names under /mnt/data that are taken."""
    put: set[str] = field(default_factory=set[str])
    """The ids of the user's files that are there."""


class Sessions:
    """Sessions of one event loop. `choose` finds the sandbox, the first time that one is needed."""

    def __init__(
        self,
        choose: Callable[[], Awaitable[Sandbox]],
        *,
        memory_bytes: int | None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._choose, self._memory_bytes, self._clock = choose, memory_bytes, clock
        self._pool: Pool | None = None
        self._lacks, self._tried_at = "", -inf
        self._taken: dict[str, Taken] = {}

    @property
    def limits(self) -> Limits:
        """What a session may use."""
        from toolkit.sandbox.sandbox import Limits

        return Limits()

    def require(self) -> None:
        """Do nothing when code can be run here. Raises Refused (400), or Unsettled."""
        if self._pool is not None:
            return
        if self._clock() - self._tried_at >= _AGAIN_S:
            raise Unsettled
        said = f"This engine cannot run the tool 'code_interpreter'. {self._lacks}"
        raise Refused(said, param="tools", code="unsupported_tool")

    async def settle(self) -> None:
        """Find out whether code can be run here, if that is not known to be so."""
        if self._pool is not None:
            return
        from toolkit.sandbox.pool import Pool

        try:
            sandbox = await self._choose()
        except SandboxUnavailable as error:
            self._lacks, self._tried_at = str(error), self._clock()
            return
        if self._pool is None:  # somebody else may have been as fast
            self._pool = Pool(sandbox, self.limits, memory_bytes=self._memory_bytes, prelude=PRELUDE)

    def expect(self) -> None:
        """Make a session ready: some thread will want one soon."""
        if self._pool is not None:
            self._pool.warm()

    async def take(self, thread: str, known: str | None) -> tuple[Taken, bool]:
        """Give a thread's session, and whether it is a new one. Raises SandboxUnavailable.

        `known` is the session that the thread has had last: another one here is of before that, and ends.
        """
        await self.settle()
        if self._pool is None:
            raise SandboxUnavailable(self._lacks)
        before = self._taken.get(thread)
        if before is not None and known not in (None, before.id):
            await self.forget(thread)
        held = await self._pool.session(thread)
        if held.is_new or thread not in self._taken:
            self._taken = {of: taken for of, taken in self._taken.items() if taken.session.ended is None}
            self._taken[thread] = Taken(held.session, secrets.token_hex(8))
            return self._taken[thread], True
        return self._taken[thread], False

    async def forget(self, thread: str, taken: Taken | None = None) -> None:
        """End a thread's session, if it has one here; when `taken` is given, only if it is still that one."""
        if taken is not None and self._taken.get(thread) is not taken:
            return
        if self._taken.pop(thread, None) is not None and self._pool is not None:
            await self._pool.end(thread)

    async def aclose(self) -> None:
        """End all sessions."""
        self._taken.clear()
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()
