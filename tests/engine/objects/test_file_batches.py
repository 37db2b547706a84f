from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.official import assert_official
from tests.engine.filled_stores import NOW, Do, add, claim, counts, end, new_file, new_store
from toolkit.engine.objects import file_batches, store_files, vector_stores
from toolkit.engine.objects.file_batches import CreateFileBatch
from toolkit.engine.objects.invalid import refusal
from toolkit.engine.objects.store_files import AUTO, Failure, ListStoreFiles
from toolkit.errors import Refused

FAILURE = Failure("invalid_file", "The file has no text.")
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}


def create(do: Do, store_id: str, now: int = NOW, **body: Any) -> Any:
    request = CreateFileBatch.model_validate(body)
    return json.loads(do(lambda tx: file_batches.create(tx, "p", store_id, request, now)))


def get(do: Do, store_id: str, batch_id: str) -> Any:
    found = json.loads(do(lambda tx: file_batches.get(tx, "p", store_id, batch_id)))
    assert_official("VectorStoreFileBatchObject", found)
    return found


def cancel(do: Do, store_id: str, batch_id: str) -> Any:
    return json.loads(do(lambda tx: file_batches.cancel(tx, "p", store_id, batch_id)))


def listed(do: Do, store_id: str, batch_id: str, **query: Any) -> list[str]:
    asked = ListStoreFiles(**query)
    page = json.loads(do(lambda tx: file_batches.list_files(tx, "p", store_id, batch_id, asked)))
    assert_official("ListVectorStoreFilesResponse", page)
    return [file["id"] for file in page["data"]]


def file(do: Do, store_id: str, file_id: str) -> Any:
    return json.loads(do(lambda tx: store_files.get(tx, "p", store_id, file_id)))


def in_store(do: Do, store_id: str) -> list[int]:
    return counts(do(lambda tx: vector_stores.get(tx, "p", store_id, NOW)))


def refused(work: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as error:
        work()
    return error.value


def test_what_a_batch_looks_like(do: Do) -> None:
    store_id, ids = new_store(do), [new_file(do) for _ in range(3)]
    made = create(do, store_id, file_ids=ids, attributes={"a": 1}, chunking_strategy=SMALL)
    assert made == {
        "id": made["id"],
        "object": "vector_store.files_batch",
        "created_at": NOW,
        "vector_store_id": store_id,
        "status": "in_progress",
        "file_counts": {"in_progress": 3, "completed": 0, "failed": 0, "cancelled": 0, "total": 3},
    }
    assert get(do, store_id, made["id"]) == made
    for file_id in ids:
        found = file(do, store_id, file_id)
        assert (found["attributes"], found["chunking_strategy"]) == ({"a": 1}, SMALL)


def test_each_file_may_have_settings_of_its_own(do: Do) -> None:
    store_id, ids = new_store(do), [new_file(do) for _ in range(2)]
    create(
        do,
        store_id,
        files=[{"file_id": ids[0], "attributes": {"a": 1}, "chunking_strategy": SMALL}, {"file_id": ids[1]}],
    )
    found = [file(do, store_id, file_id) for file_id in ids]
    assert [each["attributes"] for each in found] == [{"a": 1}, {}]
    assert [each["chunking_strategy"] for each in found] == [SMALL, AUTO]


def test_a_file_named_twice_is_in_it_once_as_named_last(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    made = create(do, store_id, files=[{"file_id": file_id, "attributes": {"a": n}} for n in (1, 2)])
    assert made["file_counts"]["total"] == 1
    assert file(do, store_id, file_id)["attributes"] == {"a": 2}
    assert create(do, store_id, file_ids=[file_id, file_id])["file_counts"]["total"] == 1
    assert in_store(do, store_id) == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        (["completed", "completed"], "completed"),
        (["completed", "failed"], "completed"),
        (["failed", "failed"], "failed"),
        (["completed", "removed"], "completed"),
        (["removed", "removed"], "completed"),
        (["failed", "removed"], "failed"),
        (["completed"], "in_progress"),
        (["failed"], "in_progress"),
    ],
)
def test_how_a_batch_ends(do: Do, ends: list[str], status: str) -> None:
    store_id, ids = new_store(do), [new_file(do) for _ in range(2)]
    made = create(do, store_id, file_ids=ids)
    for file_id, how in zip(ids, ends, strict=False):
        if how == "removed":
            do(lambda tx, file_id=file_id: store_files.delete(tx, "p", store_id, file_id))
        else:
            end(do, store_id, file_id, "text", failure=FAILURE if how == "failed" else None)
    assert get(do, store_id, made["id"])["status"] == status


def test_files_that_are_there_already_are_counted_as_they_are(do: Do) -> None:
    store_id = new_store(do)
    done = add(do, store_id, "text")
    made = create(do, store_id, file_ids=[done])
    assert (made["status"], made["file_counts"]["completed"]) == ("completed", 1)
    assert in_store(do, store_id) == [0, 1, 0, 0]


