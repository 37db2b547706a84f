from __future__ import annotations

from collections.abc import Callable

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


def looks(pulse: Pulse, seen: Callable[[int], Other], until: int) -> list[int]:
    """Look once a second; the seconds at which the worker was found to stand still."""
    return [second for second in range(until) if pulse.stopped([seen(second)], 100 + second)]


def test_a_busy_worker_whose_beat_stands_still_has_stopped() -> None:
    assert looks(Pulse(10), lambda _: Other("a", 5, True), 13) == [10, 11, 12]
    assert looks(Pulse(10), lambda second: Other("a", second // 9, True), 40) == [], "it beats, if slowly"
    assert looks(Pulse(10), lambda _: Other("a", 5, False), 40) == [], "it has nothing to do"
    assert looks(Pulse(10), lambda second: Other("a", 5 + (second > 11), True), 20) == [10, 11], "it lives again"


def test_time_in_which_we_did_not_look_does_not_count() -> None:
    """What held us up may have held the other up too: a locked store, a machine that slept."""
    pulse, still = Pulse(10), Other("a", 5, True)
    assert [bool(pulse.stopped([still], now)) for now in (100, 101, 102, 120, 121)] == [False] * 5
    assert [bool(pulse.stopped([still], now)) for now in range(122, 132)][-2:] == [True, True]


def test_a_worker_that_was_idle_is_given_time_from_its_first_run_on() -> None:
    pulse = Pulse(10)
    idle = Other("a", 1, False)
    assert looks(pulse, lambda _: idle, 30) == []
    assert pulse.stopped([idle._replace(busy=True)], 130) == []
