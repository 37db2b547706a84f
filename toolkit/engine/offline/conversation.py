"""What was asked last, and what has been done about it, read from the end of the chat messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from toolkit.engine.offline.answering import Done

__all__ = ["Asked", "members_of", "read", "text_of"]

_LATE = re.compile(r"This is not a message of the user\..*\nCall: ([\w-]+)\((.*)\)\nAnswer: (.*)", re.DOTALL)
"""What a client says, in a message, of a call whose run had expired before it could take the output."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, of one user message or several in a row."""

    text: str
    done: tuple[Done, ...]
    """Calls made for it that have been answered, in their order."""
    said: str
    """What the assistant said to it last."""
    start: int
    """Where it begins among the messages."""


def read(messages: Sequence[str], end: int | None = None) -> Asked:
    """Read the last request of `messages[:end]`. Only its messages and what follows them are looked at."""
    position = len(messages) if end is None else end
    calls: list[dict[str, Any]] = []
    outputs: dict[str, str] = {}
    texts: list[str] = []
    late: list[Done] = []
    said = ""
    while position:
        message: dict[str, Any] = json.loads(messages[position - 1])
        role = message.get("role")
        if texts and role != "user":
            break
        position -= 1
        if role == "user":
            text = text_of(message.get("content"))
            if call := _LATE.fullmatch(text):
                late.insert(0, Done(call[1], members_of(call[2]), call[3]))
            else:
                texts.append(text)
        elif role == "tool":
            outputs[str(message.get("tool_call_id"))] = text_of(message.get("content"))
        elif role == "assistant":
            said = said or text_of(message.get("content"))
            calls[:0] = message.get("tool_calls") or []
    done = (_done(call, outputs[call["id"]]) for call in calls if call.get("id") in outputs)
    return Asked("\n".join(reversed(texts)).strip(), (*late, *done), said, position)


def text_of(content: object) -> str:
    """Read a message's content: text, or parts of which those of type text count."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (cast("Mapping[str, Any]", part) for part in cast("list[object]", content) if isinstance(part, dict))
    return " ".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def members_of(text: str) -> dict[str, Any]:
    """Read the members of a JSON object; none from a text that is no JSON object."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _done(call: Mapping[str, Any], output: str) -> Done:
    function: Mapping[str, Any] = call.get("function") or {}
    return Done(str(function.get("name")), members_of(function.get("arguments") or "{}"), output)
