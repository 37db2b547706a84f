"""What people ask who look after a store: which runs there are, to end one that is stuck, to forget what is old.

Transaction functions over all projects, for commands and schedules; nothing that a client of the API can reach comes
here. Each call is short, so that a server on the same file is not held up: what walks through a store does it in
batches, and hands back where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from toolkit.engine import moves
from toolkit.engine.objects import threads
from toolkit.engine.objects.answers import answers_of
from toolkit.engine.objects.kept import KEPT_S
from toolkit.engine.objects.runs import Run, run_of
from toolkit.engine.objects.steps import steps_of
from toolkit.engine.states import ACTIVE
from toolkit.engine.store import Row, Tx

__all__ = [
    "START",
    "Batch",
    "Counts",
    "Place",
    "Seen",
    "Unlocked",
    "newest_runs",
    "old_answers",
    "old_threads",
    "see",
    "unlock",
]


# Runs


@dataclass(frozen=True, slots=True)
class Seen:
    """A run with what is around it."""

    run: Run
    owner: str | None
    """The worker that executes it, or is about to; None is nobody."""
    steps: Sequence[Mapping[str, Any]] = ()
    messages: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What `unlock` found and did."""

    thread: str
    run: Run | None
    """The run it was about, as it is now; None when its thread had none."""
    was: str
    """The run's status before."""
    freed: bool
    """Whether the thread was locked and is free now."""


def newest_runs(tx: Tx, *, project: str | None, status: str | None, limit: int) -> Sequence[Seen]:
    """List runs without their steps and messages, newest first; None is any project or status."""
    if status in ACTIVE:
        rows = tx.all("upkeep.newest_active", project=project, status=status, limit=limit)
    else:
        rows = tx.all("upkeep.newest_runs", project=project, status=status, limit=limit, before=2**62)
    return [_seen(row) for row in rows]


def see(tx: Tx, run_or_thread_id: str) -> Seen | None:
    """Read a run, or the newest on a thread, with its steps and the messages it wrote; None when there is none."""
    row = tx.one("run.by_id", id=run_or_thread_id) or tx.one("upkeep.newest_on_thread", thread=run_or_thread_id)
    if row is None:
        return None
    return replace(_seen(row), steps=steps_of(tx, row["id"]), messages=answers_of(tx, row["id"]))


def _seen(row: Row) -> Seen:
    return Seen(run_of(row), row["owner"])


def unlock(tx: Tx, run_or_thread_id: str, now: int) -> Unlocked | None:
    """End a run that is not over, or the one on a thread, as a cancel does; None when nothing has that id.

    The thread is free afterwards, and a worker still at it writes nothing more. A run that is over stays as it is, and
    so does a thread that another run holds.
    """
    row = tx.one("run.by_id", id=run_or_thread_id)
    thread = tx.one("upkeep.thread", id=row["thread"] if row is not None else run_or_thread_id)
    if thread is None:
        return None
    if row is None and thread["active_run"] is not None:
        row = tx.one("run.by_id", id=thread["active_run"])
    run = run_of(row) if row is not None else None
    held = thread["active_run"]
    if run is not None and run.status in ACTIVE:
        ended = moves.end(tx, run, "cancel", now).run
        return Unlocked(thread["id"], ended, run.status, freed=held == run.id)
    # A lock of a run that is over or gone would be a fault of ours; this is the command that mends it.
    stale = held is not None and (run is None or run.id == held)
    freed = stale and tx.run("run.unlock_thread", thread=thread["id"], run=held) == 1
    return Unlocked(thread["id"], run, run.status if run is not None else "", freed=freed)


# Retention


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk through all threads stands: in a project, after a thread."""

    project: str = ""
    at: int = -1
    seq: int = -1


START: Final = Place()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each; `busy` are old threads that are left alone, since a run is active on them."""

    threads: int = 0
    messages: int = 0
    runs: int = 0
    steps: int = 0
    busy: int = 0

    def plus(self, more: Counts) -> Counts:
        """Add up, member by member."""
        return Counts(
            self.threads + more.threads,
            self.messages + more.messages,
            self.runs + more.runs,
            self.steps + more.steps,
            self.busy + more.busy,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of a walk did, and where the next begins; None at the end."""

    counts: Counts
    next: Place | None


def old_threads(
    tx: Tx, place: Place, *, before: int, limit: int, project: str | None = None, delete: bool = False
) -> Batch:
    """Count the threads whose last activity was before a time (Unix seconds), and with `delete` delete them.

    Looks at `limit` threads at most, from `place` on. A thread with an active run is never deleted, however old.
    """
    if place == START:
        first = project if project is not None else _next_project(tx, "")
        if first is None:
            return Batch(Counts(), None)
        place = Place(first)
    rows = tx.all(
        "upkeep.old_threads",
        project=place.project,
        after_at=place.at,
        after_seq=place.seq,
        before=before,
        limit=limit,
    )
    counts = Counts()
    for row in rows:
        counts = counts.plus(_old_thread(tx, place.project, row, before, delete))
    if len(rows) == limit:
        return Batch(counts, Place(place.project, rows[-1]["created_at"], rows[-1]["seq"]))
    following = _next_project(tx, place.project) if project is None else None
    return Batch(counts, Place(following) if following is not None else None)


def _old_thread(tx: Tx, project: str, row: Row, before: int, delete: bool) -> Counts:
    if row["active_at"] >= before:
        return Counts()
    if row["active_run"] is not None:
        return Counts(busy=1)
    inside = tx.one("upkeep.contents", thread=row["id"]) or {}
    if delete:
        threads.delete(tx, project, row["id"])
    return Counts(1, inside["messages"], inside["runs"], inside["steps"])


def _next_project(tx: Tx, after: str) -> str | None:
    row = tx.one("upkeep.next_project", after=after)
    return row["project"] if row is not None else None


def old_answers(tx: Tx, now: int) -> int:
    """Count the answers that are kept for an Idempotency-Key whose day is over."""
    row = tx.one("upkeep.old_answers", before=now - KEPT_S)
    return row["answers"] if row is not None else 0
