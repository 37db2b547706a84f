"""Approval on the real engine: by a function, and by a Pending that is stored; blocking, awaiting, streamed."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest

from tests.engine.scripted import answer, ask, asked
from tests.runs.engines import Start, World
from toolkit import (
    Approve,
    Call,
    CallFinished,
    CallStarted,
    Deny,
    LimitReached,
    Limits,
    Pending,
    RunContext,
    RunEnded,
    RunKept,
    Toolset,
    tool,
)
from toolkit.engine.model import ModelCall
from toolkit.errors import ApprovalMismatch

MADE: list[str] = []
PAY = ModelCall("call_p", "pay", '{"to":"Ada","amount":500}')
SMALL = ModelCall("call_s", "pay", '{"to":"Bob","amount":5}')
LOOK = ModelCall("call_l", "look", '{"at":"account"}')


@tool(approve=lambda amount: amount > 100)
def pay(to: str, amount: int) -> str:
    """Pay somebody."""
    MADE.append(f"pay {to} {amount}")
    return f"paid {amount}"


@tool
async def look(at: str) -> str:
    """Look at something."""
    MADE.append(f"look {at}")
    return "fine"


@tool(approve=lambda ctx: ctx.deps != "admin")
def wipe(ctx: RunContext[str]) -> str:
    """Wipe the disk."""
    MADE.append(f"wipe {ctx.call_id}")
    return "wiped"


@pytest.fixture
def tools() -> Toolset:
    MADE.clear()
    return Toolset(pay, look, wipe)


def status(world: World, pending: Pending) -> str:
    return world.here.beta.threads.runs.retrieve(pending.run_id, thread_id=pending.thread_id).status


def told(model: Any) -> list[str]:
    return [chat["content"] for chat in asked(model.requests[-1]) if chat["role"] == "tool"]


def test_only_what_needs_it_is_asked_about(start: Start) -> None:
    world, _ = start(ask(SMALL, LOOK), answer("Done."))
    result = world.run(input="x")
    assert (result.text, result.pending) == ("Done.", None)
    assert sorted(MADE) == ["look account", "pay Bob 5"]


def test_without_anybody_to_ask_the_run_is_left_and_nothing_of_the_turn_is_made(start: Start) -> None:
    world, _ = start(ask(LOOK, PAY, SMALL, say=["Let me see."]), answer("Paid."))
    result = world.run(input="x")
    assert (result.status, result.text, result.calls, MADE) == ("requires_action", "Let me see.", (), [])
    assert result.pending is not None
    assert result.pending.calls == (Call("call_p", "pay", '{"to":"Ada","amount":500}'),)
    assert result.pending.expires_at == result.run.expires_at
    assert status(world, result.pending) == "requires_action"


def test_another_process_goes_on_from_what_was_stored(start: Start) -> None:
    world, model = start(ask(LOOK, PAY, SMALL), answer("Paid."))
    pending = world.run(input="x").pending
    assert pending is not None
    again = Pending.from_json(json.dumps(json.loads(pending.to_json())))
    result = world.resume(again, approvals={"call_p": True})
    assert (result.text, result.pending) == ("Paid.", None)
    assert sorted(MADE) == ["look account", "pay Ada 500", "pay Bob 5"]
    assert told(model) == ["fine", "paid 500", "paid 5"]


def test_a_resumed_run_can_be_streamed(start: Start) -> None:
    world, _ = start(ask(LOOK, PAY), answer("Paid ", "now."))
    pending = world.run(input="x").pending
    assert pending is not None
    events = world.resume_events(pending, approvals={"call_p": Deny("Later.")})
    kinds = [type(event) for event in events if isinstance(event, (CallStarted, CallFinished, RunEnded))]
    assert kinds == [CallFinished, CallStarted, CallFinished, RunEnded]  # what was denied is answered at once
    assert events[-1].result.text == "Paid now."


def test_a_streamed_run_ends_with_what_is_pending(start: Start) -> None:
    world, _ = start(ask(PAY), answer("never"))
    events = world.events(input="x")
    assert isinstance(events[-1], RunEnded)
    assert events[-1].result.pending is not None
    assert status(world, events[-1].result.pending) == "requires_action"


def test_a_denial_is_told_to_the_model_with_its_reason(start: Start) -> None:
    world, model = start(ask(PAY, SMALL), answer("Sorry."))
    result = world.run(input="x", approve=lambda call: Deny("Above the limit of this week."))
    assert result.text == "Sorry."
    assert told(model) == [
        "This call was not approved, and was not made. Above the limit of this week.",
        "paid 5",
    ]
    assert [one.output.ok for one in result.calls] == [False, True]
    assert MADE == ["pay Bob 5"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_function_decides(start: Start, kind: str) -> None:
    seen: list[Call] = []

    def decide(call: Call) -> bool:
        seen.append(call)
        return True

    async def adecide(call: Call) -> bool:
        await asyncio.sleep(0)
        return decide(call)

    other = ModelCall("call_q", "pay", '{"to":"Eve","amount":900}')
    world, _ = start(ask(PAY, SMALL, other), answer("Paid."))
    assert world.run(input="x", approve=decide if kind == "sync" else adecide).text == "Paid."
    assert [call.id for call in seen] == ["call_p", "call_q"]
    assert sorted(MADE) == ["pay Ada 500", "pay Bob 5", "pay Eve 900"]


def test_changed_arguments_are_checked_made_and_told(start: Start) -> None:
    world, model = start(ask(PAY), answer("Paid 90."))
    pending = world.run(input="x").pending
    assert pending is not None
    with pytest.raises(ApprovalMismatch, match="arguments given for pay") as refused:
        world.resume(pending, approvals={"call_p": Approve({"to": "Ada", "amount": "all"})})
    assert (MADE, status(world, pending)) == ([], "requires_action")
    assert refused.value.pending is not None
    result = world.resume(pending, approvals={"call_p": Approve({"to": "Ada", "amount": 90})})
    assert MADE == ["pay Ada 90"]
    assert told(model) == ['paid 90\n[Made with other arguments than yours: {"to": "Ada", "amount": 90}]']
    assert json.loads(result.calls[0].call.arguments)["amount"] == 90


def test_a_pending_that_is_not_what_the_server_asks_for_is_refused(start: Start) -> None:
    world, _ = start(ask(LOOK, PAY), answer("never"))
    pending = world.run(input="x").pending
    assert pending is not None
    forged = Pending(
        pending.run_id, pending.thread_id, (Call("call_p", "pay", '{"to":"Ada","amount":5}'),), pending.expires_at
    )
    with pytest.raises(RunKept, match="Nothing was called"):
        world.resume(forged, approvals={"call_p": True})
    assert (MADE, status(world, pending)) == ([], "requires_action")


def test_a_decision_for_some_calls_waits_for_the_others(start: Start) -> None:
    other = ModelCall("call_q", "pay", '{"to":"Eve","amount":900}')
    world, _ = start(ask(PAY, other), answer("Paid."))
    first = world.run(input="x").pending
    assert first is not None
    second = world.resume(first, approvals={"call_p": True}).pending
    assert (second, MADE) == (first, [])
    result = world.resume(first, approvals={"call_p": True, "call_q": False})
    assert (result.text, MADE) == ("Paid.", ["pay Ada 500"])


def test_a_second_click_changes_nothing(start: Start) -> None:
    world, _ = start(ask(PAY), answer("Paid."))
    pending = world.run(input="x").pending
    assert pending is not None
    first = world.resume(pending, approvals={"call_p": True})
    second = world.resume(pending, approvals={"call_p": True})
    assert (first.text, second.text, MADE) == ("Paid.", "Paid.", ["pay Ada 500"])


def test_a_later_turn_asks_again(start: Start) -> None:
    other = ModelCall("call_q", "pay", '{"to":"Eve","amount":900}')
    world, _ = start(ask(PAY), ask(other), answer("Paid both."))
    first = world.run(input="x").pending
    assert first is not None
    second = world.resume(first, approvals={"call_p": True}).pending
    assert second is not None
    assert ([call.id for call in second.calls], MADE) == (["call_q"], ["pay Ada 500"])
    assert world.resume(second, approve=lambda call: True, approvals={}).text == "Paid both."


def test_nobody_is_asked_about_calls_that_cannot_be_made(start: Start) -> None:
    wrong = ModelCall("call_w", "pay", '{"to":"Ada","amount":"much"}')
    world, model = start(ask(wrong, ModelCall("call_n", "nobody", "{}")), answer("Sorry."))
    assert world.run(input="x").text == "Sorry."
    assert "amount" in told(model)[0]


def test_the_rule_sees_the_context(start: Start) -> None:
    wiping = ask(ModelCall("call_w", "wipe", "{}"))
    world, _ = start(wiping, answer("Wiped."), wiping, answer("never"))
    assert world.run(input="x", deps="admin").text == "Wiped."
    assert world.run(input="x", deps="guest").pending is not None
    assert MADE == ["wipe call_w"]


def test_an_approver_that_fails_ends_the_run(start: Start) -> None:
    world, _ = start(ask(PAY), answer("never"))
    thread_id = world.here.beta.threads.create().id

    def fails(call: Call) -> bool:
        raise LookupError("no such person")

    with pytest.raises(LookupError, match="no such person"):
        world.run(thread_id=thread_id, input="x", approve=fails)
    assert [run.status for run in world.here.beta.threads.runs.list(thread_id)] == ["cancelled"]
    assert MADE == []


def test_the_limit_in_seconds_holds_while_somebody_thinks(start: Start) -> None:
    world, _ = start(ask(PAY), answer("never"))
    typed = threading.Event()
    began = time.monotonic()
    with pytest.raises(LimitReached):
        world.run(input="x", approve=lambda call: typed.wait(0.6), limits=Limits(seconds=0.3))
    assert time.monotonic() - began < 5
    assert MADE == []
    typed.set()
