"""Threads and messages, by the official client."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError

IMAGE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}


def test_a_thread_keeps_what_it_was_given(start: Any) -> None:
    talk = start()
    resources = {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}
    made = talk.threads.create(metadata={"hash": "x"}, tool_resources=resources)
    assert made.to_dict()["tool_resources"] == resources
    assert made.metadata == {"hash": "x"}
    assert talk.threads.retrieve(made.id).to_dict() == made.to_dict()
    changed = talk.threads.update(made.id, metadata={"other": "y"}, tool_resources={})
    assert (changed.metadata, changed.to_dict()["tool_resources"]) == ({"other": "y"}, {})
    assert talk.threads.retrieve(made.id).to_dict() == changed.to_dict()
    assert talk.threads.update(made.id, metadata=None).metadata == {}


def test_an_empty_thread(start: Any) -> None:
    talk = start()
    made = talk.threads.create().to_dict()
    assert (made["metadata"], made["tool_resources"]) == ({}, {})
    assert list(talk.threads.messages.list(made["id"])) == []
    assert list(talk.runs.list(made["id"])) == []


def test_a_thread_begins_with_messages(start: Any) -> None:
    talk = start()
    messages: list[Any] = [
        {"role": "user", "content": "one", "metadata": {"n": "1"}, "attachments": []},
        {"role": "assistant", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": [{"type": "text", "text": "three"}, IMAGE]},
    ]
    thread = talk.threads.create(messages=messages)
    kept = [message.to_dict() for message in talk.threads.messages.list(thread.id, order="asc")]
    assert [message["role"] for message in kept] == ["user", "assistant", "user"]
    assert [message["content"][0]["text"]["value"] for message in kept] == ["one", "two", "three"]
    assert kept[2]["content"][1] == IMAGE
    assert kept[0]["metadata"] == {"n": "1"}


def test_a_message_has_every_member_of_the_reference(start: Any) -> None:
    talk = start()
    thread = talk.threads.create()
    made = talk.threads.messages.create(
        thread.id, role="user", content="hello", metadata={"key": "value"}, attachments=[]
    )
    assert made.to_dict() == {
        "id": made.id,
        "object": "thread.message",
        "created_at": made.created_at,
        "thread_id": thread.id,
        "assistant_id": None,
        "run_id": None,
        "status": "completed",
        "completed_at": made.completed_at,
        "incomplete_at": None,
        "incomplete_details": None,
        "role": "user",
        "content": [{"type": "text", "text": {"value": "hello", "annotations": []}}],
        "attachments": [],
        "metadata": {"key": "value"},
    }
    assert talk.threads.messages.retrieve(made.id, thread_id=thread.id).to_dict() == made.to_dict()


def test_only_the_metadata_of_a_message_changes(start: Any) -> None:
    talk = start()
    thread = talk.threads.create()
    made = talk.threads.messages.create(thread.id, role="user", content="hello", metadata={"a": "1"})
    changed = talk.threads.messages.update(made.id, thread_id=thread.id, metadata={"b": "2"})
    assert changed.to_dict() == {**made.to_dict(), "metadata": {"b": "2"}}
    with pytest.raises(BadRequestError, match=r"Unknown parameter: 'content'.") as refused:
        talk.threads.messages.update(made.id, thread_id=thread.id, extra_body={"content": "other"})
    assert refused.value.param == "content"


def test_messages_are_listed_both_ways(start: Any) -> None:
    talk = start()
    thread = talk.threads.create(messages=[{"role": "user", "content": str(number)} for number in range(4)])
    values = [message.content[0].text.value for message in talk.threads.messages.list(thread.id)]
    assert values == ["3", "2", "1", "0"]
    first, *_, last = talk.threads.messages.list(thread.id, order="asc")
    between = talk.threads.messages.list(thread.id, order="asc", after=first.id, before=last.id)
    assert [message.content[0].text.value for message in between] == ["1", "2"]


def test_a_deleted_message_is_gone_from_the_thread(start: Any) -> None:
    talk = start()
    thread = talk.threads.create(messages=[{"role": "user", "content": text} for text in ("one", "two")])
    newest, oldest = talk.threads.messages.list(thread.id)
    gone = talk.threads.messages.delete(newest.id, thread_id=thread.id)
    assert gone.to_dict() == {"id": newest.id, "object": "thread.message.deleted", "deleted": True}
    assert [message.id for message in talk.threads.messages.list(thread.id)] == [oldest.id]
    with pytest.raises(NotFoundError, match=f"No message found with id '{newest.id}'."):
        talk.threads.messages.retrieve(newest.id, thread_id=thread.id)


def test_a_deleted_thread_is_gone_with_its_messages(start: Any) -> None:
    talk = start()
    thread = talk.threads.create(messages=[{"role": "user", "content": "one"}])
    [message] = talk.threads.messages.list(thread.id)
    gone = talk.threads.delete(thread.id)
    assert gone.to_dict() == {"id": thread.id, "object": "thread.deleted", "deleted": True}
    for call in (talk.threads.retrieve, talk.threads.delete, talk.threads.messages.list, talk.runs.list):
        with pytest.raises(NotFoundError, match=thread.id):
            call(thread.id)
    with pytest.raises(NotFoundError):
        talk.threads.messages.retrieve(message.id, thread_id=thread.id)


def test_a_message_is_found_in_its_own_thread_only(begin: Any) -> None:
    talk = begin()
    one, other = talk.threads.create(), talk.threads.create()
    message = talk.threads.messages.create(one.id, role="user", content="x")
    with pytest.raises(NotFoundError):
        talk.threads.messages.retrieve(message.id, thread_id=other.id)


def test_threads_can_be_listed(begin: Any) -> None:
    talk = begin()
    made = [talk.threads.create().id for _ in range(3)]
    listed: Any = talk.client.get("/threads", cast_to=object)
    assert [thread["id"] for thread in listed["data"]] == made[::-1]


def test_files_that_nobody_has_are_refused_by_name(begin: Any) -> None:
    talk = begin()
    thread = talk.threads.create()
    with pytest.raises(NotFoundError, match="No such File object: file-x") as refused:
        attachment = {"file_id": "file-x", "tools": [{"type": "file_search"}]}
        talk.threads.messages.create(thread.id, role="user", content="x", attachments=[attachment])
    assert refused.value.param == "attachments[0].file_id"
    with pytest.raises(NotFoundError, match="No such File object: file-x"):
        image: Any = {"type": "image_file", "image_file": {"file_id": "file-x"}}
        talk.threads.messages.create(thread.id, role="user", content=[image])
    assert list(talk.threads.messages.list(thread.id)) == []


def test_what_nobody_has_is_named_where_it_stands_in_the_request(begin: Any) -> None:
    talk = begin()
    image = {"role": "user", "content": [{"type": "image_file", "image_file": {"file_id": "file-x"}}]}
    attached = {"role": "user", "content": "x", "attachments": [{"file_id": "file-x"}]}
    kept, by = {"role": "user", "content": "x"}, {"assistant_id": talk.assistant_id}
    store = {"tool_resources": {"file_search": {"vector_store_ids": ["vs_x"]}}}
    for path, body, param in [
        ("threads", {"messages": [kept, image]}, "messages[1].content[0].image_file.file_id"),
        ("threads", store, "tool_resources.file_search.vector_store_ids[0]"),
        (
            f"threads/{talk.thread_id}/runs",
            {**by, "additional_messages": [kept, attached]},
            "additional_messages[1].attachments[0].file_id",
        ),
        ("threads/runs", {**by, "thread": {"messages": [attached]}}, "thread.messages[0].attachments[0].file_id"),
        ("threads/runs", {**by, "thread": store}, "thread.tool_resources.file_search.vector_store_ids[0]"),
    ]:
        told = talk.http.post(f"/v1/{path}", json=body)
        assert (told.status_code, told.json()["error"]["param"]) == (404, param)
