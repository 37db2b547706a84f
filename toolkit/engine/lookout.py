"""Looks after the store's runs, once a second, for one worker.

It shows that the worker lives, ends runs whose time is up, takes over the runs of workers that died, goes on with those
that nobody has, and notices what others did to the runs under way here. It sees when files wait to be processed. Now
and then it has swept what is kept for a while only: answers, files and vector stores.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from toolkit.engine import workers
from toolkit.engine.filing import Filing
from toolkit.engine.indexing import Indexing, is_needed
from toolkit.engine.leg import Leg
from toolkit.engine.objects import kept
from toolkit.engine.queue import LocalQueue
from toolkit.engine.store import Store, Tx
from toolkit.errors import StoreUnavailable

__all__ = ["Lookout"]

_log = logging.getLogger("toolkit.engine")

_LOOK_S: Final = 1.0
_SWEPT_AT: Final = 600
"""At every so many looks what is kept for a while only is swept."""
_PATIENCE_S: Final = 10.0
"""How long a worker may stand still before its runs are taken from it. One that died loses them at the next look."""
_FORGOTTEN: Final = 500
"""How many kept answers are forgotten in one transaction."""
_PICKED_UP: Final = 1000
"""How many unattended runs are picked up at one look."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at the store has shown."""

    overdue: Sequence[str]
    to_do: Mapping[str, bool]
    """Runs to go on with, unattended ones and those that this worker has, and whether they have begun."""
    attempts: Mapping[str, int | None]
    """Runs under way here, and their attempt as it is stored."""
    to_index: bool
    """Whether files of vector stores wait."""


class Lookout:
    """Looks after the store for one worker: `expire` ends a run, `lose` lets go of one that others have moved."""

    def __init__(
        self,
        store: Store,
        worker: str,
        clock: Callable[[], float],
        *,
        filing: Filing,
        indexing: Indexing,
        queue: LocalQueue,
        legs: Mapping[str, Leg],
        expire: Callable[[str], Awaitable[None]],
        lose: Callable[[str], None],
    ) -> None:
        self._store, self._worker, self._clock = store, worker, clock
        self._filing, self._indexing = filing, indexing
        self._sweeping: asyncio.Task[None] | None = None
        self._queue, self._legs = queue, legs
        self._expire, self._lose = expire, lose
        self._pulse = workers.Pulse(_PATIENCE_S)
        self._known = self._among_others = False

    async def stand(self) -> None:
        """Look, again and again, until cancelled. A store in trouble is waited for."""
        looks = 0
        in_trouble = False
        try:
            while True:
                try:
                    await self._look(sweep=looks % _SWEPT_AT == 0)
                    in_trouble = False
                except StoreUnavailable as error:
                    if not in_trouble:
                        _log.warning("the runs cannot be looked after for now: %s", error)
                    in_trouble = True
                except Exception:
                    _log.exception("looking after the runs failed, and is tried again")
                looks += 1
                await asyncio.sleep(_LOOK_S)
        finally:
            if self._sweeping is not None:
                self._sweeping.cancel()

    async def _look(self, *, sweep: bool) -> None:
        now = self._clock()
        # Once in any case: a sign of life without a row is never taken away. And as long as others work: who cannot
        # write cannot tell who else might.
        if self._queue.busy or self._indexing.busy or self._among_others or not self._known:
            await self._store.write(lambda tx: workers.beat(tx, self._worker))
            self._known = True
        if sweep and (self._sweeping is None or self._sweeping.done()):  # it takes its time; nobody is to wait for it
            self._sweeping = asyncio.create_task(self._sweep(int(now)))
        await self._take_over(await self._store.read(lambda tx: workers.others(tx, self._worker)))
        legs, tasks = dict(self._legs), self._queue.tasks
        seen = await self._store.read(partial(_seen, worker=self._worker, now=now, legs=legs))
        self._let_lost_go(seen, legs, tasks)
        for run_id in seen.overdue:
            try:
                await self._expire(run_id)
            except Exception:  # the others are not to wait for this one
                _log.exception("run %s could not be expired, which is tried again", run_id)
        for run_id, begun in seen.to_do.items():
            if run_id not in self._queue:
                self._queue.put(run_id, resumed=begun)
        if seen.to_index:
            self._indexing.wake()

    async def _sweep(self, now: int) -> None:
        """Forget what was kept for a while only."""
        try:
            forget = partial(kept.forget, now=now, limit=_FORGOTTEN)
            while await self._store.write(forget) == _FORGOTTEN:
                pass
            await self._filing.sweep(now)
            await self._indexing.sweep(now)
        except StoreUnavailable:  # logged by the store
            pass
        except Exception:
            _log.exception("sweeping failed, and is tried again")

    async def _take_over(self, others: Sequence[workers.Other]) -> None:
        """Free the runs of the workers that are gone, and of those that have stood still for too long."""
        self._among_others = any(other.busy for other in others)
        looked_at = time.monotonic()
        stopped = self._pulse.stopped(others, looked_at)

        def forget(tx: Tx, other: workers.Other, gone: bool) -> bool:
            if not gone and time.monotonic() - looked_at > _LOOK_S:  # we waited to write, and so may it have
                return False
            return workers.forget(tx, other)

        for other in others:
            gone = self._store.is_gone(other.id)
            if (gone or other in stopped) and await self._store.write(partial(forget, other=other, gone=gone)):
                _log.info("worker %s is gone; its runs are taken over", other.id)
                self._store.disappear(other.id)

    def _let_lost_go(self, seen: _Seen, legs: Mapping[str, Leg], tasks: Mapping[str, asyncio.Task[None]]) -> None:
        """Stop working on runs, and waiting for room with them, that others have ended or taken since."""
        for run_id, leg in legs.items():
            if self._legs.get(run_id) is leg and seen.attempts[run_id] != leg.run.attempt:
                self._lose(run_id)
                self._queue.abort(run_id)
        still = self._queue.tasks
        for run_id, task in tasks.items():
            in_line = run_id not in legs and run_id not in self._legs and still.get(run_id) is task
            if in_line and run_id not in seen.to_do:
                self._lose(run_id)
                self._queue.abort(run_id)


def _seen(tx: Tx, *, worker: str, now: float, legs: Collection[str]) -> _Seen:
    rows = [
        *tx.all("run.unattended", now=now, limit=_PICKED_UP),
        *tx.all("run.held", owner=worker),  # which is not in the queue any more when an error of the store threw it out
    ]
    attempts = {run_id: tx.one("run.attempt", id=run_id) for run_id in legs}
    return _Seen(
        overdue=[row["id"] for row in tx.all("run.overdue", now=now)],
        to_do={row["id"]: row["status"] != "queued" or row["turns"] > 0 for row in rows},
        attempts={run_id: row["attempt"] if row else None for run_id, row in attempts.items()},
        to_index=is_needed(tx),
    )
