from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.official import assert_official
from tests.engine.filled_stores import NOW, Do, add, claim, counts, end, new_file, new_store, write
from toolkit.engine.objects import file_batches, files, store_files, vector_stores
from toolkit.engine.objects.file_batches import CreateFileBatch
from toolkit.engine.objects.invalid import refusal
from toolkit.engine.objects.store_files import AUTO, CreateStoreFile, Failure, ListStoreFiles, ModifyStoreFile
from toolkit.errors import Refused

FAILURE = Failure("unsupported_file", "The file is a PDF.")
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}


def put(do: Do, store_id: str, file_id: str, now: int = NOW, **settings: Any) -> Any:
    request = CreateStoreFile(file_id=file_id, **settings)
    return json.loads(do(lambda tx: store_files.create(tx, "p", store_id, request, now)))


def get(do: Do, store_id: str, file_id: str) -> Any:
    found = json.loads(do(lambda tx: store_files.get(tx, "p", store_id, file_id)))
    assert_official("VectorStoreFileObject", found)
    return found


def content(do: Do, store_id: str, file_id: str, now: int = NOW) -> list[str]:
    found = json.loads(do(lambda tx: store_files.content(tx, "p", store_id, file_id, now)))
    assert_official("VectorStoreFileContentResponse", found)
    assert (found["has_more"], found["next_page"]) == (False, None)
    return [item["text"] for item in found["data"]]


def listed(do: Do, store_id: str, **query: Any) -> list[str]:
    page = json.loads(do(lambda tx: store_files.list_(tx, "p", store_id, ListStoreFiles(**query))))
    assert_official("ListVectorStoreFilesResponse", page)
    return [file["id"] for file in page["data"]]


def in_store(do: Do, store_id: str) -> list[int]:
    return counts(do(lambda tx: vector_stores.get(tx, "p", store_id, NOW)))


def used(do: Do, store_id: str) -> int:
    found: int = json.loads(do(lambda tx: vector_stores.get(tx, "p", store_id, NOW)))["usage_bytes"]
    return found


def chunks(do: Do) -> tuple[int, set[int]]:
    """Count the chunks there are, and list the files whose chunks are given up."""
    given_up: set[int] = set()

    def work(tx: Any) -> int:
        while (row := tx.one("chunk.given_up")) is not None:
            given_up.add(row["store_file"])
            tx.run("chunk.all_gone", store_file=row["store_file"])
        return sum(len(tx.all("chunk.of_file", store_file=seq)) for seq in range(1, 50))

    return do(work), given_up


