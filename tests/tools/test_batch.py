"""The calls of a turn with values: nothing is waited for."""

import asyncio
import math

import pytest

from toolkit.tools.batch import MOST_AT_ONCE, Batch, Invoker
from toolkit.tools.calls import Call, FinishedCall
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


@tool
async def wait() -> str:
    await asyncio.sleep(30)
    return ""


TOOLS = Toolset(echo, patient, hasty)


def batch_of(*names: str, timeout_s: float | None = None) -> Batch:
    calls = [Call(f"call_{number}", name, '{"text": "x"}') for number, name in enumerate(names)]
    return Batch(Invoker(TOOLS, None, "run_1", "thread_1", {}), calls, timeout_s)


def test_calls_start_and_end() -> None:
    batch = batch_of("echo", "nope", "echo")
    assert [position for position, _ in batch.unknown] == [1]
    first, second = batch.to_start()
    assert (first.position, second.position) == (0, 2)
    assert list(batch.to_start()) == []
    assert batch.wait_s() is None
    answer = FinishedCall(second.call, Output("x"))
    assert second.settle()
    assert batch.ended(second, answer) == (2, answer)
    assert batch.is_open
    batch.ended(first, FinishedCall(first.call, Output("x")))
    assert not batch.is_open


def test_only_so_many_run_at_once() -> None:
    batch = batch_of(*["echo"] * (MOST_AT_ONCE + 1))
    running = list(batch.to_start())
    assert len(running) == MOST_AT_ONCE
    batch.ended(running[0], FinishedCall(running[0].call, Output("x")))
    assert [each.position for each in batch.to_start()] == [MOST_AT_ONCE]


def test_a_toolset_with_a_concurrency_keeps_its_calls_back_and_no_others() -> None:
    narrow = Toolset(echo, concurrency=2).prefixed("narrow_")
    tools = narrow + Toolset(echo)
    names = [*["narrow_echo"] * 4, "echo"]
    calls = [Call(f"call_{number}", name, '{"text": "x"}') for number, name in enumerate(names)]
    batch = Batch(Invoker(tools, None, "run_1", "thread_1", {}), calls, None)
    first, second, other = batch.to_start()
    assert [first.position, second.position, other.position] == [0, 1, 4]
    assert list(batch.to_start()) == []
    batch.ended(second, FinishedCall(second.call, Output("x")))
    assert [each.position for each in batch.to_start()] == [2]
    batch.ended(other, FinishedCall(other.call, Output("x")))
    assert list(batch.to_start()) == []


def test_the_first_to_be_late_sets_the_wait() -> None:
    batch = batch_of("patient", "hasty", "echo")
    list(batch.to_start())
    assert batch.wait_s() == 0
    [(position, late)] = batch.overdue()
    assert position == 1
    assert isinstance(late.error, TimeoutError)
    wait_s = batch.wait_s()
    assert wait_s is not None
    assert 900 < wait_s <= 1000


def test_a_result_just_in_time_wins_over_the_timeout() -> None:
    batch = batch_of("hasty")
    [pending] = batch.to_start()
    posted: list[object] = []
    pending.report(FinishedCall(pending.call, Output("x")), posted.append)
    assert len(posted) == 1
    assert list(batch.overdue()) == []
    assert batch.is_open


def test_a_result_after_the_timeout_is_dropped_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    batch = batch_of("hasty")
    [pending] = batch.to_start()
    assert len(list(batch.overdue())) == 1
    posted: list[object] = []
    pending.report(FinishedCall(pending.call, Output("x")), posted.append)
    assert posted == []
    [record] = caplog.records
    assert all(each in record.getMessage() for each in ("hasty", "call_0", "run_1", "thread_1", "dropped"))


def test_the_end_of_the_turn_is_the_end_of_what_waits() -> None:
    batch = batch_of("echo", timeout_s=0)
    assert list(batch.to_start()) == []
    assert batch.wait_s() == 0
    [(_, finished)] = batch.overdue()
    assert "not started" in finished.output.content
    assert not batch.is_open


def test_giving_up_cancels_once() -> None:
    batch = batch_of("echo")
    [pending] = batch.to_start()
    cancelled: list[int] = []
    pending.cancel = lambda: cancelled.append(1)
    assert pending.limit_s == math.inf
    batch.give_up()
    batch.give_up()
    assert cancelled == [1]


def test_closing_what_awaits_a_call_is_no_failure_of_the_tool(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        answering = Invoker(Toolset(wait), None, "", "", {}).aattempt(wait, Call("call_1", "wait", "{}"))
        answering.send(None)
        answering.close()

    asyncio.run(main())
    assert caplog.records == []
