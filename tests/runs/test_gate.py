"""Which calls are made, as a matter of values: nothing is asked, read or called."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import RunContext, ToolError, Toolset, tool
from toolkit.errors import ApprovalMismatch, RunKept
from toolkit.runs.decisions import Approve, Decision, Deny
from toolkit.runs.gate import Gate, Sorted
from toolkit.runs.kept import Kept, decided_note
from toolkit.runs.pending import Pending
from toolkit.tools.calls import Call
from toolkit.tools.output import Output


@tool(approve=True)
def pay(amount: int) -> int:
    """Pay."""
    return amount


@tool(read_only=True)
def look(amount: int) -> int:
    """Look."""
    return amount


@tool(idempotent=True)
def put(amount: int) -> int:
    """Put."""
    return amount


@tool
def send(amount: int) -> int:
    """Send."""
    return amount


@tool(approve=lambda ctx, amount: amount > ctx.deps)
def spend(ctx: RunContext[int], amount: int) -> int:
    """Spend."""
    return amount


TOOLS = Toolset(pay, look, put, send, spend)
RUN = {"id": "run_1", "thread_id": "thread_1"}


def call(name: str, amount: object = 5, call_id: str | None = None) -> Call:
    return Call(call_id or f"call_{name}", name, json.dumps({"amount": amount}))


def sort(
    *calls: Call, kept: dict[str, Kept] | None = None, decisions: dict[str, Decision] | None = None, **gate: Any
) -> Sorted:
    made = Gate(toolset=TOOLS, **gate)
    return made.sort(RUN, calls, kept or {}, decisions or {})


def test_calls_that_need_nothing_are_made_as_they_are() -> None:
    calls = [call("look"), call("send"), call("nobody"), call("pay", "five")]
    assert sort(*calls) == Sorted(calls)


def test_calls_to_approve_are_told_apart() -> None:
    assert sort(call("look"), call("pay")).to_approve == [call("pay")]
    assert sort(call("spend", 11), deps=10).to_approve == [call("spend", 11)]
    assert sort(call("spend", 10), deps=10).to_approve == []


def test_variations_of_a_toolset_keep_what_needs_approval() -> None:
    varied = Gate(toolset=TOOLS.prefixed("my_").guarded(lambda ctx, arguments: None), deps=10)
    calls = [call("my_pay"), call("my_spend", 11), call("my_look")]
    assert varied.sort(RUN, calls, {}, {}).to_approve == calls[:2]
    hidden = Gate(toolset=TOOLS.filtered(lambda ctx: ctx.tool != "pay"))
    assert hidden.sort(RUN, [call("pay")], {}, {}).to_approve == []  # the model is told that there is no such tool


def test_an_approved_call_is_made() -> None:
    assert sort(call("pay"), decisions={"call_pay": Approve()}) == Sorted([call("pay")])


def test_a_denied_call_is_answered_with_the_reason() -> None:
    found = sort(call("look"), call("pay"), decisions={"call_pay": Deny("Not today.")})
    finished = found.settled[1]
    assert finished.output == Output("This call was not approved, and was not made. Not today.", ok=False)
    assert isinstance(finished.error, ToolError)
    assert (found.to_approve, list(found.settled)) == ([], [1])


def test_changed_arguments() -> None:
    found = sort(call("pay"), decisions={"call_pay": Approve({"amount": 1})})
    assert found == Sorted([call("pay", 1)], changed={0})


@pytest.mark.parametrize("arguments", ["{", {}, {"amount": "five"}, {"amount": 1, "to": "me"}])
def test_changed_arguments_are_checked(arguments: Any) -> None:
    with pytest.raises(ApprovalMismatch, match=r"arguments given for pay \(call_pay\) do not fit, and nothing"):
        sort(call("look"), call("pay"), decisions={"call_pay": Approve(arguments)})


def test_a_decision_is_about_exactly_one_call() -> None:
    pending = Pending("run_1", "thread_1", (call("pay"),))
    decisions: dict[str, Decision] = {"call_pay": Approve()}
    assert sort(call("pay"), pending=pending, decisions=decisions) == Sorted([call("pay")])
    for other in (call("pay", 6), call("send", 5, "call_pay")):
        with pytest.raises(
            ApprovalMismatch,
            match=r"is about pay.*but the run asks for .* Nothing was called\. Decide on what it asks for now",
        ):
            sort(other, pending=pending, decisions=decisions)
    asks_for_more = sort(call("pay"), call("pay", 6, "call_2"), pending=pending, decisions=decisions)
    assert asks_for_more.to_approve == [call("pay", 6, "call_2")]


# -- after a crash -----------------------------------------------------------------------------------------------------


def test_what_had_finished_is_not_called_again() -> None:
    kept = {"call_send": Kept(1, None, call("send"), Output("sent"))}
    found = sort(call("send"), kept=kept)
    assert found.settled[0].output == Output("sent")


def test_what_had_finished_with_changed_arguments() -> None:
    kept = {"call_pay": Kept(1, call("pay"), call("pay", 1), Output("paid"))}
    found = sort(call("pay"), kept=kept)
    assert (found.settled[0].call, found.changed) == (call("pay", 1), {0})


@pytest.mark.parametrize("name", ["look", "put"])
def test_what_may_be_repeated_is_called_again_with_the_same_arguments(name: str) -> None:
    assert sort(call(name), kept={f"call_{name}": Kept(1, None, call(name))}) == Sorted([call(name)])


def test_nobody_knows_of_the_others() -> None:
    kept = {"call_send": Kept(2, None, call("send")), "call_pay": Kept(1, call("pay"), call("pay"))}
    assert sort(call("send"), call("look"), call("pay"), kept=kept).unknown == {call("send"): 2, call("pay"): 1}
    told = sort(call("send"), call("look"), kept=kept, on_unknown="tell")
    assert (told.unknown, "not known whether" in told.settled[0].output.content) == ({}, True)


def test_a_tool_that_is_gone_may_not_be_repeated() -> None:
    gone = Call("call_1", "gone", "{}")
    assert sort(gone, kept={"call_1": Kept(1, None, gone)}).unknown == {gone: 1}


def test_what_was_approved_before_the_crash_does_not_repeat_a_call() -> None:
    kept = {"call_pay": Kept(1, call("pay"), call("pay"))}
    decisions: dict[str, Decision] = {"call_pay": Approve()}
    first = Pending("run_1", "thread_1", (call("pay"),))
    assert sort(call("pay"), kept=kept, decisions=decisions, pending=first).unknown == {call("pay"): 1}
    again = Pending("run_1", "thread_1", (call("pay"),), begun={"call_pay": 1})
    assert sort(call("pay"), kept=kept, decisions=decisions, pending=again) == Sorted([call("pay")])
    deny = sort(call("pay"), kept=kept, decisions={"call_pay": Deny("It was paid.")}, pending=again)
    assert deny.settled[0].output.content.endswith("while it was being made. It was paid.")


def test_what_was_decided_before_the_crash_still_holds() -> None:
    kept = {"call_pay": Kept(0, call("pay"), None, None, Approve('{"amount": 1}'))}
    assert sort(call("pay"), kept=kept) == Sorted([call("pay", 1)], changed={0})
    assert sort(call("pay"), kept={"call_pay": Kept(0, call("pay"), None, None, Deny())}).settled[0].output.ok is False


def test_decisions_go_into_the_journal_before_anything_is_called() -> None:
    decisions: dict[str, Decision] = {"call_pay": Deny("no")}
    assert sort(call("pay"), decisions=decisions, has_journal=True).notes == [decided_note(call("pay"), 0, Deny("no"))]
    assert sort(call("pay"), decisions=decisions).notes == []


@pytest.mark.parametrize("was", [Kept(1, None, call("pay", 6, "call_send")), Kept(0, call("send", 6))])
def test_another_call_under_the_same_id_is_an_error(was: Kept) -> None:
    with pytest.raises(RunKept, match="another call under the id call_send"):
        sort(call("send"), kept={"call_send": was})


# -- whatever comes together -------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["pay", "look", "put", "send", "nobody"])
DECISIONS = (
    st.none() | st.builds(Approve, st.none() | st.just({"amount": 1})) | st.builds(Deny, st.sampled_from(["", "no"]))
)


@st.composite
def turns(draw: st.DrawFn) -> tuple[list[Call], dict[str, Kept], dict[str, Decision], Pending]:
    calls = [call(draw(NAMES), draw(st.integers(0, 9)), f"call_{number}") for number in range(draw(st.integers(0, 5)))]
    kept, decisions, begun = dict[str, Kept](), dict[str, Decision](), dict[str, int]()
    for each in calls:
        starts = draw(st.integers(0, 2))
        output = draw(st.none() | st.just(Output("out"))) if starts else None
        before = draw(DECISIONS)
        if starts or before is not None:
            kept[each.id] = Kept(starts, each, each if starts else None, output, before)
        if (decision := draw(DECISIONS)) is not None:
            decisions[each.id] = decision
        begun[each.id] = draw(st.integers(0, 2))
    return calls, kept, decisions, Pending("run_1", "thread_1", tuple(calls), begun=begun)


@settings(deadline=None)
@given(turns(), st.sampled_from(["raise", "tell"]))
def test_no_call_is_made_that_may_not_be(turn: Any, on_unknown: Any) -> None:
    calls, kept, decisions, pending = turn
    found = sort(*calls, kept=kept, decisions=decisions, pending=pending, on_unknown=on_unknown)
    assert [each.id for each in found.calls] == [each.id for each in calls]
    for place, each in enumerate(calls):
        was = kept.get(each.id, Kept())
        fresh = decisions.get(each.id) if pending.begun[each.id] == was.starts else None
        decision = fresh or was.decision
        undecided = each in found.to_approve or each in found.unknown
        is_made = place not in found.settled and not undecided
        if was.output is not None:
            assert found.settled[place].output == was.output
        elif isinstance(decision, Deny):
            assert place in found.settled
        elif is_made and was.starts:
            assert each.name in ("look", "put") or isinstance(decision, Approve)
        elif is_made and each.name == "pay":
            assert isinstance(decision, Approve)
        if is_made and not isinstance(decision, Approve):
            assert found.calls[place] == each
        assert (place in found.changed) == (found.calls[place].arguments != each.arguments)
    assert on_unknown == "raise" or not found.unknown