def refused(work: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(Refused) as error:
        work()
    return error.value.status, error.value.message


# What may be asked


def fault(model: Any, body: Any) -> tuple[str | None, str | None, str]:
    with pytest.raises(ValidationError) as error:
        model.model_validate(body)
    refused = refusal(error.value)
    return refused.param, refused.code, refused.message


@pytest.mark.parametrize(
    ("attributes", "param", "code", "says"),
    [
        (
            {str(number): 1 for number in range(17)},
            "attributes",
            "object_above_max_properties",
            "Expected an object with at most 16 properties, but got an object with 17 properties instead.",
        ),
        (
            {"k" * 65: 1},
            "attributes." + "k" * 65,
            "string_above_max_length",
            "is too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
        ),
        (
            {"k": "v" * 513},
            "attributes.k",
            "string_above_max_length",
            "Expected a string with maximum length 512, but got a string with length 513 instead.",
        ),
        (
            {"k": None},
            "attributes.k",
            "invalid_type",
            "expected a string, a number or a boolean, but got null instead.",
        ),
        ({"k": [1]}, "attributes.k", "invalid_type", "but got an array instead."),
        ({"k": {}}, "attributes.k", "invalid_type", "but got an object instead."),
        ({"k": float("nan")}, "attributes.k", "invalid_type", "but got a decimal number instead."),
        ([], "attributes", "invalid_type", "expected an object"),
        ("x", "attributes", "invalid_type", "expected an object"),
    ],
)
def test_attributes_that_are_refused(attributes: Any, param: str, code: str, says: str) -> None:
    for model, body in ((CreateStoreFile, {"file_id": "file-a"}), (ModifyStoreFile, {})):
        found = fault(model, {**body, "attributes": attributes})
        assert found[:2] == (param, code)
        assert says in found[2]


def test_attributes_that_are_taken() -> None:
    most = {f"{number}".rjust(64, "k"): "v" * 512 for number in range(16)}
    for attributes in (most, {"a": True, "b": 1, "c": 1.5, "d": "", "": "empty"}, {}, None):
        assert CreateStoreFile(file_id="file-a", attributes=attributes).attributes == attributes
    with pytest.raises(ValidationError):
        ModifyStoreFile.model_validate({})


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"type": "static"}, "chunking_strategy.static"),
        ({"type": "static", "static": {}}, "chunking_strategy.static.max_chunk_size_tokens"),
        ({"type": "other"}, "chunking_strategy.type"),
        ({}, "chunking_strategy.type"),
        ({"type": "auto", "static": {}}, "chunking_strategy.static"),
        ((99, 0), "chunking_strategy.static.max_chunk_size_tokens"),
        ((4097, 0), "chunking_strategy.static.max_chunk_size_tokens"),
        ((100, -1), "chunking_strategy.static.chunk_overlap_tokens"),
        ((100, 51), "chunking_strategy.static.chunk_overlap_tokens"),
        ((101, 51), "chunking_strategy.static.chunk_overlap_tokens"),
    ],
)
def test_chunking_that_is_refused(given: Any, param: str) -> None:
    if isinstance(given, tuple):
        size, overlap = given
        given = {"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}}
    assert fault(CreateStoreFile, {"file_id": "file-a", "chunking_strategy": given})[0] == param


@pytest.mark.parametrize(("size", "overlap"), [(100, 0), (100, 50), (101, 50), (4096, 2048)])
def test_chunking_that_is_taken(do: Do, size: int, overlap: int) -> None:
    given = {"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}}
    assert put(do, new_store(do), new_file(do), chunking_strategy=given)["chunking_strategy"] == given


# Adding


def test_what_an_added_file_looks_like(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    added = put(do, store_id, file_id, attributes={"year": 2024, "ratio": 0.5, "draft": False, "name": "späße"})
    assert added == {
        "id": file_id,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": NOW,
        "vector_store_id": store_id,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": AUTO,
        "attributes": {"year": 2024, "ratio": 0.5, "draft": False, "name": "späße"},
    }
    assert get(do, store_id, file_id) == added
    assert in_store(do, store_id) == [1, 0, 0, 0]
    end(do, store_id, file_id, "some text")
    assert get(do, store_id, file_id) == {**added, "status": "completed", "usage_bytes": 9}
    assert (in_store(do, store_id), used(do, store_id)) == ([0, 1, 0, 0], 9)


def test_a_file_that_failed_says_why(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    put(do, store_id, file_id)
    end(do, store_id, file_id, failure=FAILURE)
    found = get(do, store_id, file_id)
    assert (found["status"], found["last_error"]) == (
        "failed",
        {"code": "unsupported_file", "message": "The file is a PDF."},
    )
    assert in_store(do, store_id) == [0, 0, 1, 0]


def test_how_a_file_is_cut_is_its_own_or_its_stores_or_auto(do: Do) -> None:
    file_id = new_file(do)
    plain, small = new_store(do), new_store(do, chunking=SMALL)
    assert put(do, plain, file_id)["chunking_strategy"] == AUTO
    assert put(do, small, file_id)["chunking_strategy"] == SMALL
    assert put(do, small, new_file(do), chunking_strategy={"type": "auto"})["chunking_strategy"] == AUTO
    assert put(do, plain, new_file(do), chunking_strategy=SMALL)["chunking_strategy"] == SMALL


def test_added_again_a_file_keeps_its_place_and_gets_new_attributes(do: Do) -> None:
    store_id = new_store(do)
    first, second = new_file(do), new_file(do)
    put(do, store_id, first, attributes={"a": 1})
    put(do, store_id, second)
    end(do, store_id, first, "text")
    again = put(do, store_id, first, NOW + 5)
    assert (again["status"], again["created_at"], again["attributes"]) == ("completed", NOW, {"a": 1})
    assert put(do, store_id, first, attributes={"b": 2})["attributes"] == {"b": 2}
    assert put(do, store_id, first, attributes={})["attributes"] == {}
    assert put(do, store_id, first, chunking_strategy={"type": "auto"})["status"] == "completed"
    assert listed(do, store_id, order="asc") == [first, second]
    assert (in_store(do, store_id), chunks(do)) == ([1, 1, 0, 0], (1, set()))


def test_added_again_to_be_cut_otherwise_it_is_processed_anew(do: Do) -> None:
    store_id = new_store(do)
    first, second = add(do, store_id, "text"), new_file(do)
    put(do, store_id, second)
    again = put(do, store_id, first, NOW + 5, chunking_strategy=SMALL)
    assert (again["status"], again["created_at"], again["usage_bytes"]) == ("in_progress", NOW + 5, 0)
    assert (in_store(do, store_id), used(do, store_id)) == ([2, 0, 0, 0], 0)
    assert listed(do, store_id, order="asc") == [second, first]
    assert chunks(do) == (1, {1})
    assert put(do, store_id, first)["chunking_strategy"] == SMALL, "which it keeps"


def test_added_again_after_it_failed_it_is_processed_anew_with_its_attributes(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    put(do, store_id, file_id, attributes={"a": 1}, chunking_strategy=SMALL)
    end(do, store_id, file_id, failure=FAILURE)
    again = put(do, store_id, file_id)
    assert (again["status"], again["last_error"]) == ("in_progress", None)
    assert (again["attributes"], again["chunking_strategy"]) == ({"a": 1}, SMALL)
    assert in_store(do, store_id) == [1, 0, 0, 0]


def test_adding_counts_as_use_of_the_store(do: Do) -> None:
    store_id = new_store(do, days=1)
    put(do, store_id, new_file(do), NOW + 100)
    found = json.loads(do(lambda tx: vector_stores.get(tx, "p", store_id, NOW)))
    assert (found["last_active_at"], found["expires_at"]) == (NOW + 100, NOW + 100 + 86400)


def test_what_cannot_be_added(do: Do) -> None:
    store_id, expired, file_id = new_store(do), new_store(do, days=1), new_file(do)
    theirs = new_file(do, project="other")
    assert refused(lambda: put(do, "vs_x", file_id)) == (404, "Vector store with id 'vs_x' not found.")
    assert refused(lambda: put(do, store_id, theirs)) == (404, f"No such File object: {theirs}")
    assert refused(lambda: put(do, expired, file_id, NOW + 86400))[0] == 400
    assert in_store(do, store_id) == [0, 0, 0, 0]


# Changing and removing


def test_attributes_are_replaced_as_a_whole(do: Do) -> None:
    store_id = new_store(do)
    file_id = add(do, store_id, "text", attributes={"a": 1})

    def modify(attributes: Any) -> Any:
        request = ModifyStoreFile(attributes=attributes)
        return json.loads(do(lambda tx: store_files.modify(tx, "p", store_id, file_id, request)))

    assert modify({"b": 2})["attributes"] == {"b": 2}
    assert get(do, store_id, file_id)["attributes"] == {"b": 2}
    assert modify(None) == get(do, store_id, file_id)
    assert get(do, store_id, file_id)["attributes"] == {}


@pytest.mark.parametrize("status", ["in_progress", "completed", "failed"])
def test_a_file_is_taken_out_in_any_state(do: Do, status: str) -> None:
    store_id, file_id = new_store(do), new_file(do)
    put(do, store_id, file_id)
    if status == "completed":
        end(do, store_id, file_id, "text")
    elif status == "failed":
        end(do, store_id, file_id, failure=FAILURE)
    answer = json.loads(do(lambda tx: store_files.delete(tx, "p", store_id, file_id)))
    assert_official("DeleteVectorStoreFileResponse", answer)
    assert answer == {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}
    assert (in_store(do, store_id), used(do, store_id), listed(do, store_id)) == ([0, 0, 0, 0], 0, [])
    assert chunks(do)[1] == {1}
    assert json.loads(do(lambda tx: files.get(tx, "p", file_id, NOW)))["id"] == file_id, "the file itself stays"
    gone = (404, f"No file found with id '{file_id}' in vector store '{store_id}'.")
    for work in (store_files.get, store_files.delete):
        assert refused(lambda work=work: do(lambda tx: work(tx, "p", store_id, file_id))) == gone


def test_a_file_that_is_deleted_leaves_all_stores(do: Do) -> None:
    one, other = new_store(do), new_store(do)
    file_id = new_file(do)
    put(do, one, file_id)
    put(do, other, file_id)
    stays = new_file(do)
    put(do, one, stays)
    do(lambda tx: store_files.forget_file(tx, "q", file_id))
    assert listed(do, other) == [file_id], "of another project nobody can delete it"
    do(lambda tx: store_files.forget_file(tx, "p", file_id))
    assert (listed(do, one), listed(do, other)) == ([stays], [])
    assert in_store(do, one) == [1, 0, 0, 0]


# The moves of a worker


def test_only_who_has_a_file_can_end_it(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    put(do, store_id, file_id)
    row = do(lambda tx: claim(tx, store_id, file_id, owner="one"))

    def move(event: Any, owner: str | None) -> bool:
        done: bool = do(lambda tx: store_files.move(tx, row, event, owner=owner, usage_bytes=7))
        return done

    assert not move("complete", "other")
    assert in_store(do, store_id) == [1, 0, 0, 0]
    assert move("complete", "one")
    assert not move("fail", "one"), "it has ended"
    assert not move("cancel", None)
    assert (in_store(do, store_id), used(do, store_id)) == ([0, 1, 0, 0], 7)
    assert do(lambda tx: tx.one("store_file.get", store=store_id, id=file_id, project="p"))["owner"] is None


def test_chunks_count_until_they_are_given_up(do: Do) -> None:
    store_id, ids = new_store(do), [new_file(do) for _ in range(3)]

    def counted() -> int:
        found: int = json.loads(do(lambda tx: vector_stores.get(tx, "p", store_id, NOW)))["chunks"]
        return found

    request = CreateFileBatch(file_ids=ids)
    batch = json.loads(do(lambda tx: file_batches.create(tx, "p", store_id, request, NOW)))["id"]
    end(do, store_id, ids[0], "a", "b")
    do(lambda tx: write(tx, claim(tx, store_id, ids[1]), ["c", "d", "e"]))
    assert counted() == 5, "those of a file under way, too"
    do(lambda tx: file_batches.cancel(tx, "p", store_id, batch))
    assert counted() == 2
    do(lambda tx: store_files.delete(tx, "p", store_id, ids[1]))
    assert counted() == 2, "they count no more already"
    do(lambda tx: store_files.delete(tx, "p", store_id, ids[0]))
    assert counted() == 0


def test_what_is_cancelled_is_nobodys_to_complete(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    put(do, store_id, file_id)
    row = do(lambda tx: claim(tx, store_id, file_id))
    assert do(lambda tx: store_files.move(tx, row, "cancel"))
    assert not do(lambda tx: store_files.move(tx, row, "complete", owner="worker"))
    assert (get(do, store_id, file_id)["status"], in_store(do, store_id)) == ("cancelled", [0, 0, 0, 1])


def test_batches_count_what_becomes_of_their_files(do: Do) -> None:
    store_id = new_store(do)
    ids = [new_file(do) for _ in range(4)]

    def batch(*file_ids: str) -> Any:
        request = CreateFileBatch(file_ids=list(file_ids))
        made = json.loads(do(lambda tx: file_batches.create(tx, "p", store_id, request, NOW)))["id"]
        return lambda: counts(do(lambda tx: file_batches.get(tx, "p", store_id, made)))

    every, some = batch(*ids), batch(*ids[:2])
    assert (every(), some()) == ([4, 0, 0, 0], [2, 0, 0, 0])
    end(do, store_id, ids[0], "text")
    end(do, store_id, ids[1], failure=FAILURE)
    do(lambda tx: store_files.delete(tx, "p", store_id, ids[2]))
    put(do, store_id, ids[3], chunking_strategy=SMALL)
    assert (every(), some(), in_store(do, store_id)) == ([0, 1, 1, 2], [0, 1, 1, 0], [1, 1, 1, 0])
    do(lambda tx: store_files.delete(tx, "p", store_id, ids[0]))
    assert (every(), in_store(do, store_id)) == ([0, 1, 1, 2], [1, 0, 1, 0])


# Reading


def test_pages_of_files_that_came_in_one_second(do: Do) -> None:
    store_id, other = new_store(do), new_store(do)
    ids = [new_file(do) for _ in range(30)]
    for file_id in ids:
        put(do, store_id, file_id)
        put(do, other, file_id)
    for file_id in ids[::2]:
        end(do, store_id, file_id, "text")
    done, waiting = {"filter": "completed"}, {"filter": "in_progress"}
    for query, wanted in (({}, ids), (done, ids[::2]), (waiting, ids[1::2]), ({"filter": "failed"}, [])):
        for order in ("asc", "desc"):
            seen: list[str] = []
            while page := listed(do, store_id, order=order, limit=4, **query, after=seen[-1] if seen else None):
                seen += page
            assert seen == (wanted if order == "asc" else wanted[::-1])
    assert listed(do, store_id, order="asc", before=ids[10], limit=3) == ids[7:10]


def test_a_list_goes_on_after_a_file_that_was_taken_out(do: Do) -> None:
    store_id, other = new_store(do), new_store(do)
    ids = [new_file(do) for _ in range(6)]
    for file_id in ids:
        put(do, other, file_id)
    for file_id in ids[::-1]:
        put(do, store_id, file_id)
    seen: list[str] = []
    while page := listed(do, store_id, limit=2, after=seen[-1] if seen else None):
        for file_id in page:
            do(lambda tx, file_id=file_id: store_files.delete(tx, "p", store_id, file_id))
        seen += page
    assert seen == ids, "it is remembered where a file stood in each store"
    assert listed(do, other, order="asc", after=ids[3]) == ids[4:]
    assert refused(lambda: listed(do, store_id, after="file-x"))[0] == 400
    assert refused(lambda: listed(do, "vs_x"))[0] == 404


def test_a_cursor_that_has_come_again_stands_where_it_is_now(do: Do) -> None:
    store_id = new_store(do)
    ids = [new_file(do) for _ in range(3)]
    for file_id in ids:
        put(do, store_id, file_id)
    for _ in range(2):
        do(lambda tx: store_files.delete(tx, "p", store_id, ids[0]))
        put(do, store_id, ids[0])
    assert listed(do, store_id, order="asc") == [ids[1], ids[2], ids[0]]
    assert listed(do, store_id, order="asc", after=ids[2]) == [ids[0]]
    assert listed(do, store_id, order="asc", after=ids[0]) == []


def test_the_content_is_the_text_without_overlaps(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    put(do, store_id, file_id)
    text = "one two three four five"

    def work(tx: Any) -> None:
        row = claim(tx, store_id, file_id)
        for start, stop in ((14, 23), (0, 13), (8, 18)):
            write(tx, row, [text[start:stop]], start)

    do(work)
    assert refused(lambda: content(do, store_id, file_id)) == (
        400,
        f"File '{file_id}' of vector store '{store_id}' has status 'in_progress', and no content.",
    )
    end(do, store_id, file_id)
    assert content(do, store_id, file_id) == [text]


def test_there_is_no_content_where_the_time_is_up(do: Do) -> None:
    store_id = new_store(do, days=1)
    file_id = add(do, store_id, "text")
    assert content(do, store_id, file_id, NOW + 86399) == ["text"]
    assert refused(lambda: content(do, store_id, file_id, NOW + 86400))[0] == 400
    assert refused(lambda: content(do, store_id, "file-x"))[0] == 404
    assert refused(lambda: content(do, "vs_x", file_id))[0] == 404
