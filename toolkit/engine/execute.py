"""Everything that makes runs move, for whoever serves them: start, submit, cancel, read, listen.

A waiting run is only a row. What lives in this process is the work under way (`queue.py`, `leg.py`), the feeds that
listeners hear, and one task that looks after the store once a second: it renews the leases of the runs under way here,
ends runs whose time is up, and picks up runs that nobody attends to any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial
from typing import Final

from toolkit.engine import moves
from toolkit.engine.events import broken_off, closing, replay
from toolkit.engine.feeds import Feed, Feeds
from toolkit.engine.jsontext import id_of
from toolkit.engine.leg import Leg, Rooms
from toolkit.engine.objects import runs, threads
from toolkit.engine.objects.answers import answers_of
from toolkit.engine.objects.kept import KEPT_S, Answer, Key, once
from toolkit.engine.objects.runs import CreateRun, CreateThreadAndRun, Event, LastError, Run, SubmitToolOutputs
from toolkit.engine.objects.steps import steps_of
from toolkit.engine.queue import LocalQueue
from toolkit.engine.states import ACTIVE
from toolkit.engine.store import Tx
from toolkit.errors import Refused

__all__ = ["Execution"]

_log = logging.getLogger("toolkit.engine")

_LEASE_S: Final = 5.0
_LOOK_S: Final = 1.0
_GLANCE_S: Final = 0.25
_MOVING: Final = frozenset({"queued", "in_progress", "cancelling"})
"""States that a run leaves by itself, so that it is worth waiting for."""


class Execution:
    """Executes runs. `await start()` before, `await aclose()` after; both on the loop that serves."""

    def __init__(self, rooms: Rooms, *, concurrency: int, run_expires_s: int) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._expires_s = run_expires_s
        self._owner = secrets.token_hex(8)
        self._queue = LocalQueue(self._advance, concurrency)
        self._feeds = Feeds()
        self._legs: dict[str, Leg] = {}
        self._looking: asyncio.Task[None] | None = None
        self._followers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to look after the store's runs, those that another process left behind included."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_after(), name="look after runs")

    async def aclose(self) -> None:
        """Stop. Runs under way are let go, for whoever opens the store next to go on with."""
        tasks = [task for task in (self._looking, *self._followers) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._queue.aclose()
        try:
            await self._store.write(lambda tx: tx.run("run.renew", owner=self._owner, until=0))
        except Exception:
            _log.exception("the leases could not be given back, and run out by themselves")

    # What clients ask for. Each returns the run's JSON text; with `streamed`, `listen` then tells the leg's events.

    async def create_run(
        self, project: str, thread_id: str, request: CreateRun, *, key: Key | None = None, streamed: bool = False
    ) -> str:
        """Start a run on a thread. Raises Refused."""

        def work(tx: Tx) -> str:
            return self._insert(tx, project, thread_id, request).wire

        return await self._started(project, key, work, streamed)

    async def create_thread_and_run(
        self, project: str, request: CreateThreadAndRun, *, key: Key | None = None, streamed: bool = False
    ) -> str:
        """Make a thread and start a run on it, or neither. Raises Refused."""

        created: list[Event] = []

        def work(tx: Tx) -> str:
            thread = threads.create(tx, project, request.thread or threads.CreateThread(), self._now())
            created.append(("thread.created", thread))
            return self._insert(tx, project, id_of(thread), request).wire

        return await self._started(project, key, work, streamed, created)

    async def submit(
        self,
        project: str,
        thread_id: str,
        run_id: str,
        request: SubmitToolOutputs,
        *,
        key: Key | None = None,
        streamed: bool = False,
    ) -> str:
        """Hand in the outputs a run waits for. Raises Refused, and then the run keeps waiting."""
        await self.read_run(project, thread_id, run_id)  # a run whose time is up expires now
        told: list[Event] = []

        def work(tx: Tx) -> str:
            run, now = runs.load(tx, project, thread_id, run_id), self._rooms.clock()
            outputs = runs.outputs_of(request)
            moved = moves.submit(tx, run, outputs, now, owner=self._owner, lease_until=now + _LEASE_S)
            told.extend(moved.events)
            return moved.run.wire

        answer = await self._store.write(once(project, key, self._now(), work))
        if not answer.repeated:
            self._set_going(run_id, told, streamed)
        return answer.text

    async def cancel(self, project: str, thread_id: str, run_id: str, *, key: Key | None = None) -> str:
        """End a run and free its thread, at once. Raises Refused when it is over already."""
        told: list[moves.Moved] = []

        def work(tx: Tx) -> str:
            run = runs.load(tx, project, thread_id, run_id)
            told.append(moves.end(tx, run, "cancel", self._now(), text=self._written(run_id)))
            return told[-1].run.wire

        answer = await self._store.write(once(project, key, self._now(), work))
        for moved in told:
            self._ended_from_outside(moved)
        return answer.text

    async def read_run(self, project: str, thread_id: str, run_id: str, *, hold_s: float = 0) -> Run:
        """Read a run; with `hold_s`, wait so long at most until it needs somebody or is over. Raises Refused (404)."""
        load = partial(runs.load, project=project, thread_id=thread_id, run_id=run_id)
        news = self._feeds.news(run_id)  # before the read, so that nothing falls in between
        run = await self._store.read(load)
        if run.status in _MOVING and hold_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), hold_s)
            run = await self._store.read(load)
        if run.status in ACTIVE and run.expires_at <= self._rooms.clock():
            await self._expire(run_id)
            run = await self._store.read(load)
        return run

    async def delete_thread(self, project: str, thread_id: str, *, key: Key | None = None) -> str:
        """Delete a thread with all that is in it; its run is ended first. Raises Refused (404)."""
        told: list[moves.Moved] = []

        def work(tx: Tx) -> str:
            row = tx.one("run.active_of", thread=thread_id, project=project)
            if row is not None:
                told.append(moves.end(tx, runs.run_of(row), "cancel", self._now(), text=self._written(row["id"])))
            return threads.delete(tx, project, thread_id)

        answer = await self._store.write(once(project, key, self._now(), work))
        for moved in told:
            self._ended_from_outside(moved)
        return answer.text

    async def listen(self, project: str, run: str) -> AsyncIterator[bytes]:
        """Tell the events of a run's present leg, as frames ready to be sent, to their end; `run` is its JSON text.

        A leg that is not under way in this process any more is told again from what is stored.
        """
        run_id = id_of(run)
        feed = self._feeds.get(run_id)
        if feed is not None:
            async for chunk in feed.listen():
                yield chunk
            return
        thread_id: str = json.loads(run)["thread_id"]
        try:
            now = await self._settled(project, thread_id, run_id)
        except Refused as gone:  # its thread was deleted since
            yield broken_off(gone)
            return
        steps, written = await self._store.read(lambda tx: (steps_of(tx, run_id), answers_of(tx, run_id)))
        yield replay(now.status, now.wire, steps, written)

    async def _settled(self, project: str, thread_id: str, run_id: str) -> Run:
        """Wait until a run needs somebody or is over, wherever it is executed."""
        while (run := await self.read_run(project, thread_id, run_id, hold_s=_GLANCE_S)).status in _MOVING:
            pass
        return run

    # How runs are set going and ended

    def _insert(self, tx: Tx, project: str, thread_id: str, request: CreateRun | CreateThreadAndRun) -> Run:
        return runs.create(
            tx,
            project,
            thread_id,
            request,
            self._now(),
            expires_s=self._expires_s,
            owner=self._owner,
            lease_until=self._rooms.clock() + _LEASE_S,
        )

    async def _started(
        self, project: str, key: Key | None, work: Callable[[Tx], str], streamed: bool, before: Sequence[Event] = ()
    ) -> str:
        answer: Answer = await self._store.write(once(project, key, self._now(), work))
        if not answer.repeated:
            events = [*before, ("thread.run.created", answer.text), ("thread.run.queued", answer.text)]
            self._set_going(id_of(answer.text), events, streamed)
        return answer.text

    def _set_going(self, run_id: str, events: Sequence[Event], streamed: bool) -> None:
        self._feeds.begin(run_id, events if streamed else None)
        self._queue.put(run_id)

    async def _advance(self, run_id: str) -> None:
        """Claim a run and take it as far as it gets: the body of a queued job."""

        def work(tx: Tx) -> tuple[Leg, Sequence[Event]] | None:
            claimed = moves.claim(tx, run_id, self._owner, self._rooms.clock(), _LEASE_S)
            if claimed is None:
                return None
            leg = Leg(self._rooms, claimed.run)
            leg.read(tx)  # here, since a second way to the store costs more than what is done there
            return leg, claimed.events

        taken = await self._store.write(work)
        feed = self._feeds.get(run_id)
        if taken is None:
            if feed is not None and not feed.ended:
                self._lose(run_id)
            return
        leg, events = taken
        self._legs[run_id] = leg
        if feed is not None:
            feed.publish(events)
        try:
            await leg.go(feed)
        except moves.Fenced:
            if self._legs.get(run_id) is leg:
                self._lose(run_id)
            return
        except Exception:
            _log.exception("run %s failed", run_id)
            await self._fail(leg)
        finally:
            if self._legs.get(run_id) is leg:
                del self._legs[run_id]
        self._feeds.end(run_id, feed)

    async def _fail(self, leg: Leg) -> None:
        error = LastError("server_error", "Sorry, something went wrong.")
        with contextlib.suppress(moves.Fenced):
            moved = await self._store.write(
                lambda tx: moves.end(tx, leg.run, "fail", self._now(), error=error, text=leg.text)
            )
            self._feeds.publish(leg.run.id, moved.events)

    async def _expire(self, run_id: str) -> None:
        def work(tx: Tx) -> moves.Moved | None:
            row = tx.one("run.by_id", id=run_id)
            if row is None or row["status"] not in ACTIVE or row["expires_at"] > self._rooms.clock():
                return None
            return moves.end(tx, runs.run_of(row), "expire", self._now(), text=self._written(run_id))

        if moved := await self._store.write(work):
            self._ended_from_outside(moved)

    def _ended_from_outside(self, moved: moves.Moved) -> None:
        run_id = moved.run.id
        self._feeds.publish(run_id, moved.events)
        self._feeds.end(run_id, self._feeds.get(run_id))
        self._queue.abort(run_id)

    def _lose(self, run_id: str) -> None:
        """Let go of a run that another process has claimed or ended; listeners here are told how it goes there."""
        _log.info("run %s was moved by somebody else", run_id)
        leg, feed = self._legs.pop(run_id, None), self._feeds.get(run_id)
        follower = asyncio.create_task(self._follow(run_id, leg.begun if leg else (), feed), name=f"follow {run_id}")
        self._followers.add(follower)
        follower.add_done_callback(self._followers.discard)

    async def _follow(self, run_id: str, begun: Collection[str], feed: Feed | None) -> None:
        run = await self._store.read(lambda tx: tx.one("run.by_id", id=run_id))
        if run is not None:
            with contextlib.suppress(Refused):  # 404: its thread was deleted
                now = await self._settled(run["project"], run["thread"], run_id)
                steps, written = await self._store.read(lambda tx: (steps_of(tx, run_id), answers_of(tx, run_id)))
                if feed is not None:
                    feed.publish(closing(now.status, now.wire, steps, written, begun))
        self._feeds.end(run_id, feed)

    def _written(self, run_id: str) -> str:
        leg = self._legs.get(run_id)
        return leg.text if leg is not None else ""

    # Looking after the store

    async def _look_after(self) -> None:
        looks = 0
        while True:
            try:
                await self._look(sweep=looks % 600 == 0)
            except Exception:
                _log.exception("looking after the runs failed, and is tried again")
            looks += 1
            await asyncio.sleep(_LOOK_S)

    async def _look(self, *, sweep: bool) -> None:
        now = self._rooms.clock()
        if self._queue.busy:
            await self._store.write(lambda tx: tx.run("run.renew", owner=self._owner, until=now + _LEASE_S))
        if sweep:
            await self._store.write(lambda tx: tx.run("kept.sweep", before=int(now) - KEPT_S))
        legs = dict(self._legs)
        overdue, unattended, held, attempts = await self._store.read(
            lambda tx: (
                tx.all("run.overdue", now=now),
                tx.all("run.unattended", now=now),
                tx.all("run.held", owner=self._owner),
                {run_id: tx.one("run.by_id", id=run_id) for run_id in legs},
            )
        )
        for run_id, leg in legs.items():
            row = attempts[run_id]
            if self._legs.get(run_id) is leg and (row is None or row["attempt"] != leg.run.attempt):
                self._lose(run_id)
                self._queue.abort(run_id)
        for row in overdue:
            try:
                await self._expire(row["id"])
            except Exception:  # the others are not to wait for this one
                _log.exception("run %s could not be expired, which is tried again", row["id"])
        for row in (*unattended, *held):  # held and not in the queue: an error of the store threw it out
            if row["id"] not in self._queue:
                self._queue.put(row["id"])

    def _now(self) -> int:
        return int(self._rooms.clock())
