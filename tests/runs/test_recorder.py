from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.runs.play import run
from tests.runs.stores import Failing, Memory
from toolkit import Journal
from toolkit.errors import JournalError
from toolkit.runs.decisions import Deny
from toolkit.runs.effects import Record, RunTools
from toolkit.runs.events import ServerEvent, TextDelta
from toolkit.runs.kept import (
    Kept,
    decided_note,
    kept_calls,
    run_note,
    started_note,
    state_of,
    uploads_in,
)
from toolkit.runs.recorder import Recorder
from toolkit.runs.result import Result
from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.output import Output

CALL = Call("call_1", "pay", '{"amount": 5}')
TURN = RunTools((CALL,), {}, "run_1", "thread_1")
DONE = FinishedCall(CALL, Output("paid"))


def event(name: str, **data: Any) -> ServerEvent:
    return ServerEvent(name, json.dumps(data).encode())


CREATED = event("thread.run.created", id="run_1", thread_id="thread_1", metadata={})


def submitted(kind: str = "tool_calls") -> ServerEvent:
    calls = {"tool_calls": [{"id": "call_1"}]} if kind == "tool_calls" else {"message_creation": {}}
    return event("thread.run.step.completed", run_id="run_1", type=kind, step_details=calls)


def ended(status: str, **more: Any) -> Result:
    return Result((), 1, run(status, **more), ())


def test_without_a_journal_nothing_happens() -> None:
    recorder = Recorder(None)
    assert not recorder.is_on
    assert not recorder.cares(CREATED)
    assert (recorder.recall("run_1"), recorder.turn(TURN)) == ({}, None)
    recorder.ended(ended("completed"))
    asyncio.run(recorder.aended(ended("completed")))


def test_an_event_in_broken_json_is_as_if_it_had_been_lost() -> None:
    store = Memory()
    Recorder(Journal(store)).heard(ServerEvent("thread.run.created", b"{{"))
    assert list(store.read("run_1")) == []


def test_the_life_of_a_call() -> None:
    store = Memory()
    recorder = Recorder(Journal(store))
    assert recorder.cares(CREATED)
    assert not recorder.cares(TextDelta("Hi", "msg_1"))
    assert not recorder.cares(event("thread.message.delta"))
    recorder.heard(CREATED)
    assert list(store.read("run_1")) == ["run"]
    recorder.recall("run_1")
    turn = recorder.turn(TURN)
    assert turn is not None
    turn.started(CALL)
    assert kept_calls(store.read("run_1")) == {"call_1": Kept(1, None, CALL)}
    turn.finished(DONE)
    recorder.heard(submitted("message_creation"))
    recorder.heard(submitted())
    assert kept_calls(store.read("run_1")) == {"call_1": Kept(1, None, CALL, Output("paid"), None, True)}
    asyncio.run(recorder.aended(ended("completed")))
    assert list(store.runs()) == []


def test_a_run_that_was_picked_up_is_in_the_journal_before_its_first_call() -> None:
    store = Memory()
    Recorder(Journal(store)).turn(RunTools((CALL,), {}, "run_1", "thread_1", notes=(decided_note(CALL, 0, Deny()),)))
    assert list(store.read("run_1")) == ["run", "decided.0 call_1"]


def test_a_call_that_begins_again_counts_on() -> None:
    store = Memory()
    store.add("run_1", *started_note(CALL, 0))
    recorder = Recorder(Journal(store))
    recorder.recall("run_1")
    turn = recorder.turn(TURN)
    assert turn is not None
    turn.started(CALL)
    assert kept_calls(store.read("run_1"))["call_1"].starts == 2


def test_a_call_that_another_process_has_just_begun_is_not_made() -> None:
    journal = Journal(Memory())
    turns = []
    for _ in range(2):
        recorder = Recorder(journal)
        recorder.recall("run_1")
        turns.append(recorder.turn(TURN))
    first, second = turns
    assert first is not None
    assert second is not None
    first.started(CALL)
    with pytest.raises(JournalError, match="Another process has just begun the call call_1 of run run_1"):
        second.started(CALL)


def ours(*messages: str) -> RunTools:
    return RunTools((CALL,), {}, "run_1", "", state={"id": "run_1", "messages": list(messages)})


def test_of_a_run_that_no_server_keeps_what_is_new_is_written() -> None:
    store = Memory()
    recorder = Recorder(Journal(store))
    for messages in (["a"], ["a"], ["a", "b"]):
        recorder.recall("run_1")
        assert recorder.turn(ours(*messages)) is not None
        assert state_of(store.read("run_1")) == {"id": "run_1", "messages": messages}
    resumed = Recorder(Journal(store))
    resumed.recall("run_1")
    resumed.turn(ours("a", "b", "c"))
    assert list(store.read("run_1")) == ["run", "state.1", "state.2"]
    assert '"a"' not in store.read("run_1")["state.2"]
    assert state_of(store.read("run_1")) == {"id": "run_1", "messages": ["a", "b", "c"]}


