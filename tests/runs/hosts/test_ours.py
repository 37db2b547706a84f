from __future__ import annotations

from typing import Any

import pytest

from toolkit.runs.effects import Call
from toolkit.runs.hosts.ours import begun, ended, functions_of, message_of, names_of, run_in, summed, text_part, turn_of
from toolkit.runs.result import Result, text_of

RUN = begun("chat.run", "abc", {"model": "m"}, messages=[])


def test_a_run_begins() -> None:
    assert (RUN["id"], RUN["model"], RUN["messages"]) == ("run_abc", "m", [])
    assert turn_of(RUN).status == "working"


def test_a_run_waits_for_calls() -> None:
    call = Call("call_1", "f", "{}")
    run = ended(RUN, "completed", calls=[call])
    assert (run["status"], turn_of(run).calls) == ("requires_action", (call,))
    assert ended(run, "completed")["required_action"] is None


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_ends(status: str) -> None:
    turn = turn_of(ended(RUN, status, error={"code": "c", "message": None}))
    assert (turn.status, turn.code, turn.reason) == (status, "c", "")


def test_the_clients_own_models_can_be_built() -> None:
    message = message_of(RUN, "msg_1", [text_part("Hello")])
    result: Result = Result((), 0, {**ended(RUN, "completed"), "usage": {"total_tokens": 3}}, (message,))
    assert (result.run.id, result.status, result.text, text_of(message)) == ("run_abc", "completed", "Hello", "Hello")
    assert result.messages[0].content[0].type == "text"
    assert result.usage is not None and result.usage.total_tokens == 3


@pytest.mark.parametrize(
    ("before", "usage", "after"),
    [
        (None, None, None),
        ({"total_tokens": 3}, None, {"total_tokens": 3}),
        (None, {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, (1, 2, 3)),
        ({"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}, {"prompt_tokens": 1}, (6, 5, 10)),
    ],
)
def test_tokens_add_up(before: Any, usage: Any, after: Any) -> None:
    named = ("prompt_tokens", "completion_tokens", "total_tokens")
    assert summed(before, usage) == (dict(zip(named, after, strict=True)) if isinstance(after, tuple) else after)


def test_functions_among_tools() -> None:
    nested, flat = {"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "g"}
    assert names_of([nested, flat, {"type": "web_search"}]) == ["f", "g"]
    assert functions_of(begun("chat.run", "abc", {"tools": [nested]})) == ["f"]
    assert functions_of(RUN) == []


def test_an_answer_that_is_a_run() -> None:
    assert run_in("chat.run", RUN) is RUN
    assert run_in("chat.run", {**RUN, "object": "responses.run"}) is None
    assert run_in("chat.run", None) is None
