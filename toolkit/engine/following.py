"""Runs that go on somewhere else, as they are told to listeners here: in the end, from what is stored of them.

Each leg of a run is executed by one worker. Who listens to it at another one, or comes when it is over, or had a worker
that lost the run, hears how it ended all the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Protocol

from toolkit.engine.events import DONE, broken_off, closing, frame, replay
from toolkit.engine.feeds import Feed, Feeds
from toolkit.engine.jsontext import id_of
from toolkit.engine.leg import Leg
from toolkit.engine.objects.answers import answers_of
from toolkit.engine.objects.runs import Event, Run
from toolkit.engine.objects.steps import steps_of
from toolkit.engine.states import MOVING
from toolkit.engine.store import Store
from toolkit.errors import Refused, StoreUnavailable

__all__ = ["Following"]

_GLANCE_S: Final = 0.25
_Objects = Sequence[Mapping[str, Any]]


class Read(Protocol):
    """Reads a run, after waiting so long at most until it needs somebody or is over. Raises Refused (404)."""

    async def __call__(self, project: str, thread_id: str, run_id: str, *, hold_s: float) -> Run: ...


class Following:
    """Follows runs that are executed elsewhere. `await aclose()` in the end."""

    def __init__(self, store: Store, feeds: Feeds, read: Read) -> None:
        self._store, self._feeds, self._read = store, feeds, read
        self._followers: set[asyncio.Task[None]] = set()

    def follow(self, run_id: str, leg: Leg | None, feed: Feed) -> None:
        """Tell a feed how its run goes on, of which `leg` was under way here."""
        follower = asyncio.create_task(self._follow(run_id, leg, feed), name=f"follow {run_id}")
        self._followers.add(follower)
        follower.add_done_callback(self._followers.discard)

    async def aclose(self) -> None:
        """Follow nothing any more."""
        followers = [*self._followers]
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)

    async def replayed(self, project: str, run: str) -> AsyncIterator[bytes]:
        """Tell a leg that nobody here has heard, when it is over; `run` is the answer that it began with."""
        yield frame(("thread.run.created", run)) + frame(("thread.run.queued", run))
        thread_id: str = json.loads(run)["thread_id"]
        try:
            now, steps, written = await self._settled(project, thread_id, id_of(run))
        except Refused as gone:  # its thread was deleted since
            yield frame(broken_off(gone)) + DONE
        else:
            yield replay(now.status, now.wire, steps, written)

    async def _settled(self, project: str, thread_id: str, run_id: str) -> tuple[Run, _Objects, _Objects]:
        """Wait until a run needs somebody or is over, wherever it is executed; give it, its steps and its messages.

        Raises Refused (404). A store in trouble is waited for.
        """
        while True:
            try:
                run = await self._read(project, thread_id, run_id, hold_s=_GLANCE_S)
                if run.status not in MOVING:
                    return run, *await self._store.read(lambda tx: (steps_of(tx, run_id), answers_of(tx, run_id)))
            except StoreUnavailable:
                await asyncio.sleep(_GLANCE_S)

    async def _follow(self, run_id: str, leg: Leg | None, feed: Feed) -> None:
        while True:
            try:
                told = await self._end_of(run_id, leg)
                break
            except Refused as gone:  # with its thread
                told = [broken_off(gone)]
                break
            except StoreUnavailable:
                await asyncio.sleep(_GLANCE_S)
        feed.publish(told)
        self._feeds.end(run_id, feed)

    async def _end_of(self, run_id: str, leg: Leg | None) -> list[Event]:
        """Wait until a run needs somebody or is over; tell how, to those who have heard `leg`. Raises Refused (404)."""
        row = await self._store.read(lambda tx: tx.one("run.by_id", id=run_id))
        if row is None:
            raise Refused(f"No run found with id '{run_id}'.", status=404)
        run, steps, written = await self._settled(row["project"], row["thread"], run_id)
        if leg is None:  # it waited for room here; of a run that goes on with outputs some steps are known
            new: set[str] = set() if run.turns else {step["id"] for step in steps}
            return closing(run.status, run.wire, steps, written, (), new)
        new = {step["id"] for step in steps[leg.earlier :]} - leg.opened
        return closing(run.status, run.wire, steps, written, leg.begun, new)
