from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.stored_runs import CALLS, claimed, completed, failed, queued, waiting
from toolkit.engine import moves, upkeep
from toolkit.engine.moves import Fenced
from toolkit.engine.objects import kept, messages, threads
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.runs import Run, Tokens
from toolkit.engine.store import Tx
from toolkit.engine.upkeep import START, Counts, Place

Do = Callable[[Callable[[Tx], Any]], Any]

NOW = 1_800_000_000
DAY = 86400


def ids(do: Do, **asked: Any) -> list[str]:
    found = do(lambda tx: upkeep.newest_runs(tx, **{"project": None, "status": None, "limit": 20, **asked}))
    return [seen.run.id for seen in found]


def status(do: Do, run: Run) -> str:
    seen = do(lambda tx: upkeep.see(tx, run.id))
    return str(seen.run.status)


def lock_of(do: Do, run: Run) -> str | None:
    lock: str | None = do(lambda tx: tx.one("upkeep.thread", id=run.thread))["active_run"]
    return lock


def test_runs_are_listed_newest_first_and_by_project_and_status(do: Do) -> None:
    first = do(lambda tx: completed(tx, NOW))
    second = do(lambda tx: waiting(tx, NOW, project="other"))
    third = do(lambda tx: waiting(tx, NOW))
    fourth = do(lambda tx: failed(tx, NOW))
    assert ids(do) == [fourth.id, third.id, second.id, first.id]
    assert ids(do, limit=2) == [fourth.id, third.id]
    assert ids(do, project="other") == [second.id]
    assert ids(do, status="requires_action") == [third.id, second.id]
    assert ids(do, status="requires_action", limit=1) == [third.id]
    assert ids(do, status="requires_action", project="other") == [second.id]
    assert ids(do, status="failed") == [fourth.id]
    assert ids(do, status="failed", project="other") == ids(do, status="queued") == []


def test_a_run_is_seen_with_what_is_around_it(do: Do) -> None:
    run = do(lambda tx: completed(tx, NOW))
    seen = do(lambda tx: upkeep.see(tx, run.id))
    assert (seen.run.id, seen.run.status) == (run.id, "completed")
    assert [step["type"] for step in seen.steps] == ["message_creation"]
    assert [message["content"][0]["text"]["value"] for message in seen.messages] == ["the secret answer"]
    assert do(lambda tx: upkeep.see(tx, "run_none")) is None
    held = do(lambda tx: claimed(tx, NOW))
    seen = do(lambda tx: upkeep.see(tx, held.id))
    assert seen.owner == "engine"


def test_a_thread_stands_for_its_newest_run(do: Do) -> None:
    run = do(lambda tx: waiting(tx, NOW))
    assert do(lambda tx: upkeep.see(tx, run.thread)).run.id == run.id
    assert do(lambda tx: upkeep.see(tx, "thread_none")) is None


@pytest.mark.parametrize("make", [queued, claimed, waiting])
@pytest.mark.parametrize("by", ["id", "thread"])
def test_unlocking_ends_a_run_and_frees_its_thread(do: Do, make: Any, by: str) -> None:
    run: Run = do(lambda tx: make(tx, NOW))
    done = do(lambda tx: upkeep.unlock(tx, getattr(run, by), NOW + 1))
    assert (done.run.id, done.run.status, done.was, done.thread) == (run.id, "cancelled", run.status, run.thread)
    assert done.freed
    assert (status(do, run), lock_of(do, run)) == ("cancelled", None)
    request = messages.CreateMessage.model_validate({"role": "user", "content": "again"})
    do(lambda tx: threads.append(tx, "default", run.thread, [request], NOW + 2))


def test_a_worker_still_at_it_is_fenced(do: Do) -> None:
    run = do(lambda tx: claimed(tx, NOW))
    do(lambda tx: upkeep.unlock(tx, run.id, NOW))
    with pytest.raises(Fenced):
        do(lambda tx: moves.complete(tx, run, NOW, Tokens(), moves.Said("late")))
    assert status(do, run) == "cancelled"


def test_unlocking_what_is_over_changes_nothing(do: Do) -> None:
    run = do(lambda tx: completed(tx, NOW))
    for given in (run.id, run.thread):
        done = do(lambda tx, given=given: upkeep.unlock(tx, given, NOW))
        assert (done.thread, done.freed) == (run.thread, False)
    assert status(do, run) == "completed"
    assert do(lambda tx: upkeep.unlock(tx, "run_none", NOW)) is None


def test_unlocking_a_run_that_is_over_leaves_the_next_one_alone(do: Do) -> None:
    run = do(lambda tx: completed(tx, NOW))
    do(lambda tx: tx.run("run.lock_thread", thread=run.thread, run="run_next", last_at=NOW))
    done = do(lambda tx: upkeep.unlock(tx, run.id, NOW))
    assert (done.was, done.freed, lock_of(do, run)) == ("completed", False, "run_next")


@pytest.mark.parametrize("gone", [True, False])
def test_a_lock_that_no_active_run_holds_is_taken_off(do: Do, gone: bool) -> None:
    run = do(lambda tx: completed(tx, NOW))
    lock = "run_gone" if gone else run.id
    do(lambda tx: tx.run("run.lock_thread", thread=run.thread, run=lock, last_at=NOW))
    done = do(lambda tx: upkeep.unlock(tx, run.thread, NOW))
    assert (done.freed, lock_of(do, run)) == (True, None)


