from __future__ import annotations

from tests.engine.conftest import Do
from tests.engine.test_moves import begin
from toolkit.engine import workers
from toolkit.engine.workers import Other, Pulse


def test_a_worker_is_forgotten_only_while_it_shows_no_life(do: Do) -> None:
    run = begin(do)
    do(lambda tx: workers.beat(tx, "me"))
    do(lambda tx: workers.beat(tx, "idle"))
    [idle, me] = do(lambda tx: workers.others(tx, "somebody"))
    assert (idle, me) == (Other("idle", 1, False), Other("me", 1, True))
    do(lambda tx: workers.beat(tx, "me"))
    assert not do(lambda tx: workers.forget(tx, me)), "it lives"
    assert do(lambda tx: tx.one("run.by_id", id=run.id))["owner"] == "me"
    [again] = [other for other in do(lambda tx: workers.others(tx, "idle")) if other.id == "me"]
    assert again.beat == 2
    assert do(lambda tx: workers.forget(tx, again))
    assert not do(lambda tx: workers.forget(tx, again)), "once"
    assert do(lambda tx: tx.one("run.by_id", id=run.id))["owner"] is None
    [unattended] = do(lambda tx: tx.all("run.unattended", now=0, limit=9))
    assert unattended["id"] == run.id


def test_a_worker_that_leaves_lets_its_runs_go(do: Do) -> None:
    run = begin(do)
    do(lambda tx: workers.beat(tx, "me"))
    do(lambda tx: workers.leave(tx, "me"))
    assert do(lambda tx: workers.others(tx, "")) == []
    assert do(lambda tx: tx.one("run.by_id", id=run.id))["owner"] is None


def test_a_busy_worker_whose_beat_stands_still_has_stopped() -> None:
    pulse = Pulse(10)
    still, busy, idle = Other("still", 5, True), Other("busy", 5, True), Other("idle", 5, False)
    assert pulse.stopped([still, busy, idle], 100) == []
    assert pulse.stopped([still, busy._replace(beat=6), idle], 109) == []
    assert pulse.stopped([still, busy._replace(beat=6), idle], 111) == [still]
    assert pulse.stopped([still._replace(beat=6)], 112) == [], "it lives again"
    assert pulse.stopped([still._replace(beat=6)], 122) == [still._replace(beat=6)]


def test_a_worker_that_was_idle_is_given_time_from_its_first_run_on() -> None:
    pulse = Pulse(10)
    idle = Other("a", 1, False)
    assert pulse.stopped([idle], 0) == pulse.stopped([idle], 60) == []
    assert pulse.stopped([idle._replace(busy=True)], 61) == []
