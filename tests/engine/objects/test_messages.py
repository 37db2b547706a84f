from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.official import assert_official
from toolkit.engine.objects import messages, threads
from toolkit.engine.objects.messages import CreateMessage, ListMessages, ModifyMessage
from toolkit.errors import Refused

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def new_thread(do: Do) -> str:
    thread_id: str = json.loads(do(lambda tx: threads.create(tx, "p", threads.CreateThread(), NOW)))["id"]
    return thread_id


def add(do: Do, thread_id: str, **body: Any) -> dict[str, Any]:
    request = CreateMessage.model_validate_json(json.dumps({"role": "user", **body}))
    message: dict[str, Any] = json.loads(do(lambda tx: threads.append(tx, "p", thread_id, [request], NOW)[0]))
    return message


def chats(do: Do, thread_id: str) -> list[Any]:
    rows = do(lambda tx: [dict(row) for row in tx.all("item.newest", thread=thread_id, before=2**62, limit=100)])
    assert all(row["size"] == len(row["chat"].encode()) for row in rows)
    return [json.loads(row["chat"]) for row in reversed(rows)]


def listed(do: Do, thread_id: str, **query: Any) -> list[str]:
    page = json.loads(do(lambda tx: messages.list_(tx, "p", thread_id, ListMessages(**query))))
    return [message["id"] for message in page["data"]]


def test_a_string_becomes_one_text_part(do: Do) -> None:
    thread_id = new_thread(do)
    message = add(do, thread_id, content="häi\n", metadata={"k": "v"})
    assert message == {
        "id": message["id"],
        "object": "thread.message",
        "created_at": NOW,
        "assistant_id": None,
        "thread_id": thread_id,
        "run_id": None,
        "status": "completed",
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": NOW,
        "role": "user",
        "content": [{"type": "text", "text": {"value": "häi\n", "annotations": []}}],
        "attachments": [],
        "metadata": {"k": "v"},
    }
    assert_official("MessageObject", message)
    assert json.loads(do(lambda tx: messages.get(tx, "p", thread_id, message["id"]))) == message
    assert chats(do, thread_id) == [{"role": "user", "content": "häi\n"}]


def test_parts_are_kept_in_order_and_sent_as_chat_parts(do: Do) -> None:
    thread_id = new_thread(do)
    message = add(do, thread_id, content=[IMAGE, {"type": "text", "text": "What is this?"}])
    url = {"url": "https://example.com/a.png", "detail": "auto"}
    assert message["content"] == [
        {"type": "image_url", "image_url": url},
        {"type": "text", "text": {"value": "What is this?", "annotations": []}},
    ]
    assert_official("MessageObject", message)
    assert chats(do, thread_id) == [
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": url}, {"type": "text", "text": "What is this?"}],
        }
    ]


def test_text_alone_goes_to_the_model_as_one_string(do: Do) -> None:
    thread_id = new_thread(do)
    add(do, thread_id, role="assistant", content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])
    assert chats(do, thread_id) == [{"role": "assistant", "content": "a\n\nb"}]


def test_an_image_alone_is_a_message(do: Do) -> None:
    assert add(do, new_thread(do), content=[IMAGE])["content"][0]["type"] == "image_url"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"content": [{"type": "image_file", "image_file": {"file_id": "file-a"}}]}, "content[0].image_file.file_id"),
        ({"content": "x", "attachments": [{"file_id": "file-a", "tools": []}]}, "attachments[0].file_id"),
    ],
)
def test_files_name_nothing_and_nothing_is_stored(do: Do, body: dict[str, Any], param: str) -> None:
    thread_id = new_thread(do)
    with pytest.raises(Refused, match="No such File object: file-a") as caught:
        add(do, thread_id, **body)
    assert (caught.value.status, caught.value.param) == (404, param)
    assert listed(do, thread_id) == []


def test_no_attachments_are_an_empty_list(do: Do) -> None:
    thread_id = new_thread(do)
    for none in ({}, {"attachments": None}, {"attachments": []}):
        assert add(do, thread_id, content="x", **none)["attachments"] == []


