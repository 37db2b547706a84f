"""Outputs that an expired run could not take go to a new run: played with values, then with real runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.scripted import answer, ask, asked
from tests.runs.engines import Start, World
from tests.runs.play import OK, Play, done, is_get, is_post, run
from toolkit import Approve, CallFinished, Deny, Limits, Pending, RunContext, RunExpired, RunKept, Toolset, tool
from toolkit.engine.model import ModelCall
from toolkit.runs.effects import Reply, RunTools
from toolkit.runs.hosts.assistants import Assistants
from toolkit.runs.late import continued_by, options_of, told
from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.output import Output

HERE = Assistants("k", "thread_1", body={"assistant_id": "asst_1"}, on_expiry="new_run")
PICKED_UP = Assistants("k", "thread_1", "run_1", on_expiry="new_run")
WAITING, EXPIRED = Reply(200, run("requires_action", "c1", "c2")), Reply(200, run("expired"))
REFUSED = Reply(400, error=ValueError('Runs in status "expired" do not accept tool outputs.'))
NO_MESSAGES = Reply(200, {"data": []})
NO_RUNS = Reply(200, {"data": [run("expired")]})
RUN = "/threads/thread_1/runs/run_1"


def step(*outputs: str | None) -> Reply:
    calls = [
        {"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": "{}", "output": output}}
        for n, output in enumerate(outputs, start=1)
    ]
    return Reply(200, {"data": [{"step_details": {"type": "tool_calls", "tool_calls": calls}}]})


def test_outputs_that_came_too_late_go_to_a_new_run() -> None:
    play = Play(HERE)
    effect = play.send(WAITING, done("c1", "c2"), REFUSED, EXPIRED)
    assert is_get(effect, "/threads/thread_1/runs")
    assert is_get(play.send(NO_RUNS), f"{RUN}/steps")
    effect = play.send(step(None, None))
    assert is_post(effect, "/threads/thread_1/runs")
    assert effect.headers["Idempotency-Key"] == "after-run_1"
    assert effect.body["metadata"] == {"continues_run": "run_1"}
    assert [one["metadata"] for one in effect.body["additional_messages"]] == [{"late_call": "c1"}, {"late_call": "c2"}]
    result = play.end(Reply(200, {**OK, "id": "run_2"}))
    assert (result.run_id, [one.call.id for one in result.calls], result.turns) == ("run_2", ["c1", "c2"], 1)


def test_the_tokens_of_the_expired_run_count() -> None:
    play, used = Play(HERE), {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    play.send(WAITING, done("c1", "c2"), REFUSED, Reply(200, run("expired", usage=used)), NO_RUNS, step(None, None))
    result = play.end(Reply(200, {**OK, "id": "run_2", "usage": used}))
    assert result.usage is not None and result.usage.total_tokens == 24


def test_without_that_policy_the_outputs_are_told_to_the_app() -> None:
    play = Play()
    with pytest.raises(RunExpired, match="What f, f gave came too late") as expired:
        play.send(WAITING, done("c1", "c2"), REFUSED, EXPIRED, NO_MESSAGES)
    assert [one.call.id for one in expired.value.late] == ["c1", "c2"]


def test_only_outputs_that_the_server_lacks_are_late() -> None:
    play = Play()
    play.send(WAITING, done("c1", "c2"), Reply(200, run("requires_action", "c3")))
    with pytest.raises(RunExpired) as expired:
        play.send(done("c3"), REFUSED, EXPIRED, NO_MESSAGES)
    assert [one.call.id for one in expired.value.late] == ["c3"]


def test_a_run_that_expired_while_the_model_was_at_work_has_nothing_to_hand_over() -> None:
    play = Play(HERE)
    play.send(Reply(200, run("expired")), NO_RUNS)
    with pytest.raises(RunExpired, match=r"before it was done\.$"):
        play.send(step("done", "done"))


def test_the_calls_of_a_run_that_expired_before_us_are_made_first() -> None:
    play = Play(PICKED_UP)
    effect = play.send(EXPIRED, NO_RUNS, step("out", None))
    assert isinstance(effect, RunTools)
    assert effect.calls == (Call("c2", "f", "{}"),)
    assert is_post(play.send(done("c2")), "/threads/thread_1/runs")


def test_a_new_run_that_somebody_has_made_already_is_gone_on_with() -> None:
    play = Play(PICKED_UP)
    heir = run("requires_action", "c9", id="run_2", metadata={"continues_run": "run_1"})
    effect = play.send(EXPIRED, Reply(200, {"data": [run("completed", id="run_3"), heir, run("expired")]}))
    assert isinstance(effect, RunTools)
    assert (effect.run_id, effect.calls) == ("run_2", (Call("c9", "f", "{}"),))


def test_the_new_run_is_ours_and_is_cancelled_when_we_leave() -> None:
    play = Play(PICKED_UP)
    play.send(EXPIRED, NO_RUNS, step(None), done("c1"), Reply(200, run("in_progress", id="run_2")))
    effect = play.send(Reply(left=KeyboardInterrupt()))
    assert is_post(effect, "/threads/thread_1/runs/run_2/cancel")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Reply(200, {"object": "page"}), "is this the API that was asked for"),
        (Reply(400, error=ValueError("no such model")), "not made: no such model"),
    ],
)
def test_a_new_run_that_cannot_be_made_leaves_the_old_one_to_be_resumed(answer: Reply, said: str) -> None:
    play = Play(HERE)
    play.send(WAITING, done("c1", "c2"), REFUSED, EXPIRED, NO_RUNS, step(None, None))
    with pytest.raises(RunKept, match=said) as kept:
        play.send(answer)
    assert kept.value.pending == Pending("run_1", "thread_1")
    assert kept.value.result is not None
    assert len(kept.value.result.calls) == 2


def test_leaving_while_the_new_run_is_made_looks_for_it() -> None:
    play = Play(HERE)
    play.send(WAITING, done("c1", "c2"), REFUSED, EXPIRED, NO_RUNS, step(None, None))
    assert is_get(play.send(Reply(left=KeyboardInterrupt())), "/threads/thread_1/runs")
    new = Reply(200, {"data": [run("queued", id="run_2")]})
    assert is_post(play.send(new), "/threads/thread_1/runs/run_2/cancel")


def test_the_new_run_is_like_the_old_one() -> None:
    old = run(
        "expired",
        model="m",
        instructions="Be brief.",
        tools=[{"type": "function", "function": {"name": "f"}}],
        temperature=0.2,
        top_p=1.0,
        tool_choice="required",
        response_format="auto",
        truncation_strategy={"type": "last_messages", "last_messages": 3},
        max_prompt_tokens=None,
        metadata={"team": "a"},
        usage={"total_tokens": 3},
    )
    assert options_of(old) == {
        "assistant_id": "asst_1",
        "model": "m",
        "instructions": "Be brief.",
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "temperature": 0.2,
        "tool_choice": "required",
        "truncation_strategy": {"type": "last_messages", "last_messages": 3},
        "metadata": {"team": "a", "continues_run": "run_1"},
    }
    assert continued_by(options_of(old)) == "run_1"
    assert continued_by(run("queued")) is None


def test_metadata_that_is_full_stays_as_it_is() -> None:
    full = {f"key_{n}": "value" for n in range(16)}
    assert options_of(run("expired", metadata=full))["metadata"] == full


def test_what_the_model_reads() -> None:
    message = told("run_1", FinishedCall(Call("c1", "pay", '{"amount": 5}'), Output("paid")))
    assert message["role"] == "user"
    assert message["content"].endswith('Call: pay({"amount": 5})\nAnswer: paid')


# -- real runs ---------------------------------------------------------------------------------------------------------

MADE: list[int] = []


@tool
def slow(number: int, ctx: RunContext[World | None]) -> str:
    """Take longer than a run lives."""
    MADE.append(number)
    if number and ctx.deps is not None:
        ctx.deps.expire(ctx.thread_id)
    return f"slow {number}"


@tool(approve=True)
def pay(amount: int) -> str:
    """Pay."""
    MADE.append(amount)
    return f"paid {amount}"


@pytest.fixture
def tools() -> Toolset:
    MADE.clear()
    return Toolset(slow, pay)


PAY = ask(ModelCall("call_p", "pay", '{"amount":5}'), ModelCall("call_s", "slow", '{"number":0}'))
SLOW = ask(ModelCall("call_s", "slow", '{"number":1}'))
NEW_RUN: dict[str, Any] = {"on_expiry": "new_run"}


def test_a_tool_that_outlives_its_run(start: Start) -> None:
    world, model = start(SLOW, answer("It was slow."))
    first = world.here.beta.threads.create(messages=[{"role": "user", "content": "Go."}])
    events = world.events(thread_id=first.id, metadata={"team": "a"}, deps=world, **NEW_RUN)
    result = events[-1].result
    assert (result.text, [one.output.content for one in result.calls], MADE) == ("It was slow.", ["slow 1"], [1])
    assert sum(isinstance(event, CallFinished) for event in events) == 1
    new, old = world.here.beta.threads.runs.list(first.id).data
    assert (old.status, new.id, new.metadata) == ("expired", result.run_id, {"team": "a", "continues_run": old.id})
    assert "slow 1" in asked(model.requests[-1])[-1]["content"]


def test_without_the_policy_it_is_an_exception_with_the_outputs(start: Start) -> None:
    world, _ = start(SLOW, answer("never"))
    with pytest.raises(RunExpired, match="What slow gave came too late") as expired:
        world.run(input="Go.", deps=world)
    assert [one.output.content for one in expired.value.late] == ["slow 1"]


def test_an_approval_that_comes_after_the_run_has_expired(start: Start) -> None:
    world, model = start(PAY, answer("Paid."))
    pending = world.run(input="Pay.").pending
    assert pending is not None
    world.expire(pending.thread_id)
    with pytest.raises(RunExpired, match='Nothing was called: resume it with on_expiry="new_run"'):
        world.resume(pending, approvals={"call_p": True})
    assert MADE == []
    result = world.resume(pending, approvals={"call_p": Approve({"amount": 4})}, **NEW_RUN)
    assert (result.text, sorted(MADE)) == ("Paid.", [0, 4])
    told = [chat["content"] for chat in asked(model.requests[-1])][-2:]
    assert "paid 4\n[Made with other arguments than yours" in told[0]
    assert "slow 0" in told[1]
    again = world.resume(pending, approvals={"call_p": True}, **NEW_RUN)
    assert (again.run_id, again.text, len(MADE)) == (result.run_id, "Paid.", 2)


def test_a_run_that_has_expired_still_asks_for_its_approvals(start: Start) -> None:
    world, _ = start(PAY, answer("Not paid."))
    first = world.run(input="Pay.").pending
    assert first is not None
    world.expire(first.thread_id)
    second = world.resume(first, **NEW_RUN).pending
    assert second == replace(first, expires_at=second.expires_at if second else None)
    assert second is not None
    result = world.resume(second, approvals={"call_p": Deny("No.")}, **NEW_RUN)
    assert (result.text, MADE) == ("Not paid.", [0])


def test_the_offline_model_understands_it(start: Start) -> None:
    world, _ = start(answer("never"))
    result = world.run(input="Slow number 1", deps=world, model="offline", **NEW_RUN)
    assert (result.turns, "slow 1" in result.text) == (1, True)


def test_the_limits_hold_over_both_runs(start: Start) -> None:
    world, _ = start(SLOW, SLOW, answer("never"))
    with pytest.raises(Exception, match="Limits\\(turns=1\\)"):
        world.run(input="Go.", limits=Limits(turns=1), deps=world, **NEW_RUN)