def test_a_journal_of_before_is_gone_on_with() -> None:
    store = Memory()
    store.add("run_1", *run_note(""))
    store.add("run_1", "state.1", '{"id": "run_1", "messages": ["a"]}')
    store.add("run_1", "state.2", '{"id": "run_1", "messages": ["a", "b"]}')
    recorder = Recorder(Journal(store))
    recorder.recall("run_1")
    recorder.turn(ours("a", "b", "c"))
    assert json.loads(store.read("run_1")["state.3"]) == {"changed": {}, "longer": {"messages": ["c"]}}
    assert state_of(store.read("run_1")) == {"id": "run_1", "messages": ["a", "b", "c"]}


def test_two_processes_do_not_mix_what_is_new_in_a_run() -> None:
    store = Memory()
    first, second = Recorder(Journal(store)), Recorder(Journal(store))
    for recorder in (first, second):
        recorder.recall("run_1")
    assert first.turn(ours("a")) is not None
    with pytest.raises(JournalError, match="Another process goes on with run run_1, or has ended it"):
        second.turn(ours("a"))
    for recorder in (first, second):
        recorder.recall("run_1")
    assert first.turn(ours("a", "b")) is not None
    with pytest.raises(JournalError, match="Another process goes on with run run_1, or has ended it"):
        second.turn(ours("a", "other"))
    assert state_of(store.read("run_1")) == {"id": "run_1", "messages": ["a", "b"]}


def test_what_cannot_be_written_before_a_call_is_an_error_and_what_cannot_behind_it_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for kind in ("run", "started"):
        with pytest.raises(JournalError, match="No space left"):
            turn = Recorder(Journal(Failing(kind))).turn(TURN)
            assert turn is not None
            turn.started(CALL)
    turn = Recorder(Journal(Failing("finished"))).turn(TURN)
    assert turn is not None
    turn.finished(DONE)
    assert "what call call_1 of run run_1 gave is not in the journal" in caplog.text
    assert "amount" not in caplog.text


def test_what_came_of_an_upload() -> None:
    store = Memory()
    Recorder(Journal(store)).uploaded(Record("run_1", CALL, "key", "file-1"))
    assert uploads_in(store.read("run_1")) == {"key": "file-1"}
    Recorder(None).uploaded(Record("run_1", CALL, "key", "file-1"))


def test_an_upload_that_failed_or_cannot_be_written_down_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    Recorder(Journal(Failing("file."))).uploaded(Record("run_1", CALL, "key", "file-1"))
    assert "tool pay: a file of call call_1 of run run_1 is not in the journal" in caplog.text
    store = Memory()
    Recorder(Journal(store)).uploaded(Record("run_1", CALL, "key", None, ValueError("of the user's")))
    assert "call call_1 of run run_1 returned could not be uploaded: ValueError" in caplog.text
    assert store.read("run_1") == {}
    assert "of the user's" not in caplog.messages[-1]


@pytest.mark.parametrize(
    ("status", "has_output", "is_submitted", "forgotten"),
    [
        ("completed", True, False, True),
        ("incomplete", True, True, True),
        ("failed", True, False, True),
        ("cancelled", True, False, True),
        ("expired", True, True, True),
        ("expired", True, False, False),
        ("expired", False, False, True),
        ("requires_action", True, False, False),
        ("in_progress", True, True, False),
    ],
)
def test_which_runs_are_forgotten(status: str, has_output: bool, is_submitted: bool, forgotten: bool) -> None:
    store = Memory()
    recorder = Recorder(Journal(store))
    recorder.heard(CREATED)
    turn = recorder.turn(TURN)
    if has_output and turn is not None:
        turn.started(CALL)
        turn.finished(DONE)
    if is_submitted:
        recorder.heard(submitted())
    recorder.ended(ended(status))
    assert list(store.runs()) == ([] if forgotten else ["run_1"])


def test_a_run_that_goes_on_from_an_expired_one_takes_its_place() -> None:
    store = Memory()
    recorder = Recorder(Journal(store))
    recorder.heard(CREATED)
    recorder.heard(event("thread.run.created", id="run_2", thread_id="t", metadata={"continues_run": "run_1"}))
    assert list(store.runs()) == ["run_2"]
    store.add("run_1", "run", "{}")
    recorder.ended(ended("completed", id="run_2", metadata={"continues_run": "run_1"}))
    assert list(store.runs()) == []


def test_a_run_without_a_result_and_a_journal_that_cannot_forget(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(Memory):
        def forget(self, run_id: str) -> None:
            raise OSError("locked")

    Recorder(Journal(Stuck())).ended(None)
    Recorder(Journal(Stuck())).ended(ended("completed"))
    assert "run run_1: the journal could not forget it" in caplog.text
