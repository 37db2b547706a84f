"""What models read of messages and steps that come from elsewhere: the chat messages that the engine would have kept.

A message that its run broke off for a failure is not read again, as here. Nor are calls of hosted tools, or calls that
nobody answered: a model would wait for their outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.engine.objects.messages import chat_content
from toolkit.engine.transfer.shapes import Object, as_object

__all__ = ["message_chat", "turn_chats"]


def message_chat(message: Mapping[str, Any]) -> Object | None:
    """Give the chat message of a message object; None when models do not read it."""
    if message["status"] == "in_progress":
        return None
    if message["status"] == "incomplete" and as_object(message["incomplete_details"]).get("reason") == "run_failed":
        return None
    role: str = message["role"]
    content = chat_content([_readable(part, role) for part in message["content"]])
    return {"role": role, "content": content} if content else None


def turn_chats(step: Mapping[str, Any]) -> list[Object] | None:
    """Give the chat messages of a step's calls: the one that calls, then an output for each; None when there are none.

    Only where every call has its output.
    """
    calls: Sequence[Mapping[str, Any]] = step["step_details"].get("tool_calls") or ()
    functions = [call for call in calls if call["type"] == "function"]
    if step["status"] != "completed" or not functions:
        return None
    asked: list[Object] = []
    outputs: list[Object] = []
    for call in functions:
        function = as_object(call.get("function"))
        if not all(isinstance(function.get(name), str) for name in _TOLD):
            return None
        told = {"name": function["name"], "arguments": function["arguments"]}
        asked.append({"id": str(call.get("id")), "type": "function", "function": told})
        outputs.append({"role": "tool", "tool_call_id": str(call.get("id")), "content": function["output"]})
    return [{"role": "assistant", "content": None, "tool_calls": asked}, *outputs]


_TOLD = ("name", "arguments", "output")


def _readable(part: Mapping[str, Any], role: str) -> Mapping[str, Any]:
    """Give a part as the chat message may have it: images of assistants in words, since servers take none of them."""
    if part["type"] == "refusal":
        return _text(part["refusal"])
    if role == "assistant" and part["type"] == "image_file":
        return _text(f"[The image {part['image_file']['file_id']}.]")
    if role == "assistant" and part["type"] == "image_url":
        return _text(f"[The image at {part['image_url']['url']}.]")
    return part


def _text(value: str) -> Mapping[str, Any]:
    return {"type": "text", "text": {"value": value}}
