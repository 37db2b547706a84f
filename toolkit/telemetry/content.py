"""Messages as the conventions have them: a role, and parts. Written only for those who ask for content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.util.types import AttributeValue

from toolkit.telemetry import names

__all__ = ["asked", "said"]

Json = Mapping[str, Any]


def asked(messages: Iterable[str], tools: str | None) -> dict[str, AttributeValue]:
    """Give the attributes of what a model is asked: instructions, messages and tools, each as JSON text."""
    chats: list[Json] = [json.loads(message) for message in messages]
    system = [part for chat in chats if chat["role"] == "system" for part in _parts(chat)]
    found = {
        names.INPUT_MESSAGES: [_message(chat) for chat in chats if chat["role"] != "system"],
        names.INSTRUCTIONS: system,
        names.TOOL_DEFINITIONS: [
            {"type": tool["type"], **tool.get("function", {})} for tool in json.loads(tools or "[]")
        ],
    }
    return {name: _text(value) for name, value in found.items() if value}


def said(messages: Iterable[Json], reason: str) -> dict[str, AttributeValue]:
    """Give the attribute of what an assistant said."""
    return {names.OUTPUT_MESSAGES: _text([{**_message(message), "finish_reason": reason} for message in messages])}


def _message(message: Json) -> Json:
    return {"role": message["role"], "parts": _parts(message)}


def _parts(message: Json) -> list[Json]:
    content = message.get("content")
    if message["role"] == "tool":
        return [{"type": "tool_call_response", "id": message["tool_call_id"], "response": content}]
    parts: list[Json] = [{"type": "text", "content": content}] if content and isinstance(content, str) else []
    if isinstance(content, list):
        parts += [_part(one) for one in content]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    for call in message.get("tool_calls") or ():
        function = call["function"]
        parts.append(
            {"type": "tool_call", "id": call["id"], "name": function["name"], "arguments": function["arguments"]}
        )
    return parts


def _part(part: Json) -> Json:
    """Give a part of a message, of a chat's or of a thread's; images are named and not shown."""
    text = part.get("text")
    if text is None:
        return {"type": str(part["type"])}
    return {"type": "text", "content": text if isinstance(text, str) else text["value"]}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
