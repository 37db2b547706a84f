from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.runs.decisions import Approve, Decision, Deny
from toolkit.runs.effects import Json
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
    entries = dict([finished_note(FinishedCall(CALL, output)), ("state.2", '{"n": 2}'), ("state.10", '{"n": 10}')])
    assert kept_calls(entries)[CALL.id].output == output
    assert kept_calls(entries, {"call_9"}) == {}
    assert (state_of(entries), states_in(entries), state_of({})) == ({"n": 10}, [2, 10], None)


def test_a_state_says_what_is_new() -> None:
    first: Json = {"id": "run_1", "status": "requires_action", "messages": [{"n": 1}], "ids": ["a"], "answer": {"n": 1}}
    then = {**first, "messages": [{"n": 1}, {"n": 2}], "answer": {"n": 2}, "thread_id": "thread_1"}
    assert state_of(dict([run_note("t", first)])) == first
    assert state_note(2, first, first) is None
    changed = {"answer": {"n": 2}, "thread_id": "thread_1"}
    news = {"changed": changed, "longer": {"messages": [{"n": 2}]}}
    assert state_note(2, first, then) == ("state.2", json.dumps(news))
    assert state_note(2, then, first) == ("state.2", json.dumps(first)), "whole where something is not there any more"


NAMES = st.sampled_from(["messages", "input", "answer", "changed", "longer"])
STATES = st.lists(
    st.dictionaries(NAMES, st.lists(st.sampled_from([{"n": 1}, "é\ud800", None]), max_size=4) | st.text(max_size=2)),
    max_size=6,
)


@given(STATES)
def test_states_cut_at_any_instant_are_the_last_one_that_was_written(states: list[dict[str, Any]]) -> None:
    states = [{"id": "run_1", **state} for state in states]
    before: Json = {"id": "run_1"}
    entries = dict([run_note("thread_1", before)])
    for state in states:
        note = state_note(len(entries), before, state)
        entries |= [note] if note is not None else []
        before = json.loads(json.dumps(state))
        assert state_of(entries) == state
    assert thread_of(entries) == "thread_1"


@given(st.lists(st.lists(st.text(max_size=20), max_size=3), min_size=1, max_size=8))
def test_a_conversation_is_written_once(turns: list[list[str]]) -> None:
    messages: list[str] = []
    before: Json = {"id": "run_1", "messages": []}
    entries = dict([run_note("", before)])
    for turn in turns:
        messages = [*messages, *turn]
        state: Json = {"id": "run_1", "messages": messages}
        note = state_note(len(entries), before, state)
        entries |= [note] if note is not None else []
        before = state
    assert sum(map(len, entries.values())) <= len(json.dumps(before)) + 60 * (1 + len(turns))
