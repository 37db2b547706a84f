from __future__ import annotations

from typing import Any

import pytest

from toolkit.engine.transfer.remembered import message_chat, turn_chats


def message(*parts: dict[str, Any], role: str = "user", status: str = "completed", reason: str = "") -> dict[str, Any]:
    details = {"reason": reason} if reason else None
    return {"role": role, "status": status, "incomplete_details": details, "content": list(parts)}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": []}}


IMAGE: dict[str, Any] = {"type": "image_file", "image_file": {"file_id": "file-1", "detail": "high"}}
SHOWN: dict[str, Any] = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def test_messages() -> None:
    assert message_chat(message(text("a"), text("b"))) == {"role": "user", "content": "a\n\nb"}
    assert message_chat(message(text("a"), IMAGE, SHOWN)) == {
        "role": "user",
        "content": [
            {"type": "text", "text": "a"},
            {"type": "image_url", "image_url": {"url": "image-file:file-1", "detail": "high"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "auto"}},
        ],
    }


def test_images_of_an_assistant_are_told_in_words() -> None:
    chat = message_chat(message(IMAGE, SHOWN, text("A plot."), role="assistant"))
    said = "[The image file-1.]\n\n[The image at https://example.com/a.png.]\n\nA plot."
    assert chat == {"role": "assistant", "content": said}


def test_a_refusal_is_text() -> None:
    refusal = {"type": "refusal", "refusal": "I cannot."}
    assert message_chat(message(refusal, role="assistant")) == {"role": "assistant", "content": "I cannot."}


@pytest.mark.parametrize(
    ("status", "reason", "read"),
    [
        ("completed", "", True),
        ("incomplete", "max_tokens", True),
        ("incomplete", "run_cancelled", True),
        ("incomplete", "run_failed", False),
        ("in_progress", "", False),
    ],
)
def test_which_are_read(status: str, reason: str, read: bool) -> None:
    assert (message_chat(message(text("a"), status=status, reason=reason)) is not None) is read


def test_an_empty_one_is_not() -> None:
    assert message_chat(message()) is None
    assert message_chat(message(text(""))) is None


def call(output: Any, name: Any = "f") -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}", "output": output}}


def step(*calls: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"status": status, "step_details": {"type": "tool_calls", "tool_calls": list(calls)}}


def test_calls_and_their_outputs() -> None:
    asked = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert turn_chats(step(call("21"), {"id": "c", "type": "code_interpreter", "code_interpreter": {}})) == [
        {"role": "assistant", "content": None, "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "call_1", "content": "21"},
    ]


@pytest.mark.parametrize(
    "turn",
    [
        step(),
        step({"id": "c", "type": "file_search", "file_search": {}}),
        step(call(None)),
        step(call("1"), call(None)),
        step(call("1"), status="expired"),
        step({"id": "c", "type": "function"}),
        {"status": "completed", "step_details": {"type": "message_creation"}},
    ],
)
def test_what_no_model_could_go_on_from(turn: dict[str, Any]) -> None:
    assert turn_chats(turn) is None
