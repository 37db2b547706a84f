from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from toolkit.runs.consulting import aconsult, consult
from toolkit.runs.decisions import Approve, Decision, Deny
from toolkit.tools.calls import Call

CALLS = [Call(f"call_{number}", "pay", "{}") for number in range(3)]

Consult = Callable[[Any, Sequence[Call]], Mapping[str, Decision]]


def awaiting(approver: Any, calls: Sequence[Call]) -> Mapping[str, Decision]:
    return asyncio.run(aconsult(approver, calls))


@pytest.fixture(params=[consult, awaiting])
def ask(request: pytest.FixtureRequest) -> Consult:
    return request.param


def test_nobody_to_ask(ask: Consult) -> None:
    assert ask(None, CALLS) == {}


@pytest.mark.parametrize("kind", ["sync", "async", "awaitable"])
def test_one_thing_at_a_time_in_the_order_of_the_calls(ask: Consult, kind: str) -> None:
    asked: list[str] = []

    def sync(call: Call) -> Any:
        asked.append(call.id)
        return [True, Deny("no"), Approve({"amount": 1})][len(asked) - 1]

    async def later(call: Call) -> Any:
        before = len(asked)
        await asyncio.sleep(0.01)
        assert len(asked) == before
        return sync(call)

    approver = {"sync": sync, "async": later, "awaitable": lambda call: later(call)}[kind]
    assert ask(approver, CALLS) == {"call_0": Approve(), "call_1": Deny("no"), "call_2": Approve({"amount": 1})}
    assert asked == ["call_0", "call_1", "call_2"]


def test_what_the_approver_raises_is_the_apps_own(ask: Consult) -> None:
    def approver(call: Call) -> bool:
        raise LookupError(call.id)

    with pytest.raises(LookupError, match="call_0"):
        ask(approver, CALLS)


def test_an_answer_that_decides_nothing(ask: Consult) -> None:
    with pytest.raises(TypeError, match="None decides nothing"):
        ask(lambda call: None, CALLS)


def test_somebody_at_a_keyboard_does_not_hold_up_the_loop() -> None:
    typed = threading.Event()

    async def main() -> Mapping[str, Decision]:
        asking = asyncio.create_task(aconsult(lambda call: typed.wait(10), CALLS[:1]))
        await asyncio.sleep(0.05)
        assert not asking.done()
        typed.set()
        return await asking

    assert asyncio.run(main()) == {"call_0": Approve()}


def test_nobody_waits_for_a_person_who_never_answers() -> None:
    never = threading.Event()

    async def main() -> None:
        async with asyncio.timeout(0.05):
            await aconsult(lambda call: never.wait(10), CALLS[:1])

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    never.set()  # the answer goes nowhere, and harms nobody
