"""Which calls of a turn are made, decided before the first of them is.

Some need a person's approval; some had been made, or had begun, before a crash. Nothing is asked, read or called here:
`sort` takes what is known and says what there is to do. As long as one call of a turn still has to be decided on, none
is made: a turn that nobody goes on with has had no effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit.errors import ApprovalMismatch, ArgumentsInvalid, RunKept, ToolError
from toolkit.runs.decisions import Decision, Deny
from toolkit.runs.effects import Note
from toolkit.runs.kept import Kept, decided_note
from toolkit.runs.pending import Pending
from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.context import RunContext
from toolkit.tools.output import Output
from toolkit.tools.tool import Tool
from toolkit.tools.toolset import Toolset

__all__ = ["Gate", "OnUnknown", "Sorted"]

OnUnknown = Literal["raise", "tell"]
"""What to do with calls that a crash has cut short and that may not be made again just so."""

_NEW = Kept()
_NOT_KNOWN = "It is not known whether this call took effect: the program stopped while it was being made."


Verdict = FinishedCall | Call | Literal["approve", "unknown"]
"""What becomes of a call: it has this answer; it is made like this; somebody must approve it; or it had begun before a
crash, and may not be made again just so."""


@dataclass(slots=True)
class Sorted:
    """The calls of a turn, each in its place."""

    calls: list[Call] = field(default_factory=list[Call])
    """All of them, as they are to be made."""
    settled: dict[int, FinishedCall] = field(default_factory=dict[int, FinishedCall])
    """Those that have an answer already, by position."""
    changed: set[int] = field(default_factory=set[int])
    """Positions of those with other arguments than the model's."""
    to_approve: list[Call] = field(default_factory=list[Call])
    unknown: dict[Call, int] = field(default_factory=dict[Call, int])
    """Calls that a crash has cut short, and how often they had begun."""
    notes: list[Note] = field(default_factory=list[Note])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a run was told about its calls before it began."""

    toolset: Toolset
    deps: object = None
    has_journal: bool = False
    pending: Pending | None = None
    """What the decisions are about."""
    decisions: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    on_unknown: OnUnknown = "raise"

    def sort(
        self,
        run: Mapping[str, Any],
        calls: Sequence[Call],
        kept: Mapping[str, Kept],
        decisions: Mapping[str, Decision],
    ) -> Sorted:
        """Put each call of a run in its place.

        Raises ApprovalMismatch when a decision is about another call than the one of its id, or cannot be carried out.
        """
        found, tools = Sorted(), self.toolset.visible(self.deps, run_id=run["id"], thread_id=run["thread_id"])
        is_told = bool(kept or decisions or self.pending)
        for place, call in enumerate(calls):
            tool = tools.find(call.name)
            if not is_told and (tool is None or tool.approve is False):  # nearly every call of nearly every run
                found.calls.append(call)
                continue
            known = kept.get(call.id, _NEW)
            _check_same(call, known)
            decision = self._new_decision(call, known, decisions)
            if decision is not None and self.has_journal:
                found.notes.append(decided_note(call, known.starts, decision))
            verdict = self._verdict(run, call, tool, known, decision or known.decision)
            if isinstance(verdict, FinishedCall):
                found.settled[place] = verdict
            elif verdict == "approve":
                found.to_approve.append(call)
            elif verdict == "unknown":
                found.unknown[call] = known.starts
            made = verdict.call if isinstance(verdict, FinishedCall) else verdict
            found.calls.append(made if isinstance(made, Call) else call)
            if found.calls[place].arguments != call.arguments:
                found.changed.add(place)
        return found

    def _verdict(
        self,
        run: Mapping[str, Any],
        call: Call,
        tool: Tool[..., Any] | None,
        known: Kept,
        decision: Decision | None,
    ) -> Verdict:
        if known.output is not None:
            return FinishedCall(known.made or call, known.output)
        if isinstance(decision, Deny):
            text = _NOT_KNOWN if known.starts else "This call was not approved, and was not made."
            return _told(call, f"{text} {decision.reason}".rstrip())
        if decision is not None:
            return self._approved(call, decision.made(call), tool, run)
        if known.made is not None:
            if tool is not None and (tool.read_only or tool.idempotent):
                return known.made
            return _told(call, _NOT_KNOWN) if self.on_unknown == "tell" else "unknown"
        if tool is not None and tool.approve is not False:
            return "approve" if tool.needs_approval(call.arguments, self._context(tool, call, run)) else call
        return call

    def _new_decision(self, call: Call, known: Kept, decisions: Mapping[str, Decision]) -> Decision | None:
        """The decision on this very start of the call: what was approved before a crash does not repeat the call."""
        asked = self.pending.calls if self.pending is not None else ()
        about = next((one for one in asked if one.id == call.id), call)
        if about != call:
            raise ApprovalMismatch(
                f"What was decided on {about.id} is about {about.name}({about.arguments}), "
                f"but the run asks for {call.name}({call.arguments}). Nothing was called. "
                "Decide on what it asks for now: resume error.pending without approvals, and see its result.pending."
            )
        begun = self.pending.begun.get(call.id, 0) if self.pending is not None else 0
        return decisions.get(call.id) if begun == known.starts else None

    def _approved(self, call: Call, made: Call, tool: Tool[..., Any] | None, run: Mapping[str, Any]) -> Call:
        if made is not call and tool is not None:
            try:
                tool.bound(made.arguments, self._context(tool, call, run))
            except ArgumentsInvalid as error:
                raise ApprovalMismatch(
                    f"The arguments given for {call.name} ({call.id}) do not fit, and nothing was called: {error}"
                ) from error
        return made

    def _context(self, tool: Tool[..., Any], call: Call, run: Mapping[str, Any]) -> RunContext[Any] | None:
        return RunContext(self.deps, call.id, call.name, run["id"], run["thread_id"]) if tool.takes_context else None


def _check_same(call: Call, known: Kept) -> None:
    was = known.asked or known.made
    if was is not None and was != call:
        raise RunKept(f"The journal has another call under the id {call.id}: {was.name}, not {call.name}.")


def _told(call: Call, text: str) -> FinishedCall:
    return FinishedCall(call, Output(text, ok=False), ToolError(text))
