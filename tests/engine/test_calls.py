"""Turns that call tools, as values."""

from __future__ import annotations

import json
from typing import Any

from toolkit.engine.calls import Held, Turn, Used, cleaned, remembered
from toolkit.engine.model import ModelCall
from toolkit.engine.objects.runs import Tokens

LOOK_UP = ModelCall("call_a", "look_up", '{"x":  1}')
CODE = ModelCall("call_b", "code_interpreter", '{"code": "1 + 1"}')
BEGUN: dict[str, Any] = {
    "id": "call_b",
    "type": "code_interpreter",
    "code_interpreter": {"input": "1 + 1", "outputs": []},
}
LOGS = {"type": "logs", "logs": "2"}


def chat(*calls: ModelCall) -> str:
    said = [{"id": one.id, "function": {"name": one.name, "arguments": one.arguments}} for one in calls]
    return json.dumps({"role": "assistant", "tool_calls": said})


def told(arguments: str = LOOK_UP.arguments) -> dict[str, Any]:
    return {
        "id": "call_a",
        "type": "function",
        "function": {"name": "look_up", "arguments": arguments, "output": None},
    }


def turn() -> Turn:
    return Turn([LOOK_UP, CODE], chat(LOOK_UP, CODE), Tokens(3, 4), {"call_b": BEGUN}, "msg_a")


def test_calls_are_the_applications_or_ours() -> None:
    assert turn().own == [CODE]
    assert turn().asked == [
        {"id": "call_a", "type": "function", "function": {"name": "look_up", "arguments": LOOK_UP.arguments}}
    ]


def test_a_step_tells_of_all_of_them_in_their_order() -> None:
    used = Used({"id": "call_b", "told": True}, {"id": "call_b", "full": True}, "2")
    assert turn().details()["tool_calls"] == [told(), BEGUN]
    assert turn().details({"call_b": used})["tool_calls"] == [told(), used.told]
    assert turn().details({"call_b": used}, full=True)["tool_calls"] == [told(), used.full]


def test_a_turn_is_read_back_from_its_step() -> None:
    step = {"step_details": turn().details()}
    assert Turn.held(step, chat(LOOK_UP, CODE), Tokens(3, 4), "msg_a") == turn()


def test_outputs_are_added_and_taken_away_without_touching_what_was() -> None:
    held = Held({"id": "step_a", "step_details": turn().details()}, turn())
    more = held.with_output(1, LOGS).with_output(1, LOGS)
    assert more.calls[1]["code_interpreter"]["outputs"] == [LOGS, LOGS]
    assert more.with_output(0, LOGS).calls[0] == told(), "functions have none"
    assert more.emptied() == held
    assert held.calls == [told(), BEGUN]


def test_what_a_model_said_goes_to_it_again_as_it_was() -> None:
    said = chat(LOOK_UP, CODE)
    assert remembered(said, [LOOK_UP, CODE], 2) is said


def test_calls_that_are_not_answered_are_left_out() -> None:
    assert json.loads(remembered(chat(LOOK_UP, CODE), [LOOK_UP], 2)) == json.loads(chat(LOOK_UP))


def test_arguments_that_are_no_json_are_made_readable() -> None:
    for broken in ("{", "[1]", "1", "", "[" * 100_000):
        call = ModelCall("call_a", "look_up", broken)
        [again] = json.loads(remembered(chat(call), [call], 1))["tool_calls"]
        assert json.loads(again["function"]["arguments"]) == {"not_json": broken}


def test_what_cannot_be_stored_is_cleaned() -> None:
    [call] = cleaned([ModelCall("call_\ud800", "a\udfff", '{"x": "\ud83d"}')])
    for text in (call.id, call.name, call.arguments):
        text.encode()
