"""The seam to whoever executes queued runs, and its implementation inside one process.

A run is a row, not a task: a queue only carries ids, and may carry one twice, since taking a run is a compare-and-set
in the store. So this queue needs no storage: what it forgets when the process dies is found again in the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from toolkit.errors import StoreUnavailable

__all__ = ["LocalQueue", "Queue"]

_log = logging.getLogger("toolkit.engine")


Pause = Callable[[float], Awaitable[None]]
"""Waits for so many seconds, and lets others have the place meanwhile."""


class Queue(Protocol):
    """Executes queued runs, somewhere, soon."""

    def put(self, run_id: str, *, resumed: bool = False) -> None:
        """See to it that `advance(run_id, pause)` is called; those `resumed` go before those that have not begun."""
        ...

    def abort(self, run_id: str) -> None:
        """Stop working on a run that has been ended by somebody else. Harmless when nobody works on it here."""
        ...

    async def aclose(self, *, drain_s: float = 0) -> None:
        """Begin nothing more, give what is under way here `drain_s` to end by itself, then stop it."""
        ...


class LocalQueue:
    """Executes runs as tasks of the running event loop, at most `concurrency` at once."""

    def __init__(self, advance: Callable[[str, Pause], Awaitable[None]], concurrency: int) -> None:
        self._advance = advance
        self._room = _Room(concurrency)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    @property
    def busy(self) -> bool:
        """Whether any run is being executed or waits for room here."""
        return bool(self._tasks)

    @property
    def waiting(self) -> int:
        """How many runs wait for room."""
        return self._room.waiting

    @property
    def working(self) -> int:
        """How many runs are being executed."""
        return self._room.taken

    @property
    def tasks(self) -> Mapping[str, asyncio.Task[None]]:
        """The tasks that execute runs or wait for room, by run, as of now."""
        return dict(self._tasks)

    def __contains__(self, run_id: str) -> bool:
        """Whether a run is being executed or waits for room here."""
        return run_id in self._tasks

    def put(self, run_id: str, *, resumed: bool = False) -> None:
        """Start executing a run, or as soon as there is room. One that is on its way out may be put again at once."""
        if self._closing:
            return
        before = self._tasks.get(run_id)
        task = asyncio.create_task(self._work(run_id, before, resumed), name=f"run {run_id}")
        self._tasks[run_id] = task
        task.add_done_callback(lambda done: self._forget(run_id, done))

    def abort(self, run_id: str) -> None:
        """Cancel the task of a run."""
        if task := self._tasks.get(run_id):
            task.cancel()

    async def aclose(self, *, drain_s: float = 0) -> None:
        """Begin nothing more, wait so long for what is under way, then cancel every task and wait for their ends."""
        self._closing = True
        self._room.close()
        if drain_s and self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=drain_s)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, run_id: str, before: asyncio.Task[None] | None, resumed: bool) -> None:
        if before is not None and not before.done():
            try:
                await asyncio.wait([before])
            except asyncio.CancelledError:
                before.cancel()  # whoever wants no more work on this run means that as well
                raise
        if self._closing:
            return
        async with self._room.place(first=resumed) as place:
            try:
                await self._advance(run_id, place.pause)
            except StoreUnavailable as error:  # what has not moved is found there again
                _log.info("run %s waits for the store: %s", run_id, error)
            except Exception:
                _log.exception("run %s did not get on", run_id)

    def _forget(self, run_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(run_id) is task:
            del self._tasks[run_id]


class _Room:
    """So many places, given in order of asking; those who ask to be first come before the others."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self.taken = self.waiting = 0

    @asynccontextmanager
    async def place(self, *, first: bool) -> AsyncGenerator[_Place]:
        """Have a place. Raises CancelledError in those who wait for one when the room is closed."""
        place = _Place(self)
        await place.take(first=first)
        try:
            yield place
        finally:
            place.leave()

    def close(self) -> None:
        """Send those away who wait."""
        for turn in (*self._first, *self._others):
            turn.cancel()

    async def take(self, *, first: bool) -> None:
        """Get a place, now or when there is one."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(self._first if first else self._others)
        self.taken += 1

    def leave(self) -> None:
        """Give a place back."""
        self.taken -= 1
        self._give_on()

    async def _wait(self, line: deque[asyncio.Future[None]]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        self.waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_on()  # the place came at the very moment of leaving
            raise
        finally:
            self.waiting -= 1

    def _give_on(self) -> None:
        for line in (self._first, self._others):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


class _Place:
    """One place in a room, while it is held."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._held = False

    async def take(self, *, first: bool) -> None:
        await self._room.take(first=first)
        self._held = True

    def leave(self) -> None:
        if self._held:
            self._held = False
            self._room.leave()

    async def pause(self, seconds: float) -> None:
        """Wait without the place, and come back to it before those who have not begun."""
        self.leave()
        await asyncio.sleep(seconds)
        await self.take(first=True)
