"""What a journal keeps of a run: its entries are written and read here, and nowhere else.

An entry is a key and JSON. `run` says which thread the run is in, and what it is where no server keeps it; `state.N`,
what is new in such a run since, so that a conversation is not written with every turn. (Older journals have the whole
run there.) `file.KEY` is the id of a file that was uploaded under that Idempotency-Key. Of a call, in this order, there
are `decided.N ID`, what a person decided on; `started.N ID`, written before the function is called; `finished ID`, what
it gave; `submitted ID`, that the server has it. N counts the times that the call had begun before.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from toolkit.runs.decisions import Approve, Decision, Deny
from toolkit.runs.effects import Json, Note
from toolkit.tools.attachments import read_part, written_part
from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.output import Output

__all__ = [
    "Kept",
    "decided_note",
    "finished_note",
    "kept_calls",
    "run_note",
    "started_note",
    "state_note",
    "state_of",
    "states_in",
    "submitted_note",
    "thread_of",
    "uploaded_note",
    "uploads_in",
]

_STATE, _FILE = "state.", "file."
_CHANGED, _LONGER = "changed", "longer"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of one call."""

    starts: int = 0
    """How often it had begun."""
    asked: Call | None = None
    """As the model asked for it, where that was written down."""
    made: Call | None = None
    """As it was made last: perhaps with other arguments."""
    output: Output | None = None
    """What it gave, if it ended."""
    decision: Decision | None = None
    """What was decided on its next start."""
    is_submitted: bool = False


def run_note(thread_id: str, state: Json | None = None) -> Note:
    return "run", json.dumps({"thread_id": thread_id} if state is None else {"thread_id": thread_id, "state": state})


def state_note(number: int, before: Json, state: Json) -> Note | None:
    """Write down what is new in a state since the one before it; None when that is nothing."""
    key = f"{_STATE}{number}"
    if before.keys() - state.keys():
        return key, json.dumps(state)
    longer = {name: value[len(before[name]) :] for name, value in state.items() if _begins(before.get(name), value)}
    changed = {name: value for name, value in state.items() if name not in longer and _is_new(before, name, value)}
    longer = {name: more for name, more in longer.items() if more}
    return (key, json.dumps({_CHANGED: changed, _LONGER: longer})) if changed or longer else None


def _begins(before: object, value: object) -> bool:
    """Whether a list is at the beginning of another one."""
    if not (isinstance(before, list) and isinstance(value, list)):
        return False
    first, then = cast("list[object]", before), cast("list[object]", value)
    return then[: len(first)] == first


def _is_new(before: Json, name: str, value: object) -> bool:
    return name not in before or before[name] != value


def states_in(entries: Iterable[str]) -> list[int]:
    """The numbers of the states behind the first one, in order."""
    return sorted(int(key.removeprefix(_STATE)) for key in entries if key.startswith(_STATE))


def state_of(entries: Mapping[str, str]) -> Json | None:
    """The last state of a run; None for one that a server keeps."""
    state: dict[str, Any] | None = json.loads(entries.get("run", "{}")).get("state")
    for number in states_in(entries):
        said: dict[str, Any] = json.loads(entries[f"{_STATE}{number}"])
        if state is None or said.keys() != {_CHANGED, _LONGER}:
            state = said
        else:
            longer = {name: [*state[name], *more] for name, more in said[_LONGER].items()}
            state |= {**said[_CHANGED], **longer}
    return state


def uploaded_note(key: str, file_id: str) -> Note:
    return f"{_FILE}{key}", json.dumps({"file_id": file_id})


def uploads_in(entries: Mapping[str, str]) -> dict[str, str]:
    """The files that were uploaded: Idempotency-Key -> id."""
    return {
        key.removeprefix(_FILE): json.loads(text)["file_id"] for key, text in entries.items() if key.startswith(_FILE)
    }


def decided_note(call: Call, starts: int, decision: Decision) -> Note:
    said: dict[str, object] = {"name": call.name, "arguments": call.arguments}
    if isinstance(decision, Deny):
        said |= {"deny": decision.reason}
    elif decision.arguments is not None:
        said |= {"changed": decision.made(call).arguments}
    return f"decided.{starts} {call.id}", json.dumps(said)


def started_note(call: Call, starts: int) -> Note:
    return f"started.{starts} {call.id}", json.dumps({"name": call.name, "arguments": call.arguments})


def finished_note(finished: FinishedCall) -> Note:
    output = finished.output
    parts = {"parts": [written_part(part) for part in output.parts]} if output.parts else {}
    return f"finished {finished.call.id}", json.dumps({"output": output.content, "ok": output.ok, **parts})


def submitted_note(call_id: str) -> Note:
    return f"submitted {call_id}", "{}"


def thread_of(entries: Mapping[str, str]) -> str | None:
    """The thread of a run; None when that was not written down."""
    thread_id: str | None = json.loads(entries.get("run", "{}")).get("thread_id")
    return thread_id


def kept_calls(entries: Mapping[str, str], of: Collection[str] | None = None) -> dict[str, Kept]:
    """Read the entries of a run: what is known of each of its calls, or of some of them, by id."""
    calls: dict[str, Kept] = {}
    decisions: dict[str, dict[int, Json]] = {}
    ends = ("",) if of is None else tuple(f" {call_id}" for call_id in of)
    for key, text in entries.items():
        if not key.endswith(ends):
            continue  # one look at each entry, of which a long run has many
        event, _, call_id = key.partition(" ")
        what, _, number = event.partition(".")
        if call_id and (of is None or call_id in of):
            said: Json = json.loads(text)
            calls[call_id] = _with(calls.get(call_id, Kept()), call_id, what, int(number or 0), said)
            if what == "decided":
                decisions.setdefault(call_id, {})[int(number)] = said
    for call_id, by_start in decisions.items():
        kept, last = calls[call_id], by_start.get(calls[call_id].starts)
        asked = _call(call_id, next(iter(by_start.values())))
        calls[call_id] = replace(kept, asked=asked, decision=_decision(last) if last is not None else None)
    return calls


def _with(kept: Kept, call_id: str, what: str, number: int, said: Json) -> Kept:
    match what:
        case "started" if number >= kept.starts:
            return replace(kept, starts=number + 1, made=_call(call_id, said))
        case "finished":
            return replace(
                kept, output=Output(said["output"], said["ok"], tuple(map(read_part, said.get("parts", ()))))
            )
        case "submitted":
            return replace(kept, is_submitted=True)
        case _:
            return kept


def _call(call_id: str, said: Json) -> Call:
    return Call(call_id, said["name"], said["arguments"])


def _decision(said: Json) -> Decision:
    return Deny(said["deny"]) if "deny" in said else Approve(said.get("changed"))
