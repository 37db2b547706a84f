"""Runs that no server has under this name, in the words of the Assistants API: how they begin, and what is added.

All that it takes to go on is in them, as JSON: `Pending` and the journal keep such a run as its `state`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.runs.effects import Call, Json, Turn

__all__ = [
    "all_of",
    "begun",
    "calls_of",
    "ended",
    "functions_of",
    "message_of",
    "names_of",
    "refusal_part",
    "run_in",
    "summed",
    "text_part",
    "turn_of",
]

_USAGE = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}


def begun(kind: str, key: str, body: Json, **more: Any) -> Json:
    """A run that has just begun; `body` is what every request says, and `more` what the host keeps in it."""
    run = {"id": f"run_{key}", "object": kind, "created_at": None, "thread_id": "", "status": "in_progress"}
    ends = {"required_action": None, "last_error": None, "incomplete_details": None, "usage": None}
    return {**run, "model": body.get("model"), **ends, "body": body, "answer": None, **more}


def ended(
    run: Json,
    status: str,
    *,
    calls: Sequence[Call] = (),
    error: Json | None = None,
    incomplete: str | None = None,
    **more: Any,
) -> Json:
    """The run as an answer leaves it; `calls` are what it waits for."""
    asked = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}} if asked else None
    details = None if incomplete is None else {"reason": incomplete}
    ends = {"required_action": action, "last_error": error, "incomplete_details": details}
    return {**run, "status": "requires_action" if asked else status, **ends, **more}


def run_in(kind: str, body: Json | None) -> Json | None:
    """The run of a kind that an answer is, if it is one."""
    return body if body is not None and body.get("object") == kind else None


def all_of(run: Json) -> Json:
    """What it takes to go on with such a run: all of it."""
    return run


def turn_of(run: Json) -> Turn:
    """Read such a run."""
    if run["status"] == "requires_action":
        return Turn("waiting", tuple(calls_of(run)))
    error: Json = run["last_error"] or {}
    status: Any = "working" if run["status"] in ("queued", "in_progress") else run["status"]
    return Turn(status, code=error.get("code") or "", reason=error.get("message") or "")


def calls_of(run: Json) -> Sequence[Call]:
    """The calls that a run waits for."""
    asked: Sequence[Json] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return [Call(one["id"], one["function"]["name"], one["function"]["arguments"]) for one in asked]


def functions_of(run: Json) -> Sequence[str]:
    """The names of the functions among the tools that every request of a run has."""
    return names_of(run["body"].get("tools", ()))


def names_of(tools: Sequence[Json]) -> Sequence[str]:
    """The names of the functions among tools, whichever way they are written."""
    return [tool.get("function", tool)["name"] for tool in tools if tool["type"] == "function"]


def message_of(run: Json, message_id: str, content: Sequence[Json]) -> Json:
    """What the assistant says in a run, as a message of a thread."""
    status = "incomplete" if run["status"] == "incomplete" else "completed"
    where = {"thread_id": run["thread_id"], "run_id": run["id"], "created_at": run["created_at"]}
    said = {"role": "assistant", "status": status, "content": content}
    return {"id": message_id, "object": "thread.message", **where, **said}


def text_part(text: str, annotations: Sequence[Json] = ()) -> Json:
    """Text in a message."""
    return {"type": "text", "text": {"value": text, "annotations": annotations}}


def refusal_part(text: str) -> Json:
    """Words in a message by which the model declines to answer."""
    return {"type": "refusal", "refusal": text}


def summed(before: Json | None, usage: Json | None) -> Json | None:
    """Add up tokens, called by either of their names; None where no server says."""
    if not usage:
        return before
    counts = {name: usage.get(name) or usage.get(other) or 0 for name, other in _USAGE.items()}
    return {name: count + (before or {}).get(name, 0) for name, count in counts.items()}
