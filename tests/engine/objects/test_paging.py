from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.engine.objects import assistants, messages, threads
from toolkit.engine.objects.assistants import CreateAssistant
from toolkit.engine.objects.messages import CreateMessage, ListMessages
from toolkit.engine.objects.paging import PageQuery
from toolkit.errors import Refused

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000


def made(do: Do, times: list[int]) -> list[str]:
    """Assistants made at these times, by id."""
    new = CreateAssistant(model="m")
    return [json.loads(do(lambda tx, at=at: assistants.create(tx, "p", new, at)))["id"] for at in times]


def listed(do: Do, **query: Any) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(do(lambda tx: assistants.list_(tx, "p", PageQuery.model_validate(query))))
    return page


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["data"]]


def test_a_page_says_its_ends_and_whether_there_is_more(do: Do) -> None:
    a, b, c = made(do, [NOW, NOW, NOW])
    page = listed(do, limit="2")
    assert ids(page) == [c, b]
    assert {name: page[name] for name in ("object", "first_id", "last_id", "has_more")} == {
        "object": "list",
        "first_id": c,
        "last_id": b,
        "has_more": True,
    }
    rest = listed(do, limit=2, after=b)
    assert (ids(rest), rest["has_more"]) == ([a], False)


def test_an_empty_page_has_null_ids(do: Do) -> None:
    assert listed(do) == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def test_lists_go_by_created_at_first_and_by_sequence_within_a_second(do: Do) -> None:
    late, early, also_late = made(do, [NOW + 5, NOW, NOW + 5])
    assert ids(listed(do, order="asc")) == [early, late, also_late]
    assert ids(listed(do, order="desc")) == [also_late, late, early]
    assert ids(listed(do, order="asc", after=late)) == [also_late]
    assert ids(listed(do, order="desc", after=late)) == [early]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_before_gives_the_page_that_ends_at_the_cursor(do: Do, order: str) -> None:
    everything = made(do, [NOW] * 5)
    if order == "desc":
        everything.reverse()
    page = listed(do, order=order, before=everything[3], limit=2)
    assert (ids(page), page["has_more"]) == (everything[1:3], True)
    page = listed(do, order=order, before=everything[1], limit=2)
    assert (ids(page), page["has_more"]) == (everything[:1], False)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_between_two_cursors_the_page_begins_at_after(do: Do, order: str) -> None:
    everything = made(do, [NOW] * 6)
    if order == "desc":
        everything.reverse()
    page = listed(do, order=order, after=everything[0], before=everything[5], limit=3)
    assert (ids(page), page["has_more"]) == (everything[1:4], True)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_joined_are_the_whole_list(do: Do, limit: int) -> None:
    everything = made(do, [NOW, NOW, NOW + 1, NOW + 1, NOW + 1, NOW + 2, NOW + 2])
    found: list[str] = []
    after = ""
    while True:
        page = listed(do, order="asc", limit=limit, after=after)
        found += ids(page)
        if not page["has_more"]:
            break
        after = page["last_id"]
    assert found == everything


def test_a_list_goes_on_after_an_object_that_was_deleted_meanwhile(do: Do) -> None:
    everything = made(do, [NOW] * 7)
    found: list[str] = []
    while (page := listed(do, order="asc", limit=3, after=found[-1] if found else ""))["data"]:
        for assistant_id in ids(page):
            do(lambda tx, assistant_id=assistant_id: assistants.delete(tx, "p", assistant_id))
            found.append(assistant_id)
    assert found == everything


def test_messages_too_are_deleted_while_they_are_paged_through(do: Do) -> None:
    new = [CreateMessage(role="user", content=str(number)) for number in range(5)]
    thread_id = json.loads(do(lambda tx: threads.create(tx, "p", threads.CreateThread(messages=new), NOW)))["id"]
    deleted = 0
    after = ""
    while True:
        query = ListMessages(limit=2, after=after)
        page = json.loads(do(lambda tx, query=query: messages.list_(tx, "p", thread_id, query)))
        for message in page["data"]:
            do(lambda tx, message=message: messages.delete(tx, "p", thread_id, message["id"]))
            deleted += 1
        if not page["has_more"]:
            break
        after = page["last_id"]
    assert deleted == 5


@pytest.mark.parametrize("param", ["after", "before"])
def test_a_cursor_that_names_nothing_here_is_refused(do: Do, param: str) -> None:
    made(do, [NOW])
    other = json.loads(do(lambda tx: assistants.create(tx, "other", CreateAssistant(model="m"), NOW)))["id"]
    do(lambda tx: assistants.delete(tx, "other", other))
    for cursor in ("asst_nobody", other):
        with pytest.raises(Refused) as caught:
            listed(do, **{param: cursor})
        assert (caught.value.status, caught.value.param) == (400, param)


def test_only_the_newest_graves_are_kept(do: Do) -> None:
    def bury_many(tx: Any) -> int:
        for number in range(10_050):
            row = tx.one("gone.insert", id=f"x{number}", project="p", created_at=NOW, seq=number)
        assert row["number"] == 10_050
        [assistant_id] = (json.loads(assistants.create(tx, "p", CreateAssistant(model="m"), NOW))["id"],)
        assistants.delete(tx, "p", assistant_id)
        return sum(tx.one("gone.get", id=f"x{number}", project="p") is not None for number in range(10_050))

    assert do(bury_many) == 9_999


def test_a_project_sees_its_own_list_alone(do: Do) -> None:
    made(do, [NOW])
    assert json.loads(do(lambda tx: assistants.list_(tx, "other", PageQuery())))["data"] == []