def walk(do: Do, *, limit: int = 2, **asked: Any) -> Counts:
    """Go through all batches."""
    counts, place = Counts(), START
    for _ in range(100):
        batch = do(lambda tx, place=place: upkeep.old_threads(tx, place, **{"before": NOW, "limit": limit, **asked}))
        counts = counts.plus(batch.counts)
        if batch.next is None:
            return counts
        place = batch.next
    raise AssertionError("the walk does not end")


def thread_ids(do: Do, project: str = "default") -> str:
    listed: str = do(lambda tx: threads.list_(tx, project, PageQuery()))
    return listed


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_old_threads_are_deleted_with_all_that_is_in_them(do: Do, limit: int) -> None:
    old = [do(lambda tx, at=at: completed(tx, NOW - at * DAY)) for at in (40, 39, 38, 37, 36)]
    other = do(lambda tx: completed(tx, NOW - 35 * DAY, project="other"))
    new = do(lambda tx: completed(tx, NOW - 29 * DAY))
    before = NOW - 30 * DAY
    there = Counts(threads=6, messages=12, runs=6, steps=6)
    assert walk(do, before=before, limit=limit) == there, "counted"
    assert walk(do, before=before, limit=limit, delete=True) == there, "deleted"
    assert walk(do, before=before, limit=limit, delete=True) == Counts()
    assert all(do(lambda tx, run=run: upkeep.see(tx, run.id)) is None for run in [*old, other])
    assert status(do, new) == "completed"
    assert new.thread in thread_ids(do)
    for run in [*old, other]:
        assert do(lambda tx, run=run: left_of(tx, run)) == []
    assert len(do(lambda tx: left_of(tx, new))) == 6


def left_of(tx: Tx, run: Run) -> list[Any]:
    """Rows of every table that belong to a run or its thread."""
    bounds = {"low_seq": -1, "high_seq": 2**62, "limit": 10}
    return [
        *tx.all("message.page_asc", thread=run.thread, **bounds),
        *tx.all("upkeep.newest_on_thread", thread=run.thread),
        *tx.all("step.of_run", run=run.id),
        *tx.all("item.newest", thread=run.thread, before=2**62, limit=10),
    ]


def test_only_one_project_is_pruned_when_it_is_named(do: Do) -> None:
    one = do(lambda tx: completed(tx, NOW - DAY, project="one"))
    two = do(lambda tx: completed(tx, NOW - DAY, project="two"))
    assert walk(do, project="two", delete=True).threads == 1
    assert one.thread in thread_ids(do, "one")
    assert two.thread not in thread_ids(do, "two")
    assert walk(do, project="nobody", delete=True) == Counts()


def test_the_last_activity_counts(do: Do) -> None:
    run = do(lambda tx: completed(tx, NOW - 40 * DAY))
    request = messages.CreateMessage.model_validate({"role": "user", "content": "still there?"})
    do(lambda tx: threads.append(tx, "default", run.thread, [request], NOW - DAY))
    assert walk(do, before=NOW - 30 * DAY, delete=True) == Counts()
    assert walk(do, before=NOW, delete=True).threads == 1


def test_a_thread_with_an_active_run_stays(do: Do) -> None:
    run = do(lambda tx: waiting(tx, NOW - 400 * DAY))
    assert walk(do, delete=True) == Counts(busy=1)
    do(lambda tx: upkeep.unlock(tx, run.id, NOW - 400 * DAY))
    assert walk(do, delete=True).threads == 1


def test_a_client_that_pages_meanwhile_finds_its_place(do: Do) -> None:
    runs = [do(lambda tx, at=at: completed(tx, NOW - at)) for at in (30, 20, 10)]
    do(lambda tx: upkeep.old_threads(tx, START, before=NOW - 15, limit=10, delete=True))
    after = PageQuery(order="asc", after=runs[1].thread)
    assert runs[2].thread in do(lambda tx: threads.list_(tx, "default", after))


def test_an_empty_store_has_nothing_old(do: Do) -> None:
    assert walk(do, delete=True) == Counts()
    assert do(lambda tx: upkeep.old_threads(tx, Place("p"), before=NOW, limit=5, project="p")).next is None


def test_kept_answers_are_forgotten_after_their_day(do: Do) -> None:
    for number, at in enumerate([NOW - 3 * DAY, NOW - 2 * DAY, NOW - DAY - 1, NOW - 5]):
        do(
            lambda tx, n=number, at=at: tx.run(
                "kept.put", project="p", key=str(n), request="r", created_at=at, answer=""
            )
        )
    assert do(lambda tx: upkeep.old_answers(tx, NOW)) == 3
    assert do(lambda tx: kept.forget(tx, NOW, limit=2)) == 2
    assert do(lambda tx: kept.forget(tx, NOW, limit=2)) == 1
    assert do(lambda tx: kept.forget(tx, NOW, limit=2)) == 0
    assert do(lambda tx: tx.one("kept.get", project="p", key="3", since=0)) is not None


def test_calls_that_wait_are_part_of_what_is_seen(do: Do) -> None:
    run = do(lambda tx: waiting(tx, NOW))
    [step] = do(lambda tx: upkeep.see(tx, run.id)).steps
    assert [call["id"] for call in step["step_details"]["tool_calls"]] == [call.id for call in CALLS]
