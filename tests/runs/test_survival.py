"""The journal on the real engine: a run that is left in the middle goes on from what was written down.

Leaving a resumed run is a crash as far as the server and the journal can tell. Processes are killed in
`tests/contract/test_journal_walk.py`.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scripted import answer, ask, asked
from tests.runs.engines import Start, World
from tests.runs.stores import Failing, Memory
from toolkit import (
    Approve,
    Call,
    CallFinished,
    CallStarted,
    CallsUnknown,
    Deny,
    FinishedCall,
    Journal,
    LimitReached,
    Limits,
    Output,
    Pending,
    RunContext,
    Toolset,
    tool,
)
from toolkit.engine.model import ModelCall
from toolkit.errors import JournalError
from toolkit.runs.kept import decided_note, finished_note, started_note

MADE: list[str] = []
GO = threading.Event()


@tool
def send(to: str) -> str:
    """Send a letter."""
    MADE.append(f"send {to}")
    return f"sent to {to}"


@tool(idempotent=True)
async def order(ctx: RunContext[None], what: str) -> str:
    """Order something."""
    MADE.append(f"order {what} {ctx.idempotency_key}")
    return f"ordered {what}"


@tool(approve=True)
def pay(amount: int) -> str:
    """Pay."""
    MADE.append(f"pay {amount}")
    GO.wait(10)
    return f"paid {amount}"


@pytest.fixture
def tools() -> Toolset:
    MADE.clear()
    GO.set()
    return Toolset(send, order, pay)


@pytest.fixture(params=["sqlite", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal:
    return Journal(tmp_path / "calls.db" if request.param == "sqlite" else Memory())


SEND = ModelCall("call_s", "send", '{"to":"Ada"}')
ORDER = ModelCall("call_o", "order", '{"what":"tea"}')
PAY = ModelCall("call_p", "pay", '{"amount":5}')


def called(call: ModelCall) -> Call:
    return Call(call.id, call.name, call.arguments)


def waiting(world: World) -> Pending:
    """A run that waits for its calls, as a crashed program has left it."""
    thread = world.here.beta.threads.create(messages=[{"role": "user", "content": "x"}])
    run = world.here.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=world.assistant_id)
    assert run.status == "requires_action"
    return Pending(run.id, thread.id)


def finished(count: int) -> Any:
    seen: list[Any] = []

    def leave(event: Any) -> bool:
        seen.append(event)
        return sum(isinstance(one, CallFinished) for one in seen) == count

    return leave


def test_a_run_that_ends_leaves_nothing_in_the_journal(start: Start, journal: Journal) -> None:
    world, _ = start(ask(SEND, ORDER), ask(ModelCall("call_t", "send", '{"to":"Bob"}')), answer("Sent."))
    assert world.run(input="x", journal=journal).text == "Sent."
    assert len(MADE) == 3
    assert journal.unfinished() == []


def test_outputs_are_handed_in_again_without_calling(start: Start, journal: Journal) -> None:
    world, model = start(ask(SEND, ORDER), answer("Sent."))
    pending = waiting(world)
    world.resume_events(pending, finished(2), journal=journal)
    [lost] = journal.unfinished()
    assert lost == pending
    result = world.resume(lost, journal=journal)
    assert (result.text, len(MADE)) == ("Sent.", 2)
    assert [one.output.content for one in result.calls] == ["sent to Ada", "ordered tea"]
    assert [chat["content"] for chat in asked(model.requests[-1])][-2:] == ["sent to Ada", "ordered tea"]
    assert journal.unfinished() == []


def test_only_what_is_missing_is_called(start: Start, journal: Journal) -> None:
    world, _ = start(ask(SEND, ORDER), answer("Sent."))
    pending = waiting(world)
    journal.add(pending.run_id, *started_note(called(SEND), 0))
    journal.add(pending.run_id, *finished_note(FinishedCall(called(SEND), Output("sent to Ada"))))
    events = world.resume_events(pending, journal=journal)
    assert MADE == [f"order tea {pending.run_id}-call_o"]
    started = [event.call.id for event in events if isinstance(event, CallStarted)]
    assert (started, len(events[-1].result.calls)) == (["call_o"], 2)


def test_a_call_cut_short_is_repeated_with_its_key_or_told(start: Start, journal: Journal) -> None:
    world, model = start(ask(SEND, ORDER), answer("Sent."))
    pending = waiting(world)
    for call in (SEND, ORDER):
        journal.add(pending.run_id, *started_note(called(call), 0))
    with pytest.raises(CallsUnknown, match=r"called send \(call_s\)") as unknown:
        world.resume(pending, journal=journal)
    assert MADE == []
    assert unknown.value.pending is not None
    assert [call.id for call in unknown.value.pending.calls] == ["call_s"]
    result = world.resume(pending, journal=journal, on_unknown="tell")
    assert (result.text, MADE) == ("Sent.", [f"order tea {pending.run_id}-call_o"])
    assert "not known whether this call took effect" in [chat["content"] for chat in asked(model.requests[-1])][-2]


@pytest.mark.parametrize("decision", [True, Deny("The post office says it was sent.")])
def test_a_person_decides_on_a_call_that_was_cut_short(start: Start, journal: Journal, decision: Any) -> None:
    world, model = start(ask(SEND), answer("Sent."))
    pending = waiting(world)
    journal.add(pending.run_id, *started_note(called(SEND), 0))
    with pytest.raises(CallsUnknown) as unknown:
        world.resume(pending, journal=journal)
    question = Pending.from_json(unknown.value.pending.to_json()) if unknown.value.pending else pending
    assert world.resume(question, journal=journal, approvals={"call_s": decision}).text == "Sent."
    assert MADE == (["send Ada"] if decision is True else [])
    assert decision is True or "The post office says" in asked(model.requests[-1])[-1]["content"]


def test_an_approval_survives_too_but_never_makes_a_call_twice(start: Start, journal: Journal) -> None:
    world, _ = start(ask(PAY), answer("Paid."))
    pending = world.run(input="x", journal=journal).pending
    assert pending is not None
    approvals = {"call_p": True}
    world.resume_events(pending, finished(1), journal=journal, approvals=approvals)
    assert MADE == ["pay 5"]
    result = world.resume(pending, journal=journal, approvals=approvals)
    assert (result.text, MADE) == ("Paid.", ["pay 5"])


def test_an_approval_given_before_the_crash_needs_not_be_given_again(start: Start, journal: Journal) -> None:
    world, _ = start(ask(PAY), answer("Paid."))
    pending = world.run(input="x").pending
    assert pending is not None
    journal.add(pending.run_id, *decided_note(called(PAY), 0, Approve()))
    assert world.resume(Pending(pending.run_id, pending.thread_id), journal=journal).text == "Paid."
    assert MADE == ["pay 5"]


def test_of_two_processes_that_resume_at_once_one_makes_the_call(start: Start, journal: Journal) -> None:
    world, _ = start(ask(PAY), answer("Paid."))
    pending = world.run(input="x").pending
    assert pending is not None
    GO.clear()
    results: list[Any] = []

    def resume() -> None:
        try:
            results.append(world.resume(pending, journal=journal, approvals={"call_p": True}).text)
        except (JournalError, CallsUnknown) as error:
            results.append(error)

    racers = [threading.Thread(target=resume) for _ in range(2)]
    for racer in racers:
        racer.start()
    deadline = time.monotonic() + 20
    while not results:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    GO.set()
    for racer in racers:
        racer.join(20)
    assert MADE == ["pay 5"]
    assert isinstance(results[0], (JournalError, CallsUnknown))
    assert results[1] == "Paid."


def test_a_result_that_came_after_everybody_had_left_is_there_for_the_next_one(start: Start, journal: Journal) -> None:
    world, _ = start(ask(PAY), answer("Paid."))
    pending = world.run(input="x").pending
    assert pending is not None
    GO.clear()
    with pytest.raises(LimitReached):
        world.resume(pending, journal=journal, approvals={"call_p": True}, limits=Limits(seconds=0.5))
    GO.set()
    deadline = time.monotonic() + 20
    while not any(key.startswith("finished") for key in journal.read(pending.run_id)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert world.resume(pending, journal=journal).text == "Paid."
    assert MADE == ["pay 5"]


@pytest.mark.parametrize("kind", ["run", "started"])
def test_a_full_disk_leaves_the_run_and_calls_nothing(start: Start, kind: str) -> None:
    store = Failing(kind)
    journal = Journal(store)
    world, _ = start(ask(SEND), answer("Sent."))
    with pytest.raises(JournalError, match="No space left") as failed:
        world.run(input="x", journal=journal)
    assert MADE == []
    assert failed.value.pending is not None
    store.kinds = ()
    deadline = time.monotonic() + 10
    while world.here.beta.threads.runs.retrieve(
        failed.value.pending.run_id, thread_id=failed.value.pending.thread_id
    ).status in ("queued", "in_progress"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert world.resume(failed.value.pending, journal=journal).text == "Sent."
    assert MADE == ["send Ada"]


def test_a_disk_that_is_full_behind_the_call_loses_nothing(start: Start) -> None:
    world, _ = start(ask(SEND), answer("Sent."))
    assert world.run(input="x", journal=Journal(Failing("finished", "submitted"))).text == "Sent."
    assert MADE == ["send Ada"]


def test_late_outputs_in_the_journal_go_to_a_new_run(start: Start, journal: Journal) -> None:
    world, model = start(ask(SEND), answer("Sent."))
    pending = waiting(world)
    world.resume_events(pending, finished(1), journal=journal)
    world.expire(pending.thread_id)
    [lost] = journal.unfinished()
    result = world.resume(lost, journal=journal, on_expiry="new_run")
    assert (result.text, MADE, journal.unfinished()) == ("Sent.", ["send Ada"], [])
    assert "sent to Ada" in asked(model.requests[-1])[-1]["content"]


def test_a_path_is_enough(start: Start, tmp_path: Path) -> None:
    world, _ = start(ask(SEND), answer("Sent."))
    assert world.run(input="x", journal=str(tmp_path / "calls.db")).text == "Sent."
    assert Journal(tmp_path / "calls.db").unfinished() == []
