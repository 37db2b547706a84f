"""The answers of a turn, played with values: what is recalled, who is asked, what is run, and what leaves the run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.runs.play import CREATED, OK, PICKED_UP, RUN, Play, done, is_get, is_post, run
from toolkit import Approve, CallsUnknown, Deny, Limits, Pending, RunKept, Toolset, tool
from toolkit.errors import ApprovalMismatch, JournalError
from toolkit.runs.effects import Ask, Call, Recall, Reply, RunTools
from toolkit.runs.gate import Gate
from toolkit.runs.kept import finished_note, started_note
from toolkit.tools.calls import FinishedCall
from toolkit.tools.output import Output


@tool(approve=True)
def f(x: int = 0) -> int:
    """Do it."""
    return x


GATE = Gate(toolset=Toolset(f))
C1, C2 = Call("c1", "f", "{}"), Call("c2", "f", "{}")
WAITING = Reply(200, run("requires_action", "c1", "c2", expires_at=1600))


def test_calls_to_approve_are_asked_about_and_then_run() -> None:
    play = Play(gate=GATE)
    assert play.send(WAITING) == Ask((C1, C2))
    effect = play.send(Reply(decisions={"c1": Approve({"x": 1}), "c2": Deny("no")}))
    assert isinstance(effect, RunTools)
    assert effect.calls == (Call("c1", "f", '{"x": 1}'), C2)
    assert (list(effect.settled), effect.changed) == ([1], {0})
    assert effect.to_make == ((0,), (effect.calls[0],))
    told = effect.told(0, FinishedCall(effect.calls[0], Output("1")))
    assert told.output.content == '1\n[Made with other arguments than yours: {"x": 1}]'
    assert effect.told(1, effect.settled[1]) is effect.settled[1]


@pytest.mark.parametrize("decisions", [{}, {"c1": Approve()}])
def test_without_all_decisions_nothing_is_run_and_the_run_is_left(decisions: Any) -> None:
    play = Play(gate=GATE)
    play.send(WAITING)
    result = play.end(Reply(decisions=decisions))
    assert result.pending == Pending("run_1", "thread_1", (C1, C2), 1600)
    assert (result.status, result.calls) == ("requires_action", ())


def test_decisions_that_come_along_are_not_asked_for_again() -> None:
    pending = Pending("run_1", "thread_1", (C1, C2))
    gate = replace(GATE, pending=pending, decisions={"c1": Approve(), "c2": Approve()})
    play = Play(PICKED_UP, gate=gate)
    assert is_get(play.effect, RUN)
    effect = play.send(WAITING)
    assert isinstance(effect, RunTools)
    assert effect.to_make == ((0, 1), (C1, C2))
    assert is_post(play.send(done("c1", "c2")), f"{RUN}/submit_tool_outputs")


def test_what_was_approved_is_not_what_is_asked_for() -> None:
    other = Call("c1", "f", '{"x": 2}')
    gate = replace(GATE, pending=Pending("run_1", "thread_1", (other,)), decisions={"c1": Approve()})
    play = Play(PICKED_UP, gate=gate)
    with pytest.raises(ApprovalMismatch) as refused:
        play.send(WAITING)
    assert refused.value.pending == Pending("run_1", "thread_1", expires_at=1600)
    assert refused.value.result is not None


def test_the_journal_is_read_before_anything_else() -> None:
    play = Play(gate=replace(GATE, has_journal=True))
    assert play.send(WAITING) == Recall("run_1")
    kept = dict([started_note(C1, 0), finished_note(FinishedCall(C1, Output("out")))])
    effect = play.send(Reply(kept=kept))
    assert effect == Ask((C2,))
    effect = play.send(Reply(decisions={"c2": Approve()}))
    assert isinstance(effect, RunTools)
    assert effect.settled[0].output == Output("out")
    assert [key for key, _ in effect.notes] == ["decided.0 c2"]


def test_a_call_that_a_crash_has_cut_short_is_told_to_the_app() -> None:
    play = Play(PICKED_UP, gate=replace(GATE, has_journal=True))
    play.send(WAITING)
    with pytest.raises(CallsUnknown, match=r"called f \(c1\)") as unknown:
        play.send(Reply(kept=dict([started_note(C1, 0)])))
    assert unknown.value.pending == Pending("run_1", "thread_1", (C1,), 1600, {"c1": 1})
    assert unknown.value.result is not None


def test_a_run_that_is_left_is_not_cancelled() -> None:
    for reason in (JournalError("full"), RunKept("other")):
        play = Play(gate=replace(GATE, has_journal=True))
        play.send(WAITING)
        with pytest.raises(RunKept) as left:
            play.send(Reply(left=reason))
        assert left.value is reason
        assert left.value.pending == Pending("run_1", "thread_1", expires_at=1600)
        assert left.value.run is not None


def test_an_approver_that_raises_ends_the_run() -> None:
    play = Play(gate=GATE)
    play.send(WAITING)
    assert is_post(play.send(Reply(left=LookupError("the app's"))), f"{RUN}/cancel")
    with pytest.raises(LookupError):
        play.send(Reply(200, run("cancelled")))


def test_a_limit_is_seen_before_anybody_is_asked() -> None:
    play = Play(limits=Limits(calls=1), gate=GATE)
    assert is_post(play.send(WAITING), f"{RUN}/cancel")


def test_without_approvals_nothing_is_asked() -> None:
    play = Play(gate=Gate(toolset=Toolset()))
    assert isinstance(play.send(WAITING), RunTools)
    assert play.end(play_submitted(play)).status == "completed"


def play_submitted(play: Play) -> Reply:
    play.send(done("c1", "c2"))
    return Reply(200, OK)


def test_created_is_still_working() -> None:
    assert is_get(Play(gate=GATE).send(CREATED), RUN)
