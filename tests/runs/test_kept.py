from __future__ import annotations

import json

import pytest

from toolkit.runs.decisions import Approve, Decision, Deny
from toolkit.runs.kept import (
    Kept,
    decided_note,
    finished_note,
    kept_calls,
    run_note,
    started_note,
    state_note,
    state_of,
    states_in,
    submitted_note,
    thread_of,
    uploaded_note,
    uploads_in,
)
from toolkit.tools.attachments import Image
from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.output import Output

CALL = Call("call 1/a.b", "pay", '{"amount": 5}')  # ids are the server's: any text
CHANGED = Call(CALL.id, "pay", '{"amount": 1}')
DONE = FinishedCall(CALL, Output("paid", ok=False))


def test_nothing() -> None:
    assert kept_calls({}) == {}
    assert thread_of({}) is None


def test_the_run_itself_is_no_call() -> None:
    entries = dict([run_note("thread_1")])
    assert (kept_calls(entries), thread_of(entries)) == ({}, "thread_1")


def test_a_call_on_its_way() -> None:
    notes = [run_note("t")]
    notes.append(started_note(CALL, 0))
    assert kept_calls(dict(notes)) == {CALL.id: Kept(1, None, CALL)}
    notes.append(finished_note(DONE))
    assert kept_calls(dict(notes)) == {CALL.id: Kept(1, None, CALL, Output("paid", ok=False))}
    notes.append(submitted_note(CALL.id))
    assert kept_calls(dict(notes)) == {CALL.id: Kept(1, None, CALL, Output("paid", ok=False), None, True)}


@pytest.mark.parametrize("turned", [False, True], ids=["in order", "in any order"])
def test_starts_are_counted_and_the_last_arguments_are_those(turned: bool) -> None:
    notes = [started_note(CALL, 0), started_note(CHANGED, 1)]
    entries = dict(reversed(notes) if turned else notes)
    assert kept_calls(entries)[CALL.id] == Kept(2, None, CHANGED)


@pytest.mark.parametrize("decision", [Approve(), Approve('{"amount": 1}'), Deny(), Deny("no")])
def test_a_decision_is_on_the_next_start_alone(decision: Decision) -> None:
    before = dict([decided_note(CALL, 0, decision)])
    assert kept_calls(before)[CALL.id] == Kept(0, CALL, None, None, decision)
    begun = {**before, **dict([started_note(CHANGED, 0)])}
    assert kept_calls(begun)[CALL.id] == Kept(1, CALL, CHANGED)
    again = {**begun, **dict([decided_note(CALL, 1, Deny("enough"))])}
    assert kept_calls(again)[CALL.id] == Kept(1, CALL, CHANGED, None, Deny("enough"))


def test_a_mapping_of_arguments_is_kept_as_json() -> None:
    _, text = decided_note(CALL, 0, Approve({"amount": 1}))
    assert json.loads(text)["changed"] == '{"amount": 1}'


def test_uploads_are_kept_beside_the_calls() -> None:
    entries = dict([started_note(CALL, 0), uploaded_note("run_1-abc", "file-1"), uploaded_note("run_1-def", "file-2")])
    assert uploads_in(entries) == {"run_1-abc": "file-1", "run_1-def": "file-2"}
    assert list(kept_calls(entries)) == [CALL.id]
    assert (states_in(entries), uploads_in({})) == ([], {})


def test_images_and_states_are_kept() -> None:
    output = Output("[An image]", True, (Image(b"png"), "a text"))
    entries = dict([finished_note(FinishedCall(CALL, output)), state_note(1, {"n": 1}), state_note(10, {"n": 10})])
    assert kept_calls(entries)[CALL.id].output == output
    assert (state_of(entries), states_in(entries), state_of({})) == ({"n": 10}, [1, 10], None)
