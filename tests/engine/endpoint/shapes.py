"""How an answer is written as a server writes it, and what must come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.engine.model import CallBegan, CallPiece, Delta, Usage

__all__ = ["Whole", "body", "call", "call_deltas", "chunk", "sse"]


@dataclass(frozen=True)
class Whole:
    """An answer, and what it says."""

    server: str
    body: bytes
    text: str = ""
    calls: tuple[tuple[str | None, str, str], ...] = ()
    """Id (None for one that is made), name, arguments."""
    reason: str = "stop"
    usage: Usage | None = None
    back: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the message that goes back."""


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One event as most servers write it."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def sse(*events: Any, end: str = "\n\n", data: str = "data: ", done: bool = True) -> bytes:
    """A stream; events that are texts are written as they are."""
    texts = [each if isinstance(each, str) else data + json.dumps(each, ensure_ascii=False) for each in events]
    return "".join(text + end for text in [*texts, *[data + "[DONE]"] * done]).encode()


def body(message: Mapping[str, Any], finish: str = "stop", **more: Any) -> bytes:
    """An answer that is no stream."""
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}).encode()


def call(
    arguments: Any = None, name: str | None = None, call_id: str | None = None, index: int | None = None, **more: Any
) -> dict[str, Any]:
    """A delta with one fragment of a call, of the fields that are given."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fields = {"index": index, "id": call_id, "type": "function", "function": function, **more}
    return {"tool_calls": [{key: value for key, value in fields.items() if value is not None}]}


def call_deltas(deltas: Sequence[Delta]) -> list[tuple[str, str, str]]:
    """The calls that the deltas tell: id, name, arguments."""
    calls: list[tuple[str, str, str]] = []
    for delta in deltas:
        if isinstance(delta, CallBegan):
            assert delta.index == len(calls)
            calls.append((delta.id, delta.name, ""))
        elif isinstance(delta, CallPiece):
            call_id, name, arguments = calls[delta.index]
            calls[delta.index] = call_id, name, arguments + delta.arguments
    return calls