def test_only_the_metadata_changes(do: Do) -> None:
    thread_id = new_thread(do)
    message = add(do, thread_id, content="x", metadata={"k": "v"})

    def modify(**body: Any) -> dict[str, Any]:
        request = ModifyMessage(**body)
        changed: dict[str, Any] = json.loads(do(lambda tx: messages.modify(tx, "p", thread_id, message["id"], request)))
        return changed

    assert modify() == message
    assert modify(metadata={"n": "w"}) == {**message, "metadata": {"n": "w"}}
    assert modify(metadata=None) == {**message, "metadata": {}}
    assert json.loads(do(lambda tx: messages.get(tx, "p", thread_id, message["id"]))) == {**message, "metadata": {}}


def test_lists_go_by_sequence_whatever_the_time_says(do: Do) -> None:
    thread_id = new_thread(do)
    ids = [add(do, thread_id, content=str(number))["id"] for number in range(6)]
    assert listed(do, thread_id, order="asc") == ids
    assert listed(do, thread_id) == ids[::-1]
    assert listed(do, thread_id, limit=2, after=ids[4]) == [ids[3], ids[2]]


def test_a_run_finds_its_own_messages(do: Do) -> None:
    thread_id = new_thread(do)
    add(do, thread_id, content="x")
    body = '{"id":"msg_of_run"}'
    values = {"project": "p", "thread": thread_id, "created_at": NOW, "status": "completed", "body": body}
    do(lambda tx: tx.run("answer.insert", id="msg_of_run", run="run_a", **values))
    for order in ("asc", "desc"):
        assert listed(do, thread_id, run_id="run_a", order=order) == ["msg_of_run"]
    assert listed(do, thread_id, run_id="run_b") == []
    assert len(listed(do, thread_id)) == 2


def test_a_deleted_message_is_gone_for_the_model_too(do: Do) -> None:
    thread_id = new_thread(do)
    first, second = add(do, thread_id, content="a"), add(do, thread_id, content="b")
    answer = json.loads(do(lambda tx: messages.delete(tx, "p", thread_id, first["id"])))
    assert answer == {"id": first["id"], "object": "thread.message.deleted", "deleted": True}
    assert listed(do, thread_id) == [second["id"]]
    assert chats(do, thread_id) == [{"role": "user", "content": "b"}]
    with pytest.raises(Refused, match=f"No message found with id '{first['id']}'.") as caught:
        do(lambda tx: messages.get(tx, "p", thread_id, first["id"]))
    assert caught.value.status == 404


def test_tool_calls_made_along_with_a_deleted_message_stay(do: Do) -> None:
    thread_id = new_thread(do)
    message_id = add(do, thread_id, role="assistant", content="I look it up.")["id"]
    calls = [{"id": "call_a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    chat = json.dumps({"role": "assistant", "content": "I look it up.", "tool_calls": calls})
    do(lambda tx: tx.run("item.into_turn", message=message_id, turn="step_a", size=len(chat), chat=chat))
    do(lambda tx: messages.delete(tx, "p", thread_id, message_id))
    assert chats(do, thread_id) == [{"role": "assistant", "content": None, "tool_calls": calls}]


def test_what_is_not_there_is_named(do: Do) -> None:
    thread_id = new_thread(do)
    message_id = add(do, thread_id, content="x")["id"]
    for project, thread, message, said in [
        ("p", thread_id, "msg_no", "No message found with id 'msg_no'."),
        ("p", "thread_no", message_id, "No thread found with id 'thread_no'."),
        ("other", thread_id, message_id, f"No thread found with id '{thread_id}'."),
        ("p", new_thread(do), message_id, f"No message found with id '{message_id}'."),
    ]:
        with pytest.raises(Refused) as caught:
            do(lambda tx, at=(project, thread, message): messages.get(tx, *at))
        assert (caught.value.status, caught.value.message) == (404, said)
    with pytest.raises(Refused, match="No thread found"):
        listed(do, "thread_no")
