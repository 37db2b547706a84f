from __future__ import annotations

import json
from typing import Any

from toolkit.engine.offline.answering import Done
from toolkit.engine.offline.conversation import Asked, members_of, read, text_of


def messages(*each: dict[str, Any]) -> list[str]:
    return [json.dumps(message) for message in each]


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: str | None, **calls: str) -> dict[str, Any]:
    made = [
        {"id": key, "type": "function", "function": {"name": "f", "arguments": value}} for key, value in calls.items()
    ]
    return {"role": "assistant", "content": content, **({"tool_calls": made} if made else {})}


def output(call_id: str, content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def test_the_last_messages_of_the_user_in_a_row() -> None:
    said = messages(
        {"role": "system", "content": "Be nice."}, user("Old."), assistant("Fine."), user("One."), user("Two.")
    )
    assert read(said) == Asked("One.\nTwo.", (), "", 3)
    assert read(said, 3) == Asked("Old.", (), "Fine.", 1)
    assert read(said, 1) == Asked("", (), "", 0)
    assert read([]) == Asked("", (), "", 0)


def test_calls_that_were_answered_in_their_order() -> None:
    said = messages(
        user("Go."),
        assistant(None, a='{"x":1}', b='{"x":2}'),
        output("b", "two"),
        output("a", [{"type": "text", "text": "one"}]),
        assistant("More.", c="broken"),
        output("c", "three"),
    )
    done = (Done("f", {"x": 1}, "one"), Done("f", {"x": 2}, "two"), Done("f", {}, "three"))
    assert read(said) == Asked("Go.", done, "More.", 0)


def test_what_came_too_late_for_an_expired_run_is_done() -> None:
    late = 'This is not a message of the user. The run ...\nCall: f({"x":1})\nAnswer: two\nlines'
    said = messages(user("Old."), assistant("Fine."), user("Go."), user(late), user(late.replace("1", "2")))
    done = (Done("f", {"x": 1}, "two\nlines"), Done("f", {"x": 2}, "two\nlines"))
    assert read(said) == Asked("Go.", done, "", 2)
    assert read(messages(user("Go."), assistant(None, a='{"x":3}'), user(late))).done == (*done[:1],)


def test_calls_without_an_output_are_not_done() -> None:
    assert read(messages(user("Go."), assistant(None, a="{}"))).done == ()


def test_content_in_parts() -> None:
    parts = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {"url": "x"}},
        {"type": "text", "text": "this?"},
    ]
    assert text_of(parts) == "What is this?"
    assert text_of(None) == ""
    assert text_of(["x", {"type": "text", "text": None}]) == ""


def test_members() -> None:
    assert members_of('{"a":1}') == {"a": 1}
    assert members_of("[1]") == members_of("{") == members_of("") == members_of("[" * 100_000) == {}
