"""The board of a turn with values: nothing runs here, nothing is waited for."""

import math

import pytest

from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.flights import MOST_AT_ONCE, Board, Turn
from toolkit.tools.output import Output
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset


@tool
def echo(text: str) -> str:
    return text


@tool(timeout_s=1000)
def patient() -> str:
    return ""


@tool(timeout_s=1e-9)
def hasty() -> str:
    return ""


TOOLS = Toolset(echo, patient, hasty)


def board(*names: str, timeout_s: float | None = None) -> Board:
    calls = [Call(f"call_{number}", name, '{"text": "x"}') for number, name in enumerate(names)]
    return Board(Turn(TOOLS, None, "run_1", "thread_1", {}), calls, timeout_s)


def test_a_turn_begins_flies_and_lands() -> None:
    turn = board("echo", "nope", "echo")
    assert [position for position, _ in turn.unknown] == [1]
    first, second = turn.take_off()
    assert (first.position, second.position) == (0, 2)
    assert list(turn.take_off()) == []
    assert turn.patience_s() is None
    answer = FinishedCall(second.call, Output("x"))
    assert second.settle()
    assert turn.landed(second, answer) == (2, answer)
    assert turn.is_open
    turn.landed(first, FinishedCall(first.call, Output("x")))
    assert not turn.is_open


def test_only_so_many_fly_at_once() -> None:
    turn = board(*["echo"] * (MOST_AT_ONCE + 1))
    flying = list(turn.take_off())
    assert len(flying) == MOST_AT_ONCE
    turn.landed(flying[0], FinishedCall(flying[0].call, Output("x")))
    assert [each.position for each in turn.take_off()] == [MOST_AT_ONCE]


def test_the_first_to_be_late_sets_the_wait() -> None:
    turn = board("patient", "hasty", "echo")
    list(turn.take_off())
    assert turn.patience_s() == 0
    [(position, late)] = turn.overdue()
    assert position == 1
    assert isinstance(late.error, TimeoutError)
    patience = turn.patience_s()
    assert patience is not None
    assert 900 < patience <= 1000


def test_a_result_just_in_time_wins_over_the_timeout() -> None:
    turn = board("hasty")
    [flight] = turn.take_off()
    posted: list[object] = []
    flight.land(FinishedCall(flight.call, Output("x")), posted.append)
    assert len(posted) == 1
    assert list(turn.overdue()) == []
    assert turn.is_open


def test_a_result_after_the_timeout_is_dropped_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    turn = board("hasty")
    [flight] = turn.take_off()
    assert len(list(turn.overdue())) == 1
    posted: list[object] = []
    flight.land(FinishedCall(flight.call, Output("x")), posted.append)
    assert posted == []
    [record] = caplog.records
    assert all(each in record.getMessage() for each in ("hasty", "call_0", "run_1", "thread_1", "dropped"))


def test_the_end_of_the_turn_is_the_end_of_what_waits() -> None:
    turn = board("echo", timeout_s=0)
    assert list(turn.take_off()) == []
    assert turn.patience_s() == 0
    [(_, finished)] = turn.overdue()
    assert "not started" in finished.output.content
    assert not turn.is_open


def test_giving_up_cancels_once() -> None:
    turn = board("echo")
    [flight] = turn.take_off()
    cancelled: list[int] = []
    flight.cancel = lambda: cancelled.append(1)
    assert flight.limit_s == math.inf
    turn.give_up()
    turn.give_up()
    assert cancelled == [1]
