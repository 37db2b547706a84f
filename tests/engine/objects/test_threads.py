from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.official import assert_official
from toolkit.engine.objects import messages, threads
from toolkit.engine.objects.messages import CreateMessage, ListMessages
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.threads import CreateThread, ModifyThread, tick
from toolkit.errors import Refused

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000
HI = CreateMessage(role="user", content="hi")


def create(do: Do, project: str = "p", **body: Any) -> dict[str, Any]:
    request = CreateThread.model_validate_json(json.dumps(body))
    thread: dict[str, Any] = json.loads(do(lambda tx: threads.create(tx, project, request, NOW)))
    return thread


def times(do: Do, thread_id: str) -> list[int]:
    query = ListMessages(order="asc", limit=100)
    page = json.loads(do(lambda tx: messages.list_(tx, "p", thread_id, query)))
    return [message["created_at"] for message in page["data"]]


@pytest.mark.parametrize(
    ("last", "now", "then"),
    [
        (NOW - 100, NOW, NOW),
        (NOW - 1, NOW, NOW),
        (NOW, NOW, NOW + 1),
        (NOW + 1, NOW, NOW + 2),
        (NOW + 2, NOW, NOW + 2),
        (NOW + 500, NOW, NOW + 500),
    ],
)
def test_times_increase_while_at_most_two_seconds_ahead(last: int, now: int, then: int) -> None:
    assert tick(last, now) == then


def test_an_empty_thread(do: Do) -> None:
    thread = create(do)
    assert thread == {
        "id": thread["id"],
        "object": "thread",
        "created_at": NOW,
        "metadata": {},
        "tool_resources": {},
    }
    assert_official("ThreadObject", thread)
    assert json.loads(do(lambda tx: threads.get(tx, "p", thread["id"]))) == thread
    nulls = create(do, messages=None, metadata=None, tool_resources=None)
    assert {**nulls, "id": thread["id"]} == thread


def test_first_messages_come_in_order(do: Do) -> None:
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    thread_id = create(do, messages=said, metadata={"k": "v"})["id"]
    query = ListMessages(order="asc")
    page = json.loads(do(lambda tx: messages.list_(tx, "p", thread_id, query)))
    assert_official("ListMessagesResponse", page)
    assert [message["content"][0]["text"]["value"] for message in page["data"]] == ["a", "b", "c"]
    assert times(do, thread_id) == [NOW, NOW + 1, NOW + 2]


def test_a_burst_of_messages_does_not_run_into_the_future(do: Do) -> None:
    thread_id = create(do)["id"]
    do(lambda tx: threads.append(tx, "p", thread_id, [HI] * 50, NOW))
    do(lambda tx: threads.append(tx, "p", thread_id, [HI], NOW))
    assert times(do, thread_id) == [NOW, NOW + 1] + [NOW + 2] * 49
    do(lambda tx: threads.append(tx, "p", thread_id, [HI], NOW + 10))
    assert times(do, thread_id)[-1] == NOW + 10


def test_no_message_is_added_while_a_run_is_active(do: Do) -> None:
    thread_id = create(do)["id"]
    do(lambda tx: tx.run("run.lock_thread", thread=thread_id, run="run_a", last_at=NOW))
    with pytest.raises(Refused) as caught:
        do(lambda tx: threads.append(tx, "p", thread_id, [HI], NOW))
    assert caught.value.status == 400
    assert caught.value.message == f"Can't add messages to {thread_id} while a run run_a is active."
    assert times(do, thread_id) == []


def test_a_thread_has_a_most_of_messages(do: Do) -> None:
    thread_id = create(do, messages=[{"role": "user", "content": "a"}])["id"]
    do(lambda tx: tx.run("thread.advance", id=thread_id, last_at=NOW, new=99_997))
    assert len(do(lambda tx: threads.append(tx, "p", thread_id, [HI, HI], NOW))) == 2
    with pytest.raises(Refused) as caught:
        do(lambda tx: threads.append(tx, "p", thread_id, [HI], NOW))
    assert (caught.value.status, caught.value.code) == (400, "array_above_max_length")
    assert caught.value.message == (
        f"Can't add messages to {thread_id}: it has 100000 messages and would have 100001, but a thread has at most "
        "100000."
    )
    newest = json.loads(do(lambda tx: messages.list_(tx, "p", thread_id, ListMessages(limit=1))))["data"][0]["id"]
    do(lambda tx: messages.delete(tx, "p", thread_id, newest))
    assert len(do(lambda tx: threads.append(tx, "p", thread_id, [HI], NOW))) == 1


def test_a_message_that_is_refused_takes_the_whole_thread_with_it(do: Do) -> None:
    image = {"type": "image_file", "image_file": {"file_id": "file-a"}}
    with pytest.raises(Refused, match="No such File object"):
        create(do, messages=[{"role": "user", "content": "a"}, {"role": "user", "content": [image]}])
    assert json.loads(do(lambda tx: threads.list_(tx, "p", PageQuery())))["data"] == []


def test_what_was_given_changes_and_null_clears(do: Do) -> None:
    thread = create(do, metadata={"k": "v"}, tool_resources={"code_interpreter": {"file_ids": []}})

    def modify(**body: Any) -> dict[str, Any]:
        request = ModifyThread.model_validate(body)
        changed: dict[str, Any] = json.loads(do(lambda tx: threads.modify(tx, "p", thread["id"], request, NOW)))
        return changed

    assert modify() == thread
    assert modify(metadata={"hash": "1"}) == {**thread, "metadata": {"hash": "1"}}
    assert modify(metadata=None, tool_resources=None) == {**thread, "metadata": {}, "tool_resources": {}}


def test_a_project_lists_its_own_threads(do: Do) -> None:
    ids = [create(do)["id"] for _ in range(3)]
    create(do, project="other")
    page = json.loads(do(lambda tx: threads.list_(tx, "p", PageQuery(order="asc"))))
    assert [thread["id"] for thread in page["data"]] == ids


def test_all_that_is_in_it_goes_with_a_deleted_thread(do: Do) -> None:
    thread_id = create(do, messages=[{"role": "user", "content": "a"}])["id"]
    answer = json.loads(do(lambda tx: threads.delete(tx, "p", thread_id)))
    assert answer == {"id": thread_id, "object": "thread.deleted", "deleted": True}
    assert do(lambda tx: list(tx.all("item.newest", thread=thread_id, before=2**62, limit=9))) == []
    for work in (
        lambda tx: threads.get(tx, "p", thread_id),
        lambda tx: threads.append(tx, "p", thread_id, [HI], NOW),
        lambda tx: threads.modify(tx, "p", thread_id, ModifyThread(), NOW),
        lambda tx: threads.delete(tx, "p", thread_id),
        lambda tx: messages.list_(tx, "p", thread_id, ListMessages()),
    ):
        with pytest.raises(Refused) as caught:
            do(work)
        assert (caught.value.status, caught.value.message) == (404, f"No thread found with id '{thread_id}'.")
