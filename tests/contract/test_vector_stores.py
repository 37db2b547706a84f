"""Vector stores, their files and batches, and search in them, by the official client."""

from __future__ import annotations

import io
import sqlite3
import threading
import time
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError

from tests.contract.servers import raced
from tests.contract.talk import Talk, until
from tests.engine.scripted import answer, ask
from toolkit.engine.model import ModelCall

SEARCH: Any = {"type": "file_search"}
CODE: Any = {"type": "code_interpreter"}
SMALL: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
AUTO: Any = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
DAY_S = 86400
LARGE = b"many words of a large file, which takes its time. " * 60_000
CATS, DOGS = b"# Cats\n\nCats purr when they are happy.\n", b"# Dogs\n\nDogs bark at strangers.\n"


def file(talk: Talk, data: bytes = CATS, name: str = "cats.md") -> str:
    return str(talk.client.files.create(file=(name, data), purpose="assistants").id)


def stores(talk: Talk) -> Any:
    return talk.client.vector_stores


def filled(talk: Talk, **files: bytes) -> str:
    """A store with files in it, by name."""
    ids = [file(talk, data, name) for name, data in files.items()]
    made = stores(talk).create(file_ids=ids)
    until(lambda: stores(talk).retrieve(made.id).status == "completed", 30)
    return str(made.id)


def found(talk: Talk, store_id: str, query: Any, **options: Any) -> list[tuple[str, float]]:
    page = stores(talk).search(store_id, query=query, **options)
    return [(result.filename, result.score) for result in page.data]


def names(talk: Talk, store_id: str, query: Any, **options: Any) -> list[str]:
    return [name for name, _ in found(talk, store_id, query, **options)]


def ids(page: Any) -> list[str]:
    return [one.id for one in page]


def refused(call: Any, says: str, *, param: str | None = None, code: str | None = None) -> None:
    with pytest.raises(BadRequestError) as error:
        call()
    assert says in error.value.body["message"]  # type: ignore[index]
    assert (error.value.param, error.value.code) == (param, code)


def past(place: Path, column: str, seconds: int) -> None:
    """Let so much time have passed for all vector stores of a file."""
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute(f"UPDATE vector_store SET {column} = {column} - {seconds}")


# Stores


def test_a_store_from_its_beginning_to_its_end(start: Any) -> None:
    talk: Talk = start()
    after: Any = {"anchor": "last_active_at", "days": 7}
    made = stores(talk).create(name="Pets", metadata={"k": "v"}, expires_after=after)
    assert (made.name, made.metadata, made.status, made.usage_bytes) == ("Pets", {"k": "v"}, "completed", 0)
    assert (made.expires_after.days, made.expires_at) == (7, made.created_at + 7 * DAY_S)
    assert made.last_active_at == made.created_at
    assert made.file_counts.to_dict() == dict.fromkeys(("in_progress", "completed", "failed", "cancelled", "total"), 0)
    assert stores(talk).retrieve(made.id) == made
    changed = stores(talk).update(made.id, name="Animals", metadata={"other": "1"}, expires_after=None)
    assert (changed.name, changed.metadata, changed.expires_at) == ("Animals", {"other": "1"}, None)
    assert stores(talk).retrieve(made.id) == changed
    assert stores(talk).delete(made.id).to_dict() == {"id": made.id, "object": "vector_store.deleted", "deleted": True}
    for call in (stores(talk).retrieve, stores(talk).delete, lambda store_id: stores(talk).update(store_id, name="x")):
        with pytest.raises(NotFoundError, match=f"Vector store with id '{made.id}' not found."):
            call(made.id)


def test_a_description_is_given_back(begin: Any) -> None:
    talk: Talk = begin()
    assert stores(talk).create(description="of pets").description == "of pets"
    assert "description" not in stores(talk).create().to_dict()


def test_stores_are_listed_in_pages(start: Any) -> None:
    talk: Talk = start()
    made = [stores(talk).create(name=str(number)).id for number in range(7)]
    assert ids(stores(talk).list(limit=3)) == made[::-1]
    assert ids(stores(talk).list(order="asc", limit=3)) == made
    assert ids(stores(talk).list(order="asc", before=made[3], limit=2).data) == made[1:3]
    refused(lambda: stores(talk).list(after="vs_x"), "No object found", param="after", code="invalid_value")
    seen: list[str] = []
    for store in stores(talk).list(limit=2):
        stores(talk).delete(store.id)
        seen.append(store.id)
    assert seen == made[::-1], "deleting while paging skips nothing"


