from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.engine.transfer.objects import (
    assistant,
    file,
    item,
    line,
    message,
    run,
    step,
    thread,
    vector_store,
    vector_store_file,
)
from toolkit.engine.transfer.lines import AssistantLine, is_line, line_of
from toolkit.engine.transfer.shapes import problem

LINES: list[dict[str, Any]] = [
    line("assistant", assistant()),
    line("file", file(), sha256="0" * 64),
    line("vector_store", vector_store(), chunking={"type": "static"}),
    line("vector_store_file", vector_store_file()),
    line("thread", thread(), last_at=1, last_step_at=2),
    line("message", message("msg_a"), at=1, draft="x"),
    line("run", run(), used=[1, 2, 3, 4], turns=1, attempt=1, entered_at=1.5, expires_at=9, calls=["call_a"]),
    line("step", step(), at=1, used=[1, 2, 3, 4], full={"type": "tool_calls"}),
    {"kind": "passage", "project": "p", "thread": "thread_a", "search": 0, "place": 1, "file": "file-a", "quote": "x"},
    item("msg_a", {"role": "user", "content": "hi"}),
    {"kind": "bytes", "file": "file-a", "at": 0, "data": "aGk="},
    {"kind": "export", "version": 1, "made_by": "x", "at": 1, "project": None, "contents": True},
    {"kind": "end", "lines": 3},
]


@pytest.mark.parametrize("value", LINES, ids=[value["kind"] for value in LINES])
def test_each_kind(value: dict[str, Any]) -> None:
    assert is_line(value)
    assert line_of(value).model_dump(exclude_unset=True) == value
    with pytest.raises(ValidationError) as refused:
        line_of({**value, "suprise": 1})
    assert problem(refused.value) == f"{value['kind']}.suprise: Extra inputs are not permitted"


def test_objects_of_the_api_are_no_lines() -> None:
    assert not is_line(assistant())
    assert not is_line({**assistant(), "kind": "assistant"})
    assert not is_line([1])
    assert not is_line(None)


def test_an_object_stays_as_it_came_with_its_id_first() -> None:
    mixed = {"metadata": {}, "new_member": [1], **assistant()}
    read = line_of(line("assistant", mixed))
    assert isinstance(read, AssistantLine)
    assert (next(iter(read.object)), read.object) == ("id", mixed)


@pytest.mark.parametrize("name", ["asst_a", "asst_" + "x-_9" * 32])
def test_ids_that_others_made_up(name: str) -> None:
    line_of(line("assistant", assistant(name)))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (line("assistant", assistant("asst_" + "x" * 129)), "assistant.object.id: String should match"),
        (line("assistant", assistant('asst_"')), "assistant.object.id: String should match"),
        (line("assistant", assistant("thread_a")), "assistant.object.id: String should match"),
        (line("assistant", assistant(at=2**63)), "assistant.object.created_at: Input should be less than"),
        (line("assistant", assistant(at="1")), "assistant.object.created_at: Input should be a valid integer"),
        (line("assistant", assistant(tools=[{}])), "assistant.object.tools.type: Field required"),
        ({"kind": "assistant"}, "assistant.object: Field required"),
        ({"kind": "Assistant"}, "Input tag 'Assistant' found using 'kind' does not match"),
        ({**line("thread", thread()), "project": "a b"}, "thread.project: String should match"),
        ({"kind": "thread", "project": "", "object": thread()}, "thread.project: String should match"),
        (line("message", message("msg_a", content=[{"type": "text"}])), "message.object.content.0.text.text: Field"),
        (line("run", run(status="odd")), "run.object.status: Input should be"),
        (line("run", run(), used=[1]), "run.used: List should have at least 4 items"),
        (item(None, {}), "item: Value error, it names neither a message nor a turn"),
        (item("msg_a"), "item.chats: List should have at least 1 item"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(value: Any, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        line_of(value)
    assert problem(refused.value).startswith(why)
