from __future__ import annotations

from typing import Any

import pytest

from toolkit.engine.objects.paging import PageQuery
from toolkit.errors import Refused
from toolkit.server.v1.shown import assistant_files, message_files, page, shown

SEARCH = {"type": "file_search", "file_search": {"max_num_results": 3}}
FUNCTION = {"type": "function", "function": {"name": "file_search"}}
RETRIEVAL = {"type": "retrieval"}

ASSISTANT = {
    "id": "asst_a",
    "object": "assistant",
    "created_at": 7,
    "tools": [SEARCH, FUNCTION],
    "tool_resources": {
        "code_interpreter": {"file_ids": ["file-a", "file-b"]},
        "file_search": {"vector_store_ids": ["vs_a"]},
    },
    "temperature": 1.0,
}
MESSAGE = {
    "id": "msg_a",
    "object": "thread.message",
    "created_at": 8,
    "content": [{"type": "text", "text": {"value": "hi", "annotations": []}}],
    "attachments": [{"file_id": "file-a", "tools": [SEARCH]}, {"file_id": "file-b", "tools": []}],
}
RUN = {
    "id": "run_a",
    "object": "thread.run",
    "tools": [SEARCH, FUNCTION],
    "tool_choice": {"type": "file_search"},
    "tool_resources": {},
}
CITED = {"type": "file_citation", "text": "【1】", "file_citation": {"file_id": "file-a"}}
QUOTED = {"type": "file_citation", "text": "【2】", "file_citation": {"file_id": "file-a", "quote": "said"}}
PATH = {"type": "file_path", "text": "x", "file_path": {"file_id": "file-a"}}


def step(*calls: Any) -> dict[str, Any]:
    return {"id": "step_a", "object": "thread.run.step", "step_details": {"type": "tool_calls", "tool_calls": [*calls]}}


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: member for key, member in value.items() if key != name}


def test_an_assistant_has_its_files_and_retrieval() -> None:
    bare = without(ASSISTANT, "tool_resources")
    expected = {**bare, "tools": [RETRIEVAL, FUNCTION], "file_ids": ["file-a", "file-b"]}
    assert shown(ASSISTANT) == expected
    assert shown({**ASSISTANT, "tool_resources": {}})["file_ids"] == []
    page = {"object": "list", "data": [ASSISTANT], "first_id": "asst_a", "last_id": "asst_a", "has_more": True}
    assert shown(page) == {**page, "data": [expected]}


def test_a_thread_knew_of_no_resources() -> None:
    thread = {"id": "thread_a", "object": "thread", "metadata": {}}
    assert shown({**thread, "tool_resources": {"code_interpreter": {"file_ids": ["file-a"]}}}) == thread


def test_a_message_has_its_files() -> None:
    assert shown(MESSAGE) == {**without(MESSAGE, "attachments"), "file_ids": ["file-a", "file-b"]}


def test_a_run_has_retrieval_and_an_empty_list_of_files() -> None:
    expected = {**without(RUN, "tool_resources"), "tools": [RETRIEVAL, FUNCTION], "tool_choice": RETRIEVAL}
    assert shown(RUN) == {**expected, "file_ids": []}
    assert shown({**RUN, "tool_choice": "auto"})["tool_choice"] == "auto"


def test_citations_have_quotes() -> None:
    def content(*annotations: Any) -> list[Any]:
        text = {"type": "text", "text": {"value": "【1】【2】x", "annotations": [*annotations]}}
        return [{"type": "image_file", "image_file": {"file_id": "file-b"}}, text]

    cited = {**CITED, "file_citation": {"quote": "", "file_id": "file-a"}}
    message = {**MESSAGE, "content": content(CITED, QUOTED, PATH)}
    assert shown(message)["content"] == content(cited, QUOTED, PATH)
    delta = {"object": "thread.message.delta", "delta": {"content": content(CITED, PATH)}}
    assert shown(delta) == {**delta, "delta": {"content": content(cited, PATH)}}
    plain = {"object": "thread.message.delta", "delta": {"content": [{"index": 0, "type": "text", "text": {}}]}}
    assert shown(plain) == plain


def test_searches_in_steps_are_retrievals() -> None:
    call = {"id": "call_b", "type": "function", "function": {"name": "f"}}
    search = {"id": "call_a", "type": "file_search", "file_search": {"results": []}}
    retrieval = {"id": "call_a", "type": "retrieval", "retrieval": {}}
    assert shown(step(search, call)) == step(retrieval, call)
    writing = {**step(), "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_a"}}}
    assert shown(writing) == writing
    delta = {"object": "thread.run.step.delta", "delta": {"step_details": step({**search, "index": 0})["step_details"]}}
    told = {**delta, "delta": {"step_details": step({**retrieval, "index": 0})["step_details"]}}
    assert shown(delta) == told


@pytest.mark.parametrize(
    "value",
    [
        {"id": "file-a", "object": "file", "status": "processed"},
        {"id": "asst_a", "object": "assistant.deleted", "deleted": True},
        {"error": {"message": "no"}},
        {"code": None, "message": "an error event"},
        {"object": "list", "data": [{"id": "m", "object": "model"}]},
    ],
)
def test_everything_else_was_the_same(value: Any) -> None:
    assert shown(value) == value


def test_files_are_objects_of_what_they_are_attached_to() -> None:
    assert assistant_files(ASSISTANT) == [
        {"id": file_id, "object": "assistant.file", "created_at": 7, "assistant_id": "asst_a"}
        for file_id in ("file-a", "file-b")
    ]
    assert message_files(MESSAGE) == [
        {"id": file_id, "object": "thread.message.file", "created_at": 8, "message_id": "msg_a"}
        for file_id in ("file-a", "file-b")
    ]


FILES = [{"id": f"file-{number}"} for number in range(5)]


@pytest.mark.parametrize(
    ("query", "listed", "has_more"),
    [
        ({}, "43210", False),
        ({"order": "asc"}, "01234", False),
        ({"limit": "2"}, "43", True),
        ({"limit": "5"}, "43210", False),
        ({"limit": "2", "after": "file-3"}, "21", True),
        ({"limit": "2", "after": "file-1"}, "0", False),
        ({"after": "file-0"}, "", False),
        ({"limit": "2", "order": "asc", "after": "file-2"}, "34", False),
        ({"limit": "2", "before": "file-0"}, "21", True),
        ({"limit": "2", "before": "file-2"}, "43", False),
        ({"before": "file-4"}, "", False),
        ({"after": "file-4", "before": "file-1"}, "32", False),
        ({"after": "file-4", "before": "file-0", "limit": "2"}, "32", True),
        ({"after": "", "before": ""}, "43210", False),
    ],
)
def test_pages_of_files(query: Any, listed: str, has_more: bool) -> None:
    found = page(FILES, PageQuery.model_validate_strings(query))
    ids = [f"file-{number}" for number in listed]
    assert [file["id"] for file in found["data"]] == ids
    assert (found["object"], found["has_more"]) == ("list", has_more)
    assert (found["first_id"], found["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))


@pytest.mark.parametrize("cursor", ["after", "before"])
def test_a_cursor_that_names_no_file_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        page(FILES, PageQuery.model_validate({cursor: "file-x"}))
    assert (refused.value.param, refused.value.code) == (cursor, "invalid_value")


def test_what_is_shown_leaves_the_object_of_v2_as_it_was() -> None:
    values = [ASSISTANT, MESSAGE, RUN, step({"id": "c", "type": "file_search", "file_search": {}})]
    before = repr(values)
    shown({"object": "list", "data": values})
    assert repr(values) == before
