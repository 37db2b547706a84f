"""Idempotency keys, with a transaction function that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from toolkit.engine.objects.kept import KEPT_S, Answer, Key, once, recall
from toolkit.engine.store import Tx
from toolkit.errors import Refused

Do = Callable[[Callable[[Tx], Any]], Any]
NOW = 1_800_000_000


class Work:
    """Answers how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, tx: Tx) -> str:
        self.done += 1
        return str(self.done)


def test_without_a_key_everything_is_done_every_time(do: Do) -> None:
    work = Work()
    assert [do(once("p", None, NOW, work)) for _ in range(2)] == [Answer("1"), Answer("2")]


def test_with_a_key_it_is_done_once(do: Do) -> None:
    work, key = Work(), Key("k", "r")
    assert do(once("p", key, NOW, work)) == Answer("1")
    assert do(once("p", key, NOW + KEPT_S, work)) == Answer("1", repeated=True)
    assert work.done == 1


def test_a_key_is_one_projects_and_lasts_a_day(do: Do) -> None:
    work, key = Work(), Key("k", "r")
    do(once("p", key, NOW, work))
    assert do(once("other", key, NOW, work)) == Answer("2")
    assert do(once("p", key, NOW + KEPT_S + 1, work)) == Answer("3")
    assert do(once("p", key, NOW + KEPT_S + 2, work)) == Answer("3", repeated=True)


def test_a_key_with_another_request_is_refused(do: Do) -> None:
    work = Work()
    do(once("p", Key("k", "r"), NOW, work))
    with pytest.raises(Refused, match="another request") as refused:
        do(once("p", Key("k", "other"), NOW, work))
    assert refused.value.code == "idempotency_key_reused"
    assert work.done == 1


def test_work_that_is_refused_leaves_the_key_free(do: Do) -> None:
    def refuse(tx: Tx) -> str:
        raise Refused("no")

    with pytest.raises(Refused, match="no"):
        do(once("p", Key("k", "r"), NOW, refuse))
    assert do(once("p", Key("k", "r"), NOW, Work())) == Answer("1")


def test_an_answer_can_be_looked_up_before_the_work(do: Do) -> None:
    work, key = Work(), Key("k", "r")
    assert do(lambda tx: recall(tx, "p", None, NOW)) is None
    assert do(lambda tx: recall(tx, "p", key, NOW)) is None
    do(once("p", key, NOW, work))
    assert do(lambda tx: recall(tx, "p", key, NOW + KEPT_S)) == "1"
    assert do(lambda tx: recall(tx, "p", key, NOW + KEPT_S + 1)) is None
    with pytest.raises(Refused, match="another request"):
        do(lambda tx: recall(tx, "p", Key("k", "other"), NOW))


def test_a_key_of_more_than_was_read_at_first(do: Do) -> None:
    key = Key("k", "r")
    assert key.of("a", "b") == key.of("a", "b")
    assert len({key, key.of("a"), key.of("b"), key.of("a", "b"), key.of("ab"), Key("k", "s").of("a")}) == 6
    assert key.of("a").value == "k"
