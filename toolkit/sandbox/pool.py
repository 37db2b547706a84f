"""The sessions that are alive: one a thread, some ready for threads to come, and an end for those that nobody uses."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic
from typing import Final

from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.sandbox import Limits, Sandbox, Session

__all__ = ["Held", "Pool"]

_log = logging.getLogger(__name__)

_LOOK_S: Final = 2.0
_FRESH_S: Final = 5.0
"""How long a session that has been given out waits for its first call."""
_MOST_BYTES: Final = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Held:
    """The session of a thread; `is_new` says that it has none of the variables and files of an earlier one."""

    session: Session
    is_new: bool


class Pool:
    """Keeps sessions; all together take at most `memory_bytes`, and each may be unused for `idle_s` at most.

    Past either, the least recently used ones end, but none in the middle of a call or just before it. Memory is what
    their processes have for themselves and in files, as the sessions say; by default 4 GiB are theirs, or half of the
    machine's where that is less. `spare` sessions are ready ahead, and have run `prelude`, code of ours that imports
    what takes long.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        limits: Limits,
        *,
        memory_bytes: int | None = None,
        idle_s: float = 3600.0,
        spare: int = 1,
        prelude: str = "",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._sandbox, self._limits = sandbox, limits
        self._memory_bytes = _half() if memory_bytes is None else memory_bytes
        self._idle_s, self._clock = idle_s, clock
        self._sessions: dict[str, Session] = {}
        """Thread -> its session, the least recently used first."""
        self._used_at: dict[str, float] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._spare_wanted, self._prelude = spare, prelude
        self._spare: list[asyncio.Task[Session]] = []
        self._looking: asyncio.Task[None] | None = None

    def warm(self) -> None:
        """Begin to make sessions ready for threads to come."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        while len(self._spare) < self._spare_wanted:
            self._spare.append(asyncio.create_task(self._ready()))

    @property
    def is_warm(self) -> bool:
        """Whether as many sessions are ready as are wanted."""
        return len(self._spare) >= self._spare_wanted and all(each.done() for each in self._spare)

    async def session(self, thread: str) -> Held:
        """Give a thread's session, a new one when it has none any more. Raises SandboxUnavailable."""
        async with self._turns.setdefault(thread, asyncio.Lock()):
            session = self._sessions.pop(thread, None)
            is_new = session is None or session.ended is not None
            if session is None or session.ended is not None:
                if session is not None:
                    await session.aclose()
                session = await self._open()
            self._sessions[thread] = session
            self._used_at[thread] = self._clock()
        if is_new:
            await self.tidy()
        return Held(session, is_new)

    async def end(self, thread: str) -> None:
        """End a thread's session, if it has one."""
        self._used_at.pop(thread, None)
        turn = self._turns.get(thread)
        if turn is not None and not turn.locked():
            del self._turns[thread]
        session = self._sessions.pop(thread, None)
        if session is not None:
            await session.aclose()

    async def tidy(self) -> None:
        """End what has ended by itself, what nobody has used for long, and what there is no memory for."""
        for thread, session in list(self._sessions.items()):
            if session.ended is not None or (self._unused_s(thread) >= self._idle_s and not session.is_busy):
                await self.end(thread)
        for thread, session in list(self._sessions.items()):
            if self._taken_bytes() <= self._memory_bytes:
                return
            if not session.is_busy and self._unused_s(thread) >= _FRESH_S:
                await self.end(thread)

    def _unused_s(self, thread: str) -> float:
        """Say for how long nobody has asked for a thread's session; others may end it while we look."""
        now = self._clock()
        return now - self._used_at.get(thread, now)

    def _taken_bytes(self) -> int:
        ready = [each.result() for each in self._spare if each.done() and not each.cancelled() and not each.exception()]
        return sum(each.memory_bytes for each in [*self._sessions.values(), *ready])

    async def aclose(self) -> None:
        """End all sessions."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
            self._looking = None
        spare, self._spare = self._spare, []
        for task in spare:
            task.cancel()
        for each in await asyncio.gather(*spare, return_exceptions=True):
            if not isinstance(each, BaseException):
                await each.aclose()
        await asyncio.gather(*(self.end(thread) for thread in list(self._sessions)))

    async def _open(self) -> Session:
        """Take one that is ready, and begin to make the next ready; while none is, start one that has nothing ahead."""
        while ready := next((each for each in self._spare if each.done()), None):
            self._spare.remove(ready)
            try:
                session = await ready
            except SandboxUnavailable:
                continue  # it may be otherwise by now
            if session.ended is None:
                self.warm()
                return session
            await session.aclose()
        session = await self._sandbox.open(self._limits)
        self.warm()
        return session

    async def _ready(self) -> Session:
        session = await self._sandbox.open(self._limits)
        try:
            async with aclosing(session.execute(self._prelude, self._limits)) as outputs:
                async for _ in outputs:
                    pass
        except BaseException:
            await session.aclose()
            raise
        return session

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self.tidy()
            except OSError:
                _log.exception("sessions could not be tidied")


def _half() -> int:
    """Give half of the machine's memory, or what sessions need at most."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # systems that do not say
        return _MOST_BYTES
    return min(there // 2, _MOST_BYTES)
