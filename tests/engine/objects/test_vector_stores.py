from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.official import assert_official
from tests.engine.filled_stores import NOW, Do, add, claim, counts, new_file, new_store, write
from toolkit.engine.objects import store_files, vector_stores
from toolkit.engine.objects.invalid import refusal
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.store_files import AUTO, CreateStoreFile
from toolkit.engine.objects.vector_stores import CreateVectorStore, ModifyVectorStore
from toolkit.errors import Refused

DAY_S = 86400
SMALL: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
WEEK: Any = {"anchor": "last_active_at", "days": 7}


def create(do: Do, **body: Any) -> Any:
    request = CreateVectorStore.model_validate(body)
    return json.loads(do(lambda tx: vector_stores.create(tx, "p", request, NOW)))


def get(do: Do, store_id: str, now: int = NOW) -> Any:
    found = json.loads(do(lambda tx: vector_stores.get(tx, "p", store_id, now)))
    assert_official("VectorStoreObject", found)
    return found


def modify(do: Do, store_id: str, now: int = NOW, **body: Any) -> Any:
    request = ModifyVectorStore.model_validate(body)
    return json.loads(do(lambda tx: vector_stores.modify(tx, "p", store_id, request, now)))


def status(do: Do, store_id: str, file_id: str) -> str:
    found: str = json.loads(do(lambda tx: store_files.get(tx, "p", store_id, file_id)))["status"]
    return found


def refused(work: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as error:
        work()
    return error.value


def test_what_a_store_looks_like(do: Do) -> None:
    made = create(do)
    assert made == {
        "id": made["id"],
        "object": "vector_store",
        "created_at": NOW,
        "name": "",
        "usage_bytes": 0,
        "chunks": 0,
        "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
        "status": "completed",
        "expires_at": None,
        "last_active_at": NOW,
        "metadata": {},
        "embedding": None,
    }
    assert get(do, made["id"]) == made


def test_what_is_asked_is_kept(do: Do) -> None:
    file_id = new_file(do)
    asked = {"name": "späße", "metadata": {"k": "v"}, "expires_after": WEEK}
    made = create(do, **asked, description="", file_ids=[file_id, file_id], chunking_strategy=SMALL)
    assert {name: made[name] for name in asked} == asked
    assert (made["expires_at"], made["description"]) == (NOW + 7 * DAY_S, "")
    assert (made["status"], made["file_counts"]["in_progress"]) == ("in_progress", 1)
    found = json.loads(do(lambda tx: store_files.get(tx, "p", made["id"], file_id)))
    assert found["chunking_strategy"] == SMALL


def test_nulls_mean_not_given(do: Do) -> None:
    nothing = dict.fromkeys(("name", "description", "file_ids", "chunking_strategy", "expires_after", "metadata"))
    made = create(do, **nothing)
    assert made == {**create(do), "id": made["id"]}


def test_files_that_are_added_later_are_cut_as_the_store_says(do: Do) -> None:
    for chunking, wanted in ((SMALL, SMALL), ({"type": "auto"}, AUTO), (None, AUTO)):
        store_id, file_id = create(do, chunking_strategy=chunking)["id"], new_file(do)
        request = CreateStoreFile(file_id=file_id)
        added = json.loads(do(lambda tx, s=store_id, r=request: store_files.create(tx, "p", s, r, NOW)))
        assert added["chunking_strategy"] == wanted


def test_a_store_with_a_file_that_is_not_there_is_not_made(do: Do) -> None:
    error = refused(lambda: create(do, file_ids=[new_file(do), "file-x"]))
    assert (error.status, error.param) == (404, "file_ids[1]")
    assert json.loads(do(lambda tx: vector_stores.list_(tx, "p", PageQuery(), NOW)))["data"] == []


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"name": "x" * 257}, "name", "string_above_max_length"),
        ({"description": "x" * 513}, "description", "string_above_max_length"),
        ({"file_ids": ["a"] * 501}, "file_ids", "array_above_max_length"),
        ({"metadata": {"k": 1}}, "metadata.k", "invalid_type"),
        ({"expires_after": {"anchor": "created_at", "days": 1}}, "expires_after.anchor", "invalid_value"),
        ({"expires_after": {"days": 1}}, "expires_after.anchor", "missing_required_parameter"),
        ({"expires_after": {**WEEK, "days": 0}}, "expires_after.days", "integer_below_min_value"),
        ({"expires_after": {**WEEK, "days": 366}}, "expires_after.days", "integer_above_max_value"),
        ({"expires_after": {**WEEK, "days": 1.5}}, "expires_after.days", "invalid_type"),
        ({"files": []}, "files", "unknown_parameter"),
    ],
)
def test_what_cannot_be_asked(body: Any, param: str, code: str) -> None:
    for model in (CreateVectorStore, ModifyVectorStore):
        if param.partition(".")[0] not in model.model_fields and code != "unknown_parameter":
            continue
        with pytest.raises(ValidationError) as error:
            model.model_validate(body)
        refused = refusal(error.value)
        assert (refused.param, refused.code) == (param, code)


def test_what_is_given_is_changed_and_null_clears(do: Do) -> None:
    made = create(do, name="old", metadata={"k": "v"}, description="of old")
    assert modify(do, made["id"]) == made
    assert modify(do, made["id"], name="new") == {**made, "name": "new"}
    assert modify(do, made["id"], metadata={"other": "1"})["metadata"] == {"other": "1"}
    cleared = modify(do, made["id"], name=None, metadata=None)
    assert cleared == get(do, made["id"]) == {**made, "name": "", "metadata": {}}
    assert refused(lambda: modify(do, "vs_x", name="x")).status == 404


