"""Lists, page by page: 250 objects with equal seconds, both ways, by every way that clients page."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.doors import DOORS
from tests.contract.talk import Talk
from tests.engine.scripted import answer

COUNT = 250

# The client of the module lives longer than a test, and pytest forgets its filter at the end of the first.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def crowd() -> Iterator[tuple[Talk, list[str]]]:
    """Give a talk with 250 assistants, and their ids in the order they were made."""
    with Talk(DOORS[0], [answer("Hi")], {}) as talk:
        yield talk, [talk.beta.assistants.create(model="m").id for _ in range(COUNT)]
    assert talk.inspector.problems == []


def ids(talk: Talk, **query: Any) -> list[str]:
    return [one.id for one in talk.beta.assistants.list(**query)]


def test_automatic_paging_sees_each_once_in_order(crowd: tuple[Talk, list[str]]) -> None:
    talk, made = crowd
    assert ids(talk, limit=100) == made[::-1]
    assert ids(talk, limit=100, order="asc") == made
    assert len({one.created_at for one in talk.beta.assistants.list(limit=100)}) < COUNT, "the test needs equal times"


@pytest.mark.parametrize(("order", "limit"), [("asc", 33), ("desc", 50), ("desc", 100)])
def test_paging_backwards_sees_each_once_too(crowd: tuple[Talk, list[str]], order: Any, limit: int) -> None:
    talk, made = crowd
    wanted = made if order == "asc" else made[::-1]
    seen: list[str] = [wanted[-1]]
    while True:
        page = talk.beta.assistants.list(order=order, limit=limit, before=seen[0])
        seen[:0] = [one.id for one in page.data]
        if not page.has_more:
            break
    assert seen == wanted


def test_a_page_says_where_it_is(crowd: tuple[Talk, list[str]]) -> None:
    talk, made = crowd
    page: Any = talk.client.get("/assistants?limit=2&order=asc", cast_to=object)
    assert [page["first_id"], page["last_id"]] == made[:2] == [one["id"] for one in page["data"]]
    assert page["has_more"] is True
    page = talk.client.get(f"/assistants?limit=2&order=asc&after={made[-3]}", cast_to=object)
    assert (page["last_id"], page["has_more"]) == (made[-1], False)


def test_between_two_cursors(crowd: tuple[Talk, list[str]]) -> None:
    talk, made = crowd
    page = talk.beta.assistants.list(order="asc", after=made[10], before=made[15], limit=100)
    assert [one.id for one in page.data] == made[11:15]


def test_a_cursor_may_have_been_deleted_meanwhile(begin: Any) -> None:
    talk = begin()
    made = [talk.beta.assistants.create(model="m").id for _ in range(5)]
    talk.beta.assistants.delete(made[2])
    assert ids(talk, order="asc", after=made[2]) == made[3:]
    assert ids(talk, after=made[2]) == made[1::-1]


def test_deleting_while_paging_skips_nothing(begin: Any) -> None:
    talk = begin()
    made = [talk.beta.assistants.create(model="m").id for _ in range(7)]
    seen = [one.id for one in talk.beta.assistants.list(limit=2) if talk.beta.assistants.delete(one.id).deleted]
    assert seen == made[::-1]
    assert ids(talk) == []


@pytest.mark.parametrize("query", ["", "?limit=1", "?order=asc", "?after=&before=", "?limit=20&order=desc"])
def test_an_empty_page(begin: Any, query: str) -> None:
    page: Any = begin().client.get(f"/assistants{query}", cast_to=object)
    assert page == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def test_limits_and_what_is_unknown_in_a_query(crowd: tuple[Talk, list[str]]) -> None:
    talk, _ = crowd
    sizes = [
        len(talk.client.get(f"/assistants{query}", cast_to=object)["data"])
        for query in ("", "?limit=1", "?limit=100", "?limit=20&unknown=x")
    ]
    assert sizes == [20, 1, 100, 20]


def test_messages_of_one_burst_keep_their_order(start: Any) -> None:
    talk = start()
    texts = [str(number) for number in range(60)]
    thread = talk.threads.create(messages=[{"role": "user", "content": text} for text in texts])
    asc = [message.content[0].text.value for message in talk.threads.messages.list(thread.id, order="asc", limit=7)]
    desc = [message.content[0].text.value for message in talk.threads.messages.list(thread.id, limit=7)]
    assert asc == texts == desc[::-1]


def test_concurrent_messages_all_arrive_once(start: Any) -> None:
    talk = start()
    texts = [str(number) for number in range(24)]
    thread = talk.threads.create()

    def post(text: str) -> str:
        return talk.threads.messages.create(thread.id, role="user", content=text).id

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(post, texts))
    listed = list(talk.threads.messages.list(thread.id, order="asc"))
    assert sorted(message.id for message in listed) == sorted(made)
    times = [message.created_at for message in listed]
    assert times == sorted(times)