def test_a_store_expires_after_its_last_use(begin: Any, tmp_path: Path) -> None:
    talk: Talk = begin(store=f"sqlite:///{tmp_path}/store.db")
    after: Any = {"anchor": "last_active_at", "days": 1}
    file_id = file(talk)
    store_id = stores(talk).create(expires_after=after, file_ids=[file_id]).id
    until(lambda: stores(talk).retrieve(store_id).status == "completed")
    past(tmp_path / "store.db", "last_active_at", 3600)
    past(tmp_path / "store.db", "expires_at", 3600)
    assert names(talk, store_id, "cats") == ["cats.md"]
    used = stores(talk).retrieve(store_id)
    assert used.expires_at == used.last_active_at + DAY_S >= used.created_at + DAY_S, "a search is a use"
    past(tmp_path / "store.db", "expires_at", DAY_S)
    expired = stores(talk).retrieve(store_id)
    assert (expired.status, expired.file_counts.completed) == ("expired", 1)
    assert stores(talk).list().data[0].status == "expired"
    said = f"Vector store with id '{store_id}' has expired. Create a new one with the same files."
    place: Any = {"vector_store_id": store_id}
    for call in (
        lambda: stores(talk).search(store_id, query="cats"),
        lambda: stores(talk).files.create(**place, file_id=file_id),
        lambda: stores(talk).file_batches.create(**place, file_ids=[file_id]),
        lambda: stores(talk).files.content(file_id, **place),
        lambda: stores(talk).update(store_id, expires_after=after),
    ):
        refused(call, said, code="vector_store_expired")
    assert ids(stores(talk).files.list(store_id)) == [file_id]
    assert stores(talk).update(store_id, name="old").name == "old"
    assert stores(talk).delete(store_id).deleted