def test_when_a_store_expires_can_be_changed(do: Do) -> None:
    made = create(do)
    later = modify(do, made["id"], NOW + 100, expires_after=WEEK)
    assert (later["expires_after"], later["expires_at"]) == (WEEK, NOW + 100 + 7 * DAY_S)
    assert later["last_active_at"] == NOW + 100
    never = modify(do, made["id"], NOW + 200, expires_after=None)
    assert ("expires_after" in never, never["expires_at"]) == (False, None)
    assert get(do, made["id"], NOW + 999 * DAY_S)["status"] == "completed"


def test_use_puts_expiry_off_and_is_noted_once_a_minute(do: Do) -> None:
    store_id = create(do, expires_after=WEEK)["id"]
    assert not do(lambda tx: vector_stores.is_idle(tx, "p", store_id, NOW + 59))
    assert do(lambda tx: vector_stores.is_idle(tx, "p", store_id, NOW + 60))
    assert not do(lambda tx: vector_stores.is_idle(tx, "other", store_id, NOW + 60))
    do(lambda tx: vector_stores.touch(tx, store_id, NOW + 60))
    found = get(do, store_id)
    assert (found["last_active_at"], found["expires_at"]) == (NOW + 60, NOW + 60 + 7 * DAY_S)


def test_a_store_whose_time_is_up_can_be_read_changed_and_deleted(do: Do) -> None:
    store_id, at = new_store(do, days=7), NOW + 7 * DAY_S
    file_id = add(do, store_id, "text")
    for _ in range(2):
        assert (get(do, store_id, at)["status"], get(do, store_id, at)["file_counts"]["completed"]) == ("expired", 1)
        assert modify(do, store_id, at, name="old")["status"] == "expired"
        assert refused(lambda: modify(do, store_id, at, expires_after=WEEK)).code == "vector_store_expired"
        do(lambda tx: vector_stores.empty_expired(tx, at, limit=10))
    assert do(lambda tx: tx.one("chunk.given_up"))["store_file"] == 1
    do(lambda tx: store_files.delete(tx, "p", store_id, file_id))
    assert json.loads(do(lambda tx: vector_stores.remove(tx, "p", store_id)))["deleted"]


def test_files_under_way_are_cancelled_when_the_time_is_up(do: Do) -> None:
    """Whoever waits for one is told, and no worker goes on with it."""
    ids = [new_file(do) for _ in range(2)]
    store_id, stays = new_store(do, *ids, days=1), new_store(do, *ids)
    row = do(lambda tx: claim(tx, store_id, ids[0]))
    do(lambda tx: write(tx, row, ["half of it"]))
    assert do(lambda tx: vector_stores.empty_expired(tx, NOW + DAY_S - 1, limit=9)) == 0
    assert do(lambda tx: vector_stores.empty_expired(tx, NOW + DAY_S, limit=9)) == 1
    assert [status(do, store_id, file_id) for file_id in ids] == ["cancelled", "cancelled"]
    assert [status(do, stays, file_id) for file_id in ids] == ["in_progress", "in_progress"]
    found = get(do, store_id, NOW + DAY_S)
    assert (found["status"], counts(json.dumps(found))) == ("expired", [0, 0, 0, 2])
    assert not do(lambda tx: store_files.move(tx, row, "complete", owner="worker"))
    assert do(lambda tx: tx.one("chunk.given_up"))["store_file"] == row["seq"]
    assert do(lambda tx: vector_stores.empty_expired(tx, NOW + DAY_S, limit=9)) == 0


def test_stores_are_emptied_a_few_at_a_time(do: Do) -> None:
    for _ in range(5):
        new_store(do, days=1)
    found = [do(lambda tx: vector_stores.empty_expired(tx, NOW + DAY_S, limit=2)) for _ in range(4)]
    assert found == [2, 2, 1, 0]


def test_stores_are_listed_by_page_with_their_state(do: Do) -> None:
    ids = [create(do)["id"] for _ in range(7)]
    expired = new_store(do, days=1)
    new_store(do, project="other")

    def listed(**query: Any) -> list[Any]:
        page = json.loads(do(lambda tx: vector_stores.list_(tx, "p", PageQuery(**query), NOW + DAY_S)))
        assert_official("ListVectorStoresResponse", page)
        return list(page["data"])

    assert [store["id"] for store in listed()] == [expired, *ids[::-1]]
    assert [store["status"] for store in listed(limit=2)] == ["expired", "completed"]
    assert [store["id"] for store in listed(order="asc", after=ids[2], limit=2)] == ids[3:5]
    do(lambda tx: vector_stores.remove(tx, "p", ids[3]))
    assert [store["id"] for store in listed(order="asc", after=ids[3], limit=1)] == [ids[4]]


def test_a_deleted_store_takes_its_files_places_and_chunks_along(do: Do) -> None:
    store_id, other = new_store(do), new_store(do)
    file_id, stays = add(do, store_id, "text"), add(do, other, "text")
    add(do, store_id, "more")
    assert refused(lambda: do(lambda tx: vector_stores.remove(tx, "other", store_id))).status == 404
    answer = json.loads(do(lambda tx: vector_stores.remove(tx, "p", store_id)))
    assert_official("DeleteVectorStoreResponse", answer)
    assert answer == {"id": store_id, "object": "vector_store.deleted", "deleted": True}
    for work in (lambda: get(do, store_id), lambda: status(do, store_id, file_id)):
        assert refused(work).message == f"Vector store with id '{store_id}' not found."
    assert status(do, other, stays) == "completed"

    def given_up(tx: Any) -> list[int]:
        return [row["store_file"] for row in tx._connection.execute("SELECT store_file FROM chunk_gone ORDER BY 1")]

    assert do(given_up) == [1, 3]
