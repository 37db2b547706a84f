"""The seam to whoever executes queued runs, and its implementation inside one process.

A run is a row, not a task: a queue only carries ids, and may carry one twice, since taking a run is a compare-and-set
in the store. So this queue needs no storage: what it forgets when the process dies is found again in the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

__all__ = ["LocalQueue", "Queue"]

_log = logging.getLogger("toolkit.engine")


class Queue(Protocol):
    """Executes queued runs, somewhere, soon."""

    def put(self, run_id: str) -> None:
        """See to it that `advance(run_id)` is called."""
        ...

    def abort(self, run_id: str) -> None:
        """Stop working on a run that has been ended by somebody else. Harmless when nobody works on it here."""
        ...

    async def aclose(self) -> None:
        """Stop everything that is under way here."""
        ...


class LocalQueue:
    """Executes runs as tasks of the running event loop, at most `concurrency` at once."""

    def __init__(self, advance: Callable[[str], Awaitable[None]], concurrency: int) -> None:
        self._advance = advance
        self._room = asyncio.Semaphore(concurrency)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def busy(self) -> bool:
        """Whether any run is being executed or waits for room here."""
        return bool(self._tasks)

    def __contains__(self, run_id: str) -> bool:
        """Whether a run is being executed or waits for room here."""
        return run_id in self._tasks

    def put(self, run_id: str) -> None:
        """Start executing a run, or as soon as there is room. One that is on its way out may be put again at once."""
        before = self._tasks.get(run_id)
        task = asyncio.create_task(self._work(run_id, before), name=f"run {run_id}")
        self._tasks[run_id] = task
        task.add_done_callback(lambda done: self._forget(run_id, done))

    def abort(self, run_id: str) -> None:
        """Cancel the task of a run."""
        if task := self._tasks.get(run_id):
            task.cancel()

    async def aclose(self) -> None:
        """Cancel every task, and wait for their ends."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, run_id: str, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        async with self._room:
            try:
                await self._advance(run_id)
            except Exception:  # of the store, most likely; what has not moved is found there again
                _log.exception("run %s did not get on", run_id)

    def _forget(self, run_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(run_id) is task:
            del self._tasks[run_id]
