"""Events with values: their bytes, the feed, and a leg told again."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.official import assert_official
from toolkit.engine.events import call_delta, call_started, closing, frame, replay, text_delta
from toolkit.engine.jsontext import dump


def test_a_frame_is_two_lines_and_a_blank_one() -> None:
    assert (
        frame(("thread.run.queued", '{"id":"run_ä"}')) == 'event: thread.run.queued\ndata: {"id":"run_ä"}\n\n'.encode()
    )


def test_a_line_of_a_frame_is_one_for_every_reader() -> None:
    text = "".join(map(chr, range(0x3000))) + "\U0001f300"
    framed = frame(("thread.message.completed", dump({"text": text}))).decode()
    assert framed.splitlines() == framed.split("\n")[:-1] == ["event: thread.message.completed", framed[32:-2], ""]
    assert json.loads(framed.splitlines()[1].removeprefix("data: ")) == {"text": text}


def test_deltas_fit_the_schema_and_carry_any_text() -> None:
    text = 'quotes " and \n lines, 東京, half \ud83d'
    name, body = text_delta("msg_1", text, first=True)
    assert name == "thread.message.delta"
    assert "\n" not in body
    value = json.loads(body)
    assert_official("MessageDeltaObject", value)
    assert value["delta"]["content"] == [{"index": 0, "type": "text", "text": {"value": text, "annotations": []}}]
    assert "annotations" not in text_delta("msg_1", text, first=False)[1]
    frame((name, body))
    for _, body in (call_started("step_1", 2, "call_1", "f"), call_delta("step_1", 2, '{"x":"')):
        assert_official("RunStepDeltaObject", json.loads(body))
    [call] = json.loads(call_started("step_1", 2, "call_1", "f")[1])["delta"]["step_details"]["tool_calls"]
    assert call == {
        "index": 2,
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": "", "output": None},
    }


def test_a_leg_told_again_has_the_order_that_accumulators_need() -> None:
    message: dict[str, Any] = {
        "id": "msg_1", "object": "thread.message", "status": "completed",
        "content": [{"type": "text", "text": {"value": "hi", "annotations": []}}],
    }  # fmt: skip
    written = {
        "id": "step_1", "object": "thread.run.step", "status": "completed",
        "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_1"}},
    }  # fmt: skip
    calling = {
        "id": "step_2", "object": "thread.run.step", "status": "in_progress",
        "step_details": {
            "type": "tool_calls",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
    }  # fmt: skip
    told = replay("requires_action", '{"id":"run_1"}', [written, calling], [message]).decode()
    assert [line[7:] for line in told.splitlines() if line.startswith("event: ")] == [
        "thread.run.in_progress",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
        "thread.message.delta",
        "thread.message.completed",
        "thread.run.step.completed",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.run.step.delta",
        "thread.run.step.delta",
        "thread.run.requires_action",
        "done",
    ]


def test_a_message_deleted_since_is_left_out() -> None:
    step = {
        "id": "step_1", "status": "completed",
        "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_gone"}},
    }  # fmt: skip
    told = replay("completed", "{}", [step], []).decode()
    assert "thread.message" not in told
    assert "thread.run.step.completed" in told


def test_what_ended_elsewhere_is_told_for_what_was_begun_here_alone() -> None:
    def one(id_: str, status: str) -> dict[str, str]:
        return {"id": id_, "status": status}

    steps = [one("step_told", "completed"), one("step_open", "cancelled"), one("step_busy", "in_progress")]
    events = closing(
        "cancelled",
        '{"id":"run_1"}',
        steps,
        [one("msg_open", "incomplete")],
        ("msg_open", "step_open", "step_busy"),
        (),
    )
    assert [name for name, _ in events] == [
        "thread.message.incomplete",
        "thread.run.step.cancelled",
        "thread.run.cancelled",
    ]
