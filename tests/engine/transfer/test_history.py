from __future__ import annotations

from typing import Any

from toolkit.engine.transfer.history import history


def message(name: str, at: int, role: str = "user", run: str | None = None) -> dict[str, Any]:
    part = {"type": "text", "text": {"value": name, "annotations": []}}
    return {
        "id": name,
        "created_at": at,
        "role": role,
        "run_id": run,
        "status": "completed",
        "incomplete_details": None,
        "content": [part],
    }


def called(name: str, run: str, at: int) -> dict[str, Any]:
    function = {"name": "f", "arguments": "{}", "output": f"output of {name}"}
    details = {
        "type": "tool_calls",
        "tool_calls": [{"id": f"call of {name}", "type": "function", "function": function}],
    }
    return {
        "id": name,
        "run_id": run,
        "created_at": at,
        "type": "tool_calls",
        "status": "completed",
        "step_details": details,
    }


def created(name: str, run: str, at: int, message_id: str) -> dict[str, Any]:
    details = {"type": "message_creation", "message_creation": {"message_id": message_id}}
    return {**called(name, run, at), "type": "message_creation", "step_details": details}


def told(messages: list[Any], steps: list[Any]) -> list[str]:
    return [
        " + ".join([str(chat["content"]), "calls"][: 1 + ("tool_calls" in chat)])
        for remembered in history(messages, steps)
        for chat in remembered.chats
    ]


def test_a_turn_before_its_answer_though_all_is_of_one_second() -> None:
    messages = [message("q", 5), message("a", 5, "assistant", "r"), message("q2", 5)]
    steps = [called("s", "r", 5), created("c", "r", 5, "a")]
    assert told(messages, steps) == ["q", "None + calls", "output of s", "a", "q2"]


def test_text_that_came_along_with_calls_is_one_chat_message_with_them() -> None:
    messages = [message("q", 1), message("wait", 2, "assistant", "r"), message("a", 4, "assistant", "r")]
    steps = [created("c1", "r", 2, "wait"), called("s", "r", 3), created("c2", "r", 4, "a")]
    assert told(messages, steps) == ["q", "wait + calls", "output of s", "a"]
    remembered = history(messages, steps)[1]
    assert (remembered.message, remembered.turn, remembered.run) == ("wait", "s", "r")


def test_a_run_that_said_nothing_stands_behind_its_question() -> None:
    messages = [message("q", 1), message("q2", 9)]
    assert told(messages, [called("s", "r", 3)]) == ["q", "None + calls", "output of s", "q2"]


def test_turns_without_any_message() -> None:
    assert told([], [called("s", "r", 3), called("t", "r", 3)]) == [
        "None + calls",
        "output of s",
        "None + calls",
        "output of t",
    ]


def test_a_message_that_models_do_not_read_takes_no_calls() -> None:
    broken = {
        **message("broken", 2, "assistant", "r"),
        "status": "incomplete",
        "incomplete_details": {"reason": "run_failed"},
    }
    messages = [message("q", 1), broken, message("a", 4, "assistant", "r")]
    steps = [created("c1", "r", 2, "broken"), called("s", "r", 3), created("c2", "r", 4, "a")]
    assert told(messages, steps) == ["q", "None + calls", "output of s", "a"]