def test_a_store_tells_how_many_chunks_it_has_while_they_are_made(start: Any, tmp_path: Path) -> None:
    talk: Talk = start(store=f"sqlite:///{tmp_path}/store.db")
    store = stores(talk).create(file_ids=[file(talk)])
    until(lambda: stores(talk).retrieve(store.id).status == "completed", 30)
    assert (store.chunks, stores(talk).retrieve(store.id).chunks) == (0, 1)
    large = file(talk, LARGE[: len(LARGE) // 5], "large.txt")
    stores(talk).files.create(vector_store_id=store.id, file_id=large, chunking_strategy=SMALL)
    said = [store := stores(talk).retrieve(store.id)]
    while said[-1].status == "in_progress":
        said.append(stores(talk).retrieve(store.id))
    told = [one.chunks for one in said]
    assert told == sorted(told)
    assert any(1 < one < told[-1] for one in told)
    with closing(sqlite3.connect(tmp_path / "store.db")) as other:
        assert [(told[-1],)] == other.execute("SELECT count(*) FROM chunk").fetchall()
    stores(talk).files.delete(large, vector_store_id=store.id)
    assert stores(talk).retrieve(store.id).chunks == 1


# Files


def test_files_are_uploaded_and_polled(start: Any) -> None:
    talk: Talk = start()
    place: Any = {"vector_store_id": stores(talk).create().id}
    done = stores(talk).files.upload_and_poll(**place, file=("cats.md", CATS), attributes={"kind": "pet"})
    assert (done.status, done.last_error, done.attributes) == ("completed", None, {"kind": "pet"})
    assert (done.usage_bytes, done.chunking_strategy.to_dict()) == (len(CATS), AUTO)
    other = stores(talk).files.create_and_poll(file(talk, DOGS, "dogs.md"), **place, chunking_strategy=SMALL)
    assert (other.status, other.chunking_strategy.to_dict()) == ("completed", SMALL)
    assert stores(talk).files.retrieve(other.id, **place) == other
    store = stores(talk).retrieve(place["vector_store_id"])
    assert (store.file_counts.completed, store.usage_bytes) == (2, len(CATS) + len(DOGS))
    changed = stores(talk).files.update(done.id, **place, attributes={"legs": 4, "wild": False})
    assert changed.attributes == {"legs": 4, "wild": False}
    assert stores(talk).files.update(done.id, **place, attributes=None).attributes == {}
    [content] = stores(talk).files.content(done.id, **place)
    assert (content.type, content.text) == ("text", CATS.decode())
    assert stores(talk).files.delete(done.id, **place).object == "vector_store.file.deleted"
    with pytest.raises(NotFoundError, match=f"No file found with id '{done.id}' in vector store"):
        stores(talk).files.retrieve(done.id, **place)
    assert talk.client.files.retrieve(done.id).filename == "cats.md", "the file itself stays"
    assert ids(stores(talk).files.list(**place)) == [other.id]


def test_files_are_listed_by_state_in_pages(start: Any) -> None:
    talk: Talk = start()
    store_id = stores(talk).create().id
    good, bad = [file(talk) for _ in range(6)], [file(talk, b"%PDF-1.7") for _ in range(3)]
    stores(talk).file_batches.create_and_poll(store_id, file_ids=[*good, *bad])
    for order, every in (("asc", [*good, *bad]), ("desc", [*good, *bad][::-1])):
        listed = stores(talk).files.list
        assert ids(listed(store_id, order=order, limit=2)) == every
        assert ids(listed(store_id, order=order, limit=2, filter="completed")) == [one for one in every if one in good]
        assert ids(listed(store_id, order=order, limit=2, filter="failed")) == [one for one in every if one in bad]
        assert ids(listed(store_id, order=order, filter="in_progress")) == []
    assert ids(stores(talk).files.list(store_id, order="asc", before=bad[0], limit=2).data) == good[4:]
    with pytest.raises(BadRequestError, match="Supported values are: 'in_progress', 'completed', 'failed'"):
        stores(talk).files.list(store_id, filter="expired")
    for cursor in ("file-x", file(talk)):
        with pytest.raises(BadRequestError, match="No object found"):
            stores(talk).files.list(store_id, after=cursor)
    seen: list[str] = []
    for one in stores(talk).files.list(store_id, limit=2):
        stores(talk).files.delete(one.id, vector_store_id=store_id)
        seen.append(one.id)
    assert seen == [*good, *bad][::-1]
    assert stores(talk).retrieve(store_id).file_counts.total == 0


def test_files_are_cut_as_was_asked(start: Any) -> None:
    talk: Talk = start()
    text = b"A line of a file that is cut.\n" * 100
    small, plain = stores(talk).create(chunking_strategy=SMALL).id, stores(talk).create().id
    for store_id, asked, strategy in (
        (small, {}, SMALL),
        (small, AUTO, AUTO),
        (plain, {}, AUTO),
        (plain, SMALL, SMALL),
    ):
        options = {"chunking_strategy": asked} if asked else {}
        file_id = file(talk, text)
        done = stores(talk).files.create_and_poll(file_id, vector_store_id=store_id, **options)
        assert done.chunking_strategy.to_dict() == strategy
        found = stores(talk).search(store_id, query="line", max_num_results=50)
        sizes = [len(result.content[0].text) for result in found.data if result.file_id == file_id]
        assert max(sizes) <= 4 * strategy["static"]["max_chunk_size_tokens"]
        assert (len(sizes) > 5) is (strategy == SMALL)
        stores(talk).files.delete(file_id, vector_store_id=store_id)


def test_a_file_that_is_added_again(start: Any) -> None:
    talk: Talk = start()
    place: Any = {"vector_store_id": stores(talk).create().id}
    poll = stores(talk).files.create_and_poll
    first, second = file(talk), file(talk, DOGS)
    done = poll(first, **place, attributes={"a": 1})
    poll(second, **place)
    assert stores(talk).files.create(**place, file_id=first) == done
    assert stores(talk).files.create(**place, file_id=first, attributes={"b": 2}).attributes == {"b": 2}
    assert ids(stores(talk).files.list(**place, order="asc")) == [first, second]
    anew = stores(talk).files.create(**place, file_id=first, chunking_strategy=SMALL)
    assert anew.attributes == {"b": 2}
    done = stores(talk).files.poll(first, **place)
    assert (done.status, done.chunking_strategy.to_dict()) == ("completed", SMALL)
    assert ids(stores(talk).files.list(**place, order="asc")) == [second, first]
    assert names(talk, place["vector_store_id"], "cats") == ["cats.md"]
    failed = poll(file(talk, b""), **place)
    assert failed.last_error.code == "invalid_file"
    assert poll(failed.id, **place).created_at >= failed.created_at
    assert stores(talk).retrieve(place["vector_store_id"]).file_counts.to_dict() == {
        "in_progress": 0, "completed": 2, "failed": 1, "cancelled": 0, "total": 3,
    }  # fmt: skip


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as inside:
        inside.writestr("xl/workbook.xml", "<workbook/>")
    return made.getvalue()


def test_files_that_are_no_text(start: Any) -> None:
    talk: Talk = start()
    given = {
        "a.pdf": (b"%PDF-1.7\n%\xe2\xe3", "invalid_file"),
        "a.xlsx": (archive(), "invalid_file"),
        "a.png": (b"\x89PNG\r\n\x1a\n" + bytes(9), "unsupported_file"),
        "a.bin": (bytes(range(256)), "unsupported_file"),
        "empty.txt": (b"", "invalid_file"),
        "a.csv": (b"name,age\nAda,36\n", None),
        "no ending": (b"text", None),
        "a.PDF": (b"a text for all that", None),
    }
    store_id = stores(talk).create().id
    made = {file(talk, data, name): (name, code) for name, (data, code) in given.items()}
    batch = stores(talk).file_batches.create_and_poll(store_id, file_ids=list(made))
    assert (batch.status, batch.file_counts.failed, batch.file_counts.completed) == ("completed", 5, 3)
    for one in stores(talk).files.list(store_id):
        name, code = made[one.id]
        assert (one.last_error.code if one.last_error else None) == code, name
        assert one.status == ("failed" if code else "completed")
        if code:
            refused(
                lambda: stores(talk).files.content(one.id, vector_store_id=store_id),
                "has status 'failed', and no content",
            )
    assert names(talk, store_id, "Ada") == ["a.csv"]


def test_a_file_can_be_added_by_many_at_once(start: Any) -> None:
    talk: Talk = start()
    store_id, file_id = stores(talk).create().id, file(talk)

    def add() -> Any:
        return stores(talk).files.create(vector_store_id=store_id, file_id=file_id).id

    assert set(raced(*[add] * 8)) == {file_id}
    stores(talk).files.poll(file_id, vector_store_id=store_id)
    assert stores(talk).retrieve(store_id).file_counts.total == 1
    assert names(talk, store_id, "cats") == ["cats.md"]


# Batches


def test_batches_are_created_and_polled(start: Any) -> None:
    talk: Talk = start()
    store_id = stores(talk).create().id
    batches = stores(talk).file_batches
    streams = [("cats.md", CATS), ("dogs.md", DOGS)]
    there = file(talk, b"Cows give milk.", "cows.md")
    done = batches.upload_and_poll(store_id, files=streams, file_ids=[there])
    assert (done.status, done.file_counts.completed, done.file_counts.total) == ("completed", 3, 3)
    assert batches.retrieve(done.id, vector_store_id=store_id) == done
    listed = ids(batches.list_files(done.id, vector_store_id=store_id, order="asc"))
    assert listed == ids(stores(talk).files.list(store_id, order="asc"))
    assert names(talk, store_id, ["milk", "bark"]) in (["cows.md", "dogs.md"], ["dogs.md", "cows.md"])
    settings: Any = {"attributes": {"kind": "pet"}, "chunking_strategy": SMALL}
    files: Any = [{"file_id": file(talk), **settings}, {"file_id": file(talk, DOGS)}]
    done = batches.create_and_poll(store_id, files=files)
    first, second = batches.list_files(done.id, vector_store_id=store_id, order="asc")
    assert (first.attributes, first.chunking_strategy.to_dict()) == ({"kind": "pet"}, SMALL)
    assert (second.attributes, second.chunking_strategy.to_dict()) == ({}, AUTO)
    alike = batches.create_and_poll(store_id, file_ids=[file(talk)], **settings)
    assert batches.list_files(alike.id, vector_store_id=store_id).data[0].attributes == {"kind": "pet"}
    with pytest.raises(NotFoundError, match="No file batch found with id 'vsfb_x' in vector store"):
        batches.retrieve("vsfb_x", vector_store_id=store_id)


def test_a_batch_is_cancelled_while_it_is_processed(start: Any) -> None:
    talk: Talk = start()
    store_id = stores(talk).create().id
    batches = stores(talk).file_batches
    given = [file(talk, LARGE, f"{number}.txt") for number in range(5)]
    batch = batches.create(store_id, file_ids=given)
    assert (batch.status, batch.file_counts.in_progress) == ("in_progress", 5)
    stopped = batches.cancel(batch.id, vector_store_id=store_id)
    counts = stopped.file_counts
    assert (stopped.status, counts.in_progress, counts.cancelled + counts.completed) == ("cancelled", 0, 5)
    assert batches.poll(batch.id, vector_store_id=store_id) == stopped
    refused(lambda: batches.cancel(batch.id, vector_store_id=store_id), "with status 'cancelled'.")
    assert stores(talk).retrieve(store_id).status == "completed"
    states = {one.status for one in stores(talk).files.list(store_id)}
    assert states <= {"cancelled", "completed"}
    again = batches.create_and_poll(store_id, file_ids=[file(talk)])
    refused(lambda: batches.cancel(again.id, vector_store_id=store_id), "with status 'completed'.")


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_many_files_in_one_batch(begin: Any, tmp_path: Path, count: int) -> None:
    talk: Talk = begin(store=f"sqlite:///{tmp_path}/store.db")
    store_id = stores(talk).create().id
    one = talk.engine.client(max_retries=0)
    given: list[str] = []
    lock = threading.Lock()

    def upload(at: int) -> None:
        for number in range(at, count, 4):
            made = one.files.create(
                file=(f"{number}.txt", f"file number{number} of many".encode()), purpose="assistants"
            ).id
            with lock:
                given.append(made)

    raced(*(lambda at=at: upload(at) for at in range(4)))
    too_many = [given[0]] * 2001
    refused(
        lambda: stores(talk).file_batches.create(store_id, file_ids=too_many),
        "Expected an array with maximum length 2000, but got an array with length 2001 instead.",
        param="file_ids",
        code="array_above_max_length",
    )
    began = time.monotonic()
    batch = stores(talk).file_batches.create(store_id, file_ids=given)
    assert time.monotonic() - began < 5
    done = stores(talk).file_batches.poll(batch.id, vector_store_id=store_id)
    assert (done.status, done.file_counts.completed) == ("completed", count)
    assert time.monotonic() - began < 120, "8 s on a quiet machine"
    listed = ids(stores(talk).file_batches.list_files(batch.id, vector_store_id=store_id, limit=100))
    assert sorted(listed) == sorted(given)
    assert names(talk, store_id, "number123") == ["123.txt"]


# Search


PETS = {"cats.md": CATS, "dogs.md": DOGS, "both.md": b"Cats and dogs may live together."}


def test_what_a_search_gives(start: Any) -> None:
    talk: Talk = start()
    store_id = filled(talk, **PETS)
    page = stores(talk).search(store_id, query="happy cats")
    assert (page.object, page.search_query) == ("vector_store.search_results.page", ["happy cats"])
    first = page.data[0]
    assert (first.filename, first.attributes, first.content[0].text) == ("cats.md", {}, CATS.decode())
    assert names(talk, store_id, "cats", max_num_results=1) == names(talk, store_id, "cats")[:1]
    assert sorted(names(talk, store_id, ["purr", "bark"])) == ["cats.md", "dogs.md"]
    assert names(talk, store_id, "nothing of the kind") == []
    assert [result.filename for result in stores(talk).search(store_id, query="barking")] == ["dogs.md"]


def test_a_score_is_a_share_of_what_was_asked(start: Any) -> None:
    talk: Talk = start()
    store_id = filled(talk, **PETS)
    scores = dict(found(talk, store_id, "cats dogs together"))
    assert 0.4 < scores["both.md"] < 0.6, "all words once, and near to each other"
    assert 0 < scores["cats.md"] < 0.4
    again = dict(found(talk, store_id, "cats"))
    assert 1 > again["cats.md"] > again["both.md"] == 0.5, "there twice, and once"
    filled(talk, **{f"{number}.md": b"cats and dogs together" for number in range(20)})
    assert dict(found(talk, store_id, "cats dogs together")) == scores, "other stores do not matter"
    options: Any = {"ranker": "default-2024-11-15", "score_threshold": 0.4}
    assert names(talk, store_id, "cats dogs together", ranking_options=options) == ["both.md"]
    for ranker in ("none", "auto"):
        assert dict(found(talk, store_id, "cats dogs together", ranking_options={"ranker": ranker})) == scores


def test_a_query_is_rewritten_to_its_words(start: Any) -> None:
    talk: Talk = start()
    store_id = filled(talk, **PETS)
    asked = stores(talk).search(store_id, query=["Why do the cats purr?", "???"], rewrite_query=True)
    assert asked.search_query == ["cats purr", "???"]
    plain = stores(talk).search(store_id, query=["Why do the cats purr?", "???"])
    assert (plain.search_query, plain.data) == (["Why do the cats purr?", "???"], asked.data)


def test_filters_choose_by_attributes(start: Any) -> None:
    talk: Talk = start()
    store_id = stores(talk).create().id
    files: Any = [
        {"file_id": file(talk, b"a cat", f"{year}.md"), "attributes": {"year": year, "draft": year > 2023, "by": "Ada"}}
        for year in range(2020, 2026)
    ]
    files.append({"file_id": file(talk, b"a cat", "none.md")})
    stores(talk).file_batches.create_and_poll(store_id, files=files)

    def passing(**filters: Any) -> list[str]:
        return sorted(name[:4] for name in names(talk, store_id, "cat", filters=filters, max_num_results=50))

    assert passing(type="eq", key="year", value=2021) == ["2021"]
    assert passing(type="ne", key="year", value=2021) == ["2020", "2022", "2023", "2024", "2025", "none"]
    assert (
        passing(type="gte", key="year", value=2024) == passing(type="eq", key="draft", value=True) == ["2024", "2025"]
    )
    assert passing(type="in", key="year", value=[2020, 2025, "2021"]) == ["2020", "2025"]
    assert passing(type="nin", key="by", value=["Ada"]) == ["none"]
    late: Any = {"type": "gt", "key": "year", "value": 2022}
    good: Any = {"type": "eq", "key": "draft", "value": False}
    assert passing(type="and", filters=[late, good]) == ["2023"]
    either: Any = [{"type": "lt", "key": "year", "value": 2021}, {"type": "and", "filters": [late, good]}]
    assert passing(type="or", filters=either) == ["2020", "2023"]
    first = files[0]["file_id"]
    stores(talk).files.update(first, vector_store_id=store_id, attributes={"year": 2030})
    assert passing(type="gt", key="year", value=2025) == ["2020"], "the attributes it has now"


def test_searches_have_their_limits(begin: Any) -> None:
    talk: Talk = begin()
    store_id = stores(talk).create().id
    values: Any = {"type": "in", "key": "a", "value": ["x"] * 501}
    for body, param in (
        ({"query": ""}, "query"),
        ({"query": []}, "query"),
        ({"query": ["x"] * 33}, "query"),
        ({"query": "x" * 16_385}, "query"),
        ({"query": "x", "max_num_results": 0}, "max_num_results"),
        ({"query": "x", "max_num_results": 51}, "max_num_results"),
        ({"query": "x", "ranking_options": {"score_threshold": 1.5}}, "ranking_options.score_threshold"),
        ({"query": "x", "filters": values}, "filters"),
        ({"query": "x", "filters": {"type": "like", "key": "a", "value": 1}}, "filters.type"),
    ):
        with pytest.raises(BadRequestError) as error:
            stores(talk).search(store_id, **body)
        assert error.value.param == param
    assert stores(talk).search(store_id, query=["x" * 16_384] * 32, max_num_results=50).data == []


# Where stores are used


def test_stores_are_made_along_with_assistants_and_threads(start: Any) -> None:
    talk: Talk = start()
    file_id = file(talk)
    new: Any = {"file_search": {"vector_stores": [{"file_ids": [file_id], "metadata": {"k": "v"}}]}}
    assistant = talk.beta.assistants.create(model="m", tools=[SEARCH], tool_resources=new)
    thread = talk.threads.create(tool_resources=new)
    for holder, days in ((assistant, None), (thread, 7)):
        [store_id] = holder.tool_resources.file_search.vector_store_ids
        made = stores(talk).retrieve(store_id)
        assert (made.metadata, made.file_counts.total) == ({"k": "v"}, 1)
        assert (made.expires_after.days if made.expires_after else None) == days
        assert stores(talk).files.poll(file_id, vector_store_id=store_id).status == "completed"
    other = stores(talk).create().id
    named: Any = {"file_search": {"vector_store_ids": [other]}}
    assert talk.threads.update(thread.id, tool_resources=named).tool_resources.to_dict() == named
    both: Any = {"file_search": {"vector_store_ids": [other], "vector_stores": [{}]}}
    for call in (
        lambda: talk.threads.create(tool_resources=both),
        lambda: talk.threads.create(tool_resources={"file_search": {"vector_store_ids": [other, other]}}),
        lambda: talk.threads.create(tool_resources={"file_search": {"vector_stores": [{}, {}]}}),
    ):
        with pytest.raises(BadRequestError):
            call()
    for missing in ({"vector_store_ids": ["vs_x"]}, {"vector_stores": [{"file_ids": ["file-x"]}]}):
        with pytest.raises(NotFoundError):
            talk.threads.create(tool_resources={"file_search": missing})
    assert len(ids(stores(talk).list())) == 3, "what was refused made none"


def test_attached_files_are_indexed_once(start: Any) -> None:
    """Programs attach the same file twice to a message, and again to every later one."""
    talk: Talk = start()
    file_id = file(talk)
    twice = [{"file_id": file_id, "tools": [SEARCH]}, {"file_id": file_id, "tools": [CODE, SEARCH]}]
    thread = talk.threads.create(messages=[{"role": "user", "content": "look", "attachments": twice}])
    [store_id] = thread.tool_resources.file_search.vector_store_ids
    done = stores(talk).files.poll(file_id, vector_store_id=store_id)
    for _ in range(3):
        message = talk.threads.messages.create(thread.id, role="user", content="again", attachments=twice)
        assert [one.to_dict() for one in message.attachments] == twice
    assert talk.threads.retrieve(thread.id).tool_resources == thread.tool_resources
    assert stores(talk).files.retrieve(file_id, vector_store_id=store_id) == done
    assert names(talk, store_id, "cats") == ["cats.md"]
    assert stores(talk).retrieve(store_id).file_counts.to_dict() == {
        "in_progress": 0, "completed": 1, "failed": 0, "cancelled": 0, "total": 1,
    }  # fmt: skip


def test_no_message_is_refused_for_what_cannot_be_searched(start: Any) -> None:
    talk: Talk = start()
    both = [CODE, SEARCH]
    given = {"a.csv": b"name,age\nAda,36\n", "a.xlsx": archive(), "a.png": b"\x89PNG\r\n\x1a\n" + bytes(9)}
    attachments: Any = [{"file_id": file(talk, data, name), "tools": both} for name, data in given.items()]
    thread = talk.threads.create(messages=[{"role": "user", "content": "look", "attachments": attachments}])
    [store_id] = thread.tool_resources.file_search.vector_store_ids
    until(lambda: stores(talk).retrieve(store_id).status == "completed")
    assert stores(talk).retrieve(store_id).file_counts.failed == 2
    assert len(thread.tool_resources.code_interpreter.file_ids) == 3
    for _ in range(2):
        talk.threads.messages.create(thread.id, role="user", content="again", attachments=attachments)
    until(lambda: stores(talk).retrieve(store_id).status == "completed")
    assert stores(talk).retrieve(store_id).file_counts.total == 3


def test_attachments_without_tools_and_with_strange_ones(start: Any) -> None:
    talk: Talk = start()
    file_id = file(talk)
    plain: Any = [{"file_id": file_id}]
    thread = talk.threads.create(messages=[{"role": "user", "content": "x", "attachments": plain}])
    assert thread.tool_resources.to_dict() == {}
    [message] = talk.threads.messages.list(thread.id)
    assert message.attachments[0].file_id == file_id
    assert ids(stores(talk).list()) == []
    for tools, param in (
        (["file_search"], "attachments[0].tools[0]"),
        ([{"type": "function"}], "attachments[0].tools[0].type"),
        ([{**SEARCH, "file_search": {}}], "attachments[0].tools[0].file_search"),
        ("file_search", "attachments[0].tools"),
    ):
        with pytest.raises(BadRequestError) as error:
            strange: Any = [{"file_id": file_id, "tools": tools}]
            talk.threads.messages.create(thread.id, role="user", content="x", attachments=strange)
        assert error.value.param == param
    assert len(list(talk.threads.messages.list(thread.id))) == 1


def test_what_is_deleted_leaves_the_lists_it_was_in(start: Any) -> None:
    talk: Talk = start(ask(ModelCall("call_s", "file_search", '{"queries":["cats"]}')), answer("Nothing."))
    store_id, file_id = stores(talk).create().id, file(talk)
    stores(talk).files.create_and_poll(file_id, vector_store_id=store_id)
    named: Any = {"file_search": {"vector_store_ids": [store_id]}}
    assistant = talk.beta.assistants.create(model="m", tools=[SEARCH], tool_resources=named)
    thread = talk.threads.create(tool_resources=named)
    talk.client.files.delete(file_id)
    assert (ids(stores(talk).files.list(store_id)), names(talk, store_id, "cats")) == ([], [])
    assert stores(talk).retrieve(store_id).file_counts.total == 0
    stores(talk).delete(store_id)
    empty = {"file_search": {"vector_store_ids": []}}
    assert talk.beta.assistants.retrieve(assistant.id).tool_resources.to_dict() == empty
    assert talk.threads.retrieve(thread.id).tool_resources.to_dict() == empty
    run = talk.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "completed"
    _, step = talk.runs.steps.list(run.id, thread_id=thread.id)
    assert step.step_details.tool_calls[0].file_search.results == []
    message = talk.threads.messages.create(
        thread.id, role="user", content="x", attachments=[{"file_id": file(talk), "tools": [SEARCH]}]
    )
    assert message.attachments[0].tools[0].type == "file_search"
    [new] = talk.threads.retrieve(thread.id).tool_resources.file_search.vector_store_ids
    assert new != store_id


# What holds everywhere


def test_everything_happens_once_for_a_key(start: Any) -> None:
    talk: Talk = start()
    key: Any = {"extra_headers": {"Idempotency-Key": "once"}}
    first = stores(talk).create(name="a", **key)
    assert stores(talk).create(name="a", **key) == first
    assert ids(stores(talk).list()) == [first.id]
    refused(lambda: stores(talk).create(name="b", **key), "used with another request", code="idempotency_key_reused")
    file_id = file(talk)
    for make, again in (
        (lambda **options: stores(talk).files.create(vector_store_id=first.id, file_id=file_id, **options), "file"),
        (lambda **options: stores(talk).file_batches.create(first.id, file_ids=[file_id], **options), "batch"),
    ):
        options: Any = {"extra_headers": {"Idempotency-Key": again}}
        made = make(**options)
        stores(talk).files.poll(file_id, vector_store_id=first.id)
        assert make(**options) == made, "as it was then"
    large = file(talk, LARGE)
    batch = stores(talk).file_batches.create(first.id, file_ids=[large])
    stop: Any = {"extra_headers": {"Idempotency-Key": "stop"}}
    stopped = stores(talk).file_batches.cancel(batch.id, vector_store_id=first.id, **stop)
    assert stores(talk).file_batches.cancel(batch.id, vector_store_id=first.id, **stop) == stopped


def test_projects_see_nothing_of_each_others_stores(begin: Any) -> None:
    talk: Talk = begin()
    one, other = talk.engine.client(project="one", max_retries=0), talk.engine.client(project="two", max_retries=0)
    secret = one.files.create(file=("a.txt", b"secret words"), purpose="assistants").id
    store_id = one.vector_stores.create(file_ids=[secret]).id
    batch = one.vector_stores.file_batches.create_and_poll(store_id, file_ids=[secret]).id
    mine, own = (
        other.vector_stores.create().id,
        other.files.create(file=("b.txt", b"own words"), purpose="assistants").id,
    )
    named: Any = {"file_search": {"vector_store_ids": [store_id]}}
    foreign: Any = {"file_search": {"vector_stores": [{"file_ids": [secret]}]}}
    attachments: Any = [{"file_id": secret, "tools": [SEARCH]}]
    for call in (
        lambda: other.vector_stores.retrieve(store_id),
        lambda: other.vector_stores.search(store_id, query="secret"),
        lambda: other.vector_stores.files.list(store_id),
        lambda: other.vector_stores.files.content(secret, vector_store_id=store_id),
        lambda: other.vector_stores.files.create(store_id, file_id=own),
        lambda: other.vector_stores.files.create(mine, file_id=secret),
        lambda: other.vector_stores.file_batches.create(mine, file_ids=[own, secret]),
        lambda: other.vector_stores.file_batches.retrieve(batch, vector_store_id=store_id),
        lambda: other.vector_stores.file_batches.retrieve(batch, vector_store_id=mine),
        lambda: other.vector_stores.delete(store_id),
        lambda: other.beta.threads.create(tool_resources=named),
        lambda: other.beta.threads.create(tool_resources=foreign),
        lambda: other.beta.threads.create(messages=[{"role": "user", "content": "x", "attachments": attachments}]),
    ):
        with pytest.raises(NotFoundError):
            call()
    assert ids(other.vector_stores.list()) == [mine]
    assert other.vector_stores.retrieve(mine).file_counts.total == 0
    other.vector_stores.files.create_and_poll(own, vector_store_id=mine)
    assert other.vector_stores.search(mine, query="secret").data == []


@pytest.mark.parametrize(
    ("body", "says", "param", "code"),
    [
        (
            {"attributes": {str(number): 1 for number in range(17)}},
            "Expected an object with at most 16 properties, but got an object with 17 properties instead.",
            "attributes",
            "object_above_max_properties",
        ),
        (
            {"attributes": {"k" * 65: 1}},
            "is too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
            f"attributes.{'k' * 65}",
            "string_above_max_length",
        ),
        (
            {"attributes": {"k": "v" * 513}},
            "is too long. Expected a string with maximum length 512, but got a string with length 513 instead.",
            "attributes.k",
            "string_above_max_length",
        ),
        (
            {"attributes": {"k": None}},
            "Invalid type for 'attributes.k': expected a string, a number or a boolean, but got null instead.",
            "attributes.k",
            "invalid_type",
        ),
        (
            {"chunking_strategy": {**SMALL, "static": {"max_chunk_size_tokens": 99, "chunk_overlap_tokens": 0}}},
            "integer below minimum value. Expected a value >= 100, but got 99 instead.",
            "chunking_strategy.static.max_chunk_size_tokens",
            "integer_below_min_value",
        ),
        (
            {"chunking_strategy": {**SMALL, "static": {"max_chunk_size_tokens": 4097, "chunk_overlap_tokens": 0}}},
            "integer above maximum value. Expected a value <= 4096, but got 4097 instead.",
            "chunking_strategy.static.max_chunk_size_tokens",
            "integer_above_max_value",
        ),
        (
            {"chunking_strategy": {**SMALL, "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}}},
            "Invalid 'chunk_overlap_tokens': it must not exceed half of 'max_chunk_size_tokens' (100), but is 51.",
            "chunking_strategy.static.chunk_overlap_tokens",
            "invalid_value",
        ),
        ({"chunking_strategy": {"type": "other"}}, "Supported values are", "chunking_strategy.type", "invalid_value"),
        ({"name": "x"}, "Unknown parameter: 'name'.", "name", "unknown_parameter"),
    ],
)
def test_files_have_their_limits(begin: Any, body: Any, says: str, param: str, code: str) -> None:
    talk: Talk = begin()
    file_id, store_id = file(talk), stores(talk).create().id
    extra: Any = {"extra_body": body}
    add = stores(talk).files.create
    refused(lambda: add(vector_store_id=store_id, file_id=file_id, **extra), says, param=param, code=code)
    batch = stores(talk).file_batches.create
    refused(lambda: batch(store_id, file_ids=[file_id], **extra), says, param=param, code=code)
    in_list, said = f"files[0].{param}", says.replace(f"'{param}'", f"'files[0].{param}'")
    refused(lambda: batch(store_id, files=[{"file_id": file_id, **body}]), said, param=in_list, code=code)
    assert stores(talk).retrieve(store_id).file_counts.total == 0


@pytest.mark.parametrize(
    ("body", "says", "param", "code"),
    [
        ({"file_ids": ["file-x"] * 501}, "maximum length 500, but got an array", "file_ids", "array_above_max_length"),
        ({"name": "x" * 257}, "string too long", "name", "string_above_max_length"),
        (
            {"expires_after": {"anchor": "last_active_at", "days": 0}},
            "Expected a value >= 1, but got 0 instead.",
            "expires_after.days",
            "integer_below_min_value",
        ),
        (
            {"expires_after": {"anchor": "last_active_at", "days": 366}},
            "Expected a value <= 365, but got 366 instead.",
            "expires_after.days",
            "integer_above_max_value",
        ),
        ({"metadata": {"k": "v" * 513}}, "string too long", "metadata.k", "string_above_max_length"),
        ({"chunking_strategy": "auto"}, "expected an object", "chunking_strategy", "invalid_type"),
    ],
)
def test_stores_have_their_limits(begin: Any, body: Any, says: str, param: str, code: str) -> None:
    talk: Talk = begin()
    refused(lambda: stores(talk).create(**body), says, param=param, code=code)
    assert ids(stores(talk).list()) == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\0b.txt", "späße 日本.txt", "'; DROP TABLE chunk; --", '"><script>', "x" * 255, "."]
)
def test_files_with_any_name_are_searched(begin: Any, name: str) -> None:
    talk: Talk = begin()
    store_id = stores(talk).create().id
    done = stores(talk).files.create_and_poll(file(talk, CATS, name), vector_store_id=store_id)
    assert done.status == "completed"
    assert names(talk, store_id, "cats") == [talk.client.files.retrieve(done.id).filename]