def test_cancelling_stops_what_is_not_done(do: Do) -> None:
    store_id, ids = new_store(do), [new_file(do) for _ in range(4)]
    made = create(do, store_id, file_ids=ids)
    other = create(do, store_id, file_ids=ids[2:])
    end(do, store_id, ids[0], "text")
    do(lambda tx: claim(tx, store_id, ids[1]))
    stopped = cancel(do, store_id, made["id"])
    assert stopped == get(do, store_id, made["id"])
    assert (stopped["status"], counts(json.dumps(stopped))) == ("cancelled", [0, 1, 0, 3])
    assert in_store(do, store_id) == [0, 1, 0, 3]
    assert [file(do, store_id, file_id)["status"] for file_id in ids] == ["completed", *["cancelled"] * 3]
    found = get(do, store_id, other["id"])
    assert (found["status"], counts(json.dumps(found))) == ("completed", [0, 0, 0, 2])
    error = refused(lambda: cancel(do, store_id, made["id"]))
    assert (error.status, error.message) == (400, f"Cannot cancel file batch '{made['id']}' with status 'cancelled'.")


def test_a_batch_that_is_done_cannot_be_cancelled(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    made = create(do, store_id, file_ids=[file_id])
    end(do, store_id, file_id, "text")
    error = refused(lambda: cancel(do, store_id, made["id"]))
    assert (error.status, error.message) == (400, f"Cannot cancel file batch '{made['id']}' with status 'completed'.")
    assert file(do, store_id, file_id)["status"] == "completed"


def test_what_was_cancelled_can_be_added_again(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    cancel(do, store_id, create(do, store_id, file_ids=[file_id])["id"])
    made = create(do, store_id, file_ids=[file_id])
    assert (made["status"], in_store(do, store_id)) == ("in_progress", [1, 0, 0, 0])


def test_pages_of_a_batch(do: Do) -> None:
    store_id, ids = new_store(do), [new_file(do) for _ in range(10)]
    create(do, store_id, file_ids=ids[:3])
    made = create(do, store_id, file_ids=ids[2:])["id"]
    for file_id in ids[2::2]:
        end(do, store_id, file_id, "text")
    for order in ("asc", "desc"):
        for query, wanted in (({}, ids[2:]), ({"filter": "completed"}, ids[2::2]), ({"filter": "cancelled"}, [])):
            seen: list[str] = []
            while page := listed(do, store_id, made, order=order, limit=3, **query, after=seen[-1] if seen else None):
                seen += page
            assert seen == (wanted if order == "asc" else wanted[::-1])
    assert listed(do, store_id, made, order="asc", before=ids[5], limit=2) == ids[3:5]
    do(lambda tx: store_files.delete(tx, "p", store_id, ids[5]))
    assert listed(do, store_id, made, order="asc", after=ids[5]) == ids[6:]


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "file_ids", "missing_required_parameter"),
        ({"file_ids": None}, "file_ids", "missing_required_parameter"),
        ({"file_ids": ["a"], "files": [{"file_id": "a"}]}, "file_ids", "invalid_value"),
        ({"files": [{"file_id": "a"}], "attributes": {"a": 1}}, "attributes", "invalid_value"),
        ({"files": [{"file_id": "a"}], "chunking_strategy": SMALL}, "chunking_strategy", "invalid_value"),
        ({"file_ids": ["HERE", "file-x"]}, "file_ids[1]", None),
        ({"files": [{"file_id": "HERE"}, {"file_id": "file-x"}]}, "files[1].file_id", None),
    ],
)
def test_what_cannot_be_made_adds_nothing(do: Do, body: Any, param: str, code: str | None) -> None:
    store_id, file_id = new_store(do), new_file(do)
    error = refused(lambda: create(do, store_id, **json.loads(json.dumps(body).replace("HERE", file_id))))
    assert (error.param, error.code, error.status) == (param, code, 400 if code else 404)
    assert in_store(do, store_id) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"file_ids": []}, "file_ids", "empty_array"),
        ({"files": []}, "files", "empty_array"),
        ({"file_ids": ["a"] * 2001}, "file_ids", "array_above_max_length"),
        ({"files": [{"file_id": "a"}] * 2001}, "files", "array_above_max_length"),
        ({"files": [{}]}, "files[0].file_id", "missing_required_parameter"),
        (
            {"files": [{"file_id": "a", "attributes": {"k": "v" * 513}}]},
            "files[0].attributes.k",
            "string_above_max_length",
        ),
        ({"file_ids": ["a"], "name": "x"}, "name", "unknown_parameter"),
    ],
)
def test_what_cannot_be_asked(body: Any, param: str, code: str) -> None:
    with pytest.raises(ValidationError) as error:
        CreateFileBatch.model_validate(body)
    refused = refusal(error.value)
    assert (refused.param, refused.code) == (param, code)


def test_nothing_is_added_to_a_store_that_is_not_there_or_whose_time_is_up(do: Do) -> None:
    file_id = new_file(do)
    assert refused(lambda: create(do, "vs_x", file_ids=[file_id])).status == 404
    assert refused(lambda: create(do, new_store(do, days=1), NOW + 86400, file_ids=[file_id])).status == 400


def test_a_batch_is_there_for_its_own_store_and_project(do: Do) -> None:
    store_id, other, file_id = new_store(do), new_store(do), new_file(do)
    made = create(do, store_id, file_ids=[file_id])["id"]
    said = f"No file batch found with id '{made}' in vector store '{other}'."
    for work in (get, cancel, listed):
        assert refused(lambda work=work: work(do, other, made)).message == said
        assert refused(lambda work=work: work(do, "vs_x", made)).message == "Vector store with id 'vs_x' not found."
    assert refused(lambda: do(lambda tx: file_batches.get(tx, "other", store_id, made))).status == 404
    do(lambda tx: vector_stores.remove(tx, "p", store_id))
    assert refused(lambda: get(do, store_id, made)).status == 404
