"""Everything that makes runs move, for whoever serves them: start, submit, cancel, read, listen.

A waiting run is only a row. What lives in this process is the work under way (`queue.py`, `leg.py`), the feeds that
listeners hear, and one task that looks after the store (`lookout.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextvars import Context
from functools import partial
from typing import Final

from toolkit.engine import moves, workers
from toolkit.engine.code.sessions import Unsettled
from toolkit.engine.feeds import Feed, Feeds
from toolkit.engine.following import Following
from toolkit.engine.indexing import Indexing
from toolkit.engine.jsontext import id_of
from toolkit.engine.leg import Leg
from toolkit.engine.logs import about
from toolkit.engine.lookout import Lookout
from toolkit.engine.objects import references, runs, threads
from toolkit.engine.objects.kept import Answer, Key, once
from toolkit.engine.objects.runs import Event, LastError, Run, SubmitToolOutputs
from toolkit.engine.objects.settings import CreateRun, CreateThreadAndRun
from toolkit.engine.queue import LocalQueue, Pause
from toolkit.engine.rooms import Rooms
from toolkit.engine.states import ACTIVE, ENDED, MOVING
from toolkit.engine.store import Tx
from toolkit.errors import StoreUnavailable

__all__ = ["Execution"]

_log = logging.getLogger("toolkit.engine")

_GIVEN_BACK_S: Final = 1.0


class _LeftToOthers(Exception):
    """There is no model here for a run that another engine began: one that has it goes on with it, or its time ends."""


class Execution:
    """Executes runs. `await start()` before, `await aclose()` after; both on the loop that serves."""

    def __init__(self, rooms: Rooms, indexing: Indexing, *, concurrency: int, run_expires_s: int) -> None:
        self._rooms, self._indexing = rooms, indexing
        self._store, self._sessions = rooms.store, rooms.interpreting.sessions
        self._expires_s = run_expires_s
        self._worker = secrets.token_hex(8)
        self._queue = LocalQueue(self._advance, concurrency)
        self._feeds = Feeds()
        self._following = Following(self._store, self._feeds, self.read_run)
        self._legs: dict[str, Leg] = {}
        self._lookout = Lookout(
            self._store,
            self._worker,
            rooms.clock,
            filing=rooms.filing,
            indexing=indexing,
            queue=self._queue,
            legs=self._legs,
            expire=self._expire,
            lose=self._lose,
        )
        self._standing: list[asyncio.Task[None]] = []
        self.closing = False
        """Whether this worker begins nothing more."""

    @property
    def waiting(self) -> int:
        """How many runs wait for room here."""
        return self._queue.waiting

    @property
    def working(self) -> int:
        """How many runs are being executed here."""
        return self._queue.working

    async def start(self) -> None:
        """Begin to look after the store's runs, those that another process left behind included."""
        if not self._standing:
            self._store.appear(self._worker)
            nobody = Context()  # they do not work for the request with which they began
            self._standing = [
                asyncio.create_task(self._lookout.stand(), name="look after runs", context=nobody),
                asyncio.create_task(self._indexing.stand(self._worker), name="process files", context=nobody),
            ]

    async def aclose(self, *, drain_s: float = 0) -> None:
        """Stop: begin nothing more, give the runs under way `drain_s` to get on, and let the rest go.

        Whoever else works on the store, or opens it next, goes on with them.
        """
        self.closing = True
        await self._give_back(lambda tx: tx.run("run.let_wait", owner=self._worker))
        await self._queue.aclose(drain_s=drain_s)
        for task in self._standing:
            task.cancel()
        await asyncio.gather(*self._standing, return_exceptions=True)
        await self._following.aclose()
        await self._sessions.aclose()
        await self._give_back(lambda tx: workers.leave(tx, self._worker))
        self._store.disappear(self._worker)

    async def _give_back(self, work: Callable[[Tx], object]) -> None:
        """Let runs go, if that can be done soon; else they are taken over when this worker is found gone."""
        try:
            async with asyncio.timeout(_GIVEN_BACK_S):
                await self._store.write(work)
        except (StoreUnavailable, TimeoutError) as error:
            _log.info("runs were not given back: %s", type(error).__name__)

    # What clients ask for. Each returns the run's JSON text; with `streamed`, `listen` then tells the leg's events.

    async def create_run(
        self,
        project: str,
        thread_id: str,
        request: CreateRun,
        *,
        key: Key | None = None,
        streamed: bool = False,
        contents: bool = False,
    ) -> str:
        """Start a run on a thread; listeners get the contents of results of file_search if wanted. Raises Refused."""

        def work(tx: Tx) -> str:
            return self._insert(tx, project, thread_id, request).wire

        return await self._started(project, key, work, streamed, contents=contents)

    async def create_thread_and_run(
        self, project: str, request: CreateThreadAndRun, *, key: Key | None = None, streamed: bool = False
    ) -> str:
        """Make a thread and start a run on it, or neither. Raises Refused."""

        created: list[Event] = []

        def work(tx: Tx) -> str:
            with references.below("thread"):
                thread = threads.create(tx, project, request.thread or threads.CreateThread(), self._now())
            created[:] = [("thread.created", thread)]
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
            run = runs.load(tx, project, thread_id, run_id)
            outputs = runs.outputs_of(request)
            moved = moves.submit(tx, run, outputs, self._rooms.clock(), owner=self._taker(tx))
            told.extend(moved.events)
            return moved.run.wire

        answer = await self._store.write(once(project, key, self._now(), work))
        if not answer.repeated:
            self._set_going(answer.text, told, streamed, resumed=True)
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
        if run.status in MOVING and hold_s > 0:
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
        await self._sessions.forget(thread_id)
        return answer.text

    async def listen(self, project: str, run: str) -> AsyncIterator[bytes]:
        """Tell the events of a leg, as frames ready to be sent, to their end; `run` is the answer that it began with.

        A leg that is not under way in this process, or not any more, is told from what is stored of its run.
        """
        run_id = id_of(run)
        feed = self._feeds.get(run_id)
        if feed is not None and feed.leg == run:
            async for chunk in feed.listen():
                yield chunk
            return
        async for chunk in self._following.replayed(project, run):
            yield chunk

    # How runs are set going and ended

    def _taker(self, tx: Tx) -> str | None:
        """Say who has a run that is set going here: this worker, or nobody when it takes no more."""
        if self.closing:
            return None
        workers.beat(tx, self._worker)
        return self._worker

    def _insert(self, tx: Tx, project: str, thread_id: str, request: CreateRun | CreateThreadAndRun) -> Run:
        now = self._rooms.clock()
        owner, require = self._taker(tx), self._sessions.require
        return runs.create(
            tx, project, thread_id, request, now, expires_s=self._expires_s, owner=owner, can_run_code=require
        )

    async def _started(
        self,
        project: str,
        key: Key | None,
        work: Callable[[Tx], str],
        streamed: bool,
        before: Sequence[Event] = (),
        *,
        contents: bool = False,
    ) -> str:
        begin = once(project, key, self._now(), work)
        try:
            answer: Answer = await self._store.write(begin)
        except Unsettled:
            await self._sessions.settle()
            answer = await self._store.write(begin)
        if not answer.repeated:
            events = [*before, ("thread.run.created", answer.text), ("thread.run.queued", answer.text)]
            self._set_going(answer.text, events, streamed, contents=contents)
        return answer.text

    def _set_going(
        self, leg: str, events: Sequence[Event], streamed: bool, *, resumed: bool = False, contents: bool = False
    ) -> None:
        run_id = id_of(leg)
        about(run_id=run_id)
        before = self._legs.get(run_id)
        if before is not None and before.run.status == "in_progress":
            self._lose(run_id)  # it went on elsewhere, and its listeners here have not been told
            self._queue.abort(run_id)
        self._feeds.begin(run_id, leg, events if streamed else None, contents=contents)
        self._queue.put(run_id, resumed=resumed)

    async def _advance(self, run_id: str, pause: Pause) -> None:
        """Claim a run and take it as far as it gets: the body of a queued job."""

        def work(tx: Tx) -> tuple[Leg, Sequence[Event]] | None:
            before = tx.one("run.attempt", id=run_id)
            claimed = moves.claim(tx, run_id, self._worker, self._rooms.clock())
            if claimed is None or before is None:
                return None
            if before["owner"] is None and not self._rooms.models.can(claimed.run.settings["model"]):
                raise _LeftToOthers
            workers.beat(tx, self._worker)
            leg = Leg(self._rooms, claimed.run, self._worker)
            if run_id in self._feeds:
                leg.earlier = (tx.one("step.count", run=run_id) or {"steps": 0})["steps"]
            leg.take_over(tx)  # here, since a second way to the store costs more than what is done there
            return leg, claimed.events

        try:
            taken = await self._store.write(work)
        except _LeftToOthers:
            taken = None
        feed = self._feeds.get(run_id)
        if taken is None:
            if feed is not None and not feed.ended:
                self._lose(run_id)
            return
        leg, events = taken
        about(run_id=run_id, thread_id=leg.run.thread, project=leg.run.project)
        self._legs[run_id] = leg
        if feed is not None:
            feed.publish(events)
        try:
            run = await self._gone(leg, feed, pause)
        except moves.Fenced:
            if self._legs.get(run_id) is leg:
                self._lose(run_id)
            return
        finally:
            if self._legs.get(run_id) is leg:
                del self._legs[run_id]
        self._count(run)
        self._feeds.end(run_id, feed)

    async def _gone(self, leg: Leg, feed: Feed | None, pause: Pause) -> Run:
        """Take a leg as far as it gets; a fault of ours fails its run. Raises Fenced, StoreUnavailable."""
        try:
            return await leg.go(feed, pause)
        except (moves.Fenced, StoreUnavailable):
            raise
        except Exception:
            _log.exception("run %s failed", leg.run.id)
        error = LastError("server_error", "Sorry, something went wrong.")
        moved = await self._store.write(
            lambda tx: moves.end(tx, leg.run, "fail", self._now(), error=error, text=leg.text)
        )
        if feed is not None:
            feed.publish(moved.events)
        return moved.run

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
        self._count(moved.run)
        self._feeds.publish(run_id, moved.events)
        self._feeds.end(run_id, self._feeds.get(run_id))
        self._queue.abort(run_id)

    def _count(self, run: Run) -> None:
        if run.status == "failed":
            _log.warning("run %s failed: %s", run.id, run.state["last_error"]["code"])
        if run.status in ENDED:
            self._rooms.meter.run_ended(run.status, max(0.0, self._rooms.clock() - run.entered_at))

    def _lose(self, run_id: str) -> None:
        """Let go of a run that another process has claimed or ended; listeners here are told how it goes there."""
        _log.info("run %s was moved by somebody else", run_id)
        leg, feed = self._legs.pop(run_id, None), self._feeds.get(run_id)
        if feed is None or feed.ended:
            return
        self._following.follow(run_id, leg, feed)

    def _written(self, run_id: str) -> str | None:
        """Give what a run under way here has written of its message; None when it is not, and the store knows more."""
        leg = self._legs.get(run_id)
        return leg.text if leg is not None else None

    def _now(self) -> int:
        return int(self._rooms.clock())
