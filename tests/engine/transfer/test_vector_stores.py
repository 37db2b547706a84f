from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.engine.conftest import Do
from tests.engine.transfer.objects import assistant, file, line, vector_store, vector_store_file
from tests.engine.transfer.stores import exported, imported, in_store
from toolkit.engine.blobs import Blobs
from toolkit.engine.objects import store_files, vector_stores
from toolkit.engine.objects.resources import delete_store
from toolkit.engine.store import Store, Tx
from toolkit.engine.transfer.lines import line_of
from toolkit.engine.transfer.taking import Options, Outcome, Placed, take

AFTER = {"anchor": "last_active_at", "days": 7}
SHA = "a" * 64


def put(do: Do, *values: Any, **options: Any) -> list[Outcome]:
    batch = [Placed(line_of(value), f"line {number}") for number, value in enumerate(values, start=1)]  # type: ignore[arg-type]
    return do(lambda tx: take(tx, batch, Options(**options), set()))


def store_of(do: Do, name: str = "vs_a") -> dict[str, Any]:
    return json.loads(do(lambda tx: vector_stores.get(tx, "default", name, int(time.time()))))


def file_of(do: Do, name: str = "file-a", store: str = "vs_a") -> dict[str, Any]:
    return json.loads(do(lambda tx: store_files.get(tx, "default", store, name)))


def counts(store: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in store["file_counts"].items() if number and name != "total"}


def test_a_file_that_is_here_is_to_be_processed(do: Do) -> None:
    held = line("vector_store_file", vector_store_file(usage_bytes=99, attributes={"a": 1, "b": True}))
    new = put(do, line("file", file(), sha256=SHA), line("vector_store", vector_store()), held)
    assert [one.ending for one in new] == ["new"] * 3
    there = file_of(do)
    assert (there["status"], there["usage_bytes"], there["attributes"]) == ("in_progress", 0, {"a": 1, "b": True})
    assert (store_of(do)["status"], counts(store_of(do))) == ("in_progress", {"in_progress": 1})
    assert put(do, held)[0].ending == "there"


def test_a_file_that_lacks_its_bytes_has_failed_until_they_come(do: Do) -> None:
    held = line("vector_store_file", vector_store_file())
    put(do, line("file", file()), line("vector_store", vector_store()), held)
    there = file_of(do)
    assert (there["status"], there["last_error"]["code"]) == ("failed", "invalid_file")
    assert there["last_error"]["message"].endswith("it was imported without them.")
    assert (store_of(do)["status"], counts(store_of(do))) == ("completed", {"failed": 1})
    put(do, line("file", file(), sha256=SHA))
    there = file_of(do)
    assert (there["status"], there["last_error"], counts(store_of(do))) == ("in_progress", None, {"in_progress": 1})


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_what_was_not_processed_stays_so(do: Do, status: str) -> None:
    error = {"code": "unsupported_file", "message": "No."} if status == "failed" else None
    held = vector_store_file(status=status, last_error=error)
    put(do, line("file", file(), sha256=SHA), line("vector_store", vector_store()), line("vector_store_file", held))
    assert file_of(do) == held
    assert counts(store_of(do)) == {status: 1}


def test_a_file_needs_its_store(do: Do) -> None:
    [outcome] = put(do, line("vector_store_file", vector_store_file()))
    assert outcome.problem == "line 1: file-a of vs_a is left out: vs_a is not there."


def test_a_store_that_had_not_expired_has_all_its_days_before_it(do: Do) -> None:
    put(do, line("vector_store", vector_store(expires_after=AFTER, expires_at=100 + 7 * 86400)))
    there = store_of(do)
    assert there["status"] == "completed"
    assert there["expires_at"] - there["last_active_at"] == 7 * 86400
    assert abs(there["last_active_at"] - time.time()) < 60


def test_a_store_that_had_expired_stays_so(do: Do) -> None:
    gone = vector_store(expires_after=AFTER, expires_at=500, status="expired", usage_bytes=9)
    held = vector_store_file(usage_bytes=9)
    put(do, line("file", file(), sha256=SHA), line("vector_store", gone), line("vector_store_file", held))
    assert (file_of(do), store_of(do)["status"], store_of(do)["expires_at"]) == (held, "expired", 500)
    assert do(lambda tx: vector_stores.empty_expired(tx, int(time.time()), limit=9)) == 0, "there is nothing to give up"


def test_one_without_an_end_keeps_its_times(do: Do) -> None:
    put(do, line("vector_store", vector_store(last_active_at=777)))
    assert store_of(do) == vector_store(last_active_at=777, embedding=None, chunks=0)


def test_other_content(do: Do) -> None:
    put(do, line("vector_store", vector_store()), line("vector_store_file", vector_store_file()))
    named = line("vector_store", {**vector_store(), "name": "other"})
    tagged = line("vector_store_file", vector_store_file(attributes={"a": 1}))
    assert [one.ending for one in put(do, named, tagged)] == ["different", "different"]
    assert [one.ending for one in put(do, named, tagged, replace=True)] == ["replaced", "replaced"]
    assert (store_of(do)["name"], file_of(do)["attributes"]) == ("other", {"a": 1})
    assert counts(store_of(do)) == {"failed": 1}
    assert [one.ending for one in put(do, named, tagged)] == ["there", "there"]
    begun = line("vector_store", {**vector_store(usage_bytes=5, last_active_at=9), "name": "other", "file_counts": {}})
    assert [one.ending for one in put(do, begun)] == ["there"], "what follows from its files says nothing"


def test_one_that_stands_in_gives_way_to_what_is_there(do: Do) -> None:
    put(do, line("vector_store", {**vector_store(), "name": "real"}))
    assert put(do, {**line("vector_store", vector_store()), "made": True})[0].ending == "there"


def test_how_a_store_cuts_is_kept(do: Do) -> None:
    small = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    put(do, line("vector_store", vector_store(), chunking=small), line("file", file(), sha256=SHA))
    request = store_files.CreateStoreFile.model_validate({"file_id": "file-a"})
    do(lambda tx: store_files.create(tx, "default", "vs_a", request, int(time.time())))
    assert file_of(do)["chunking_strategy"] == small


def test_what_was_cut_in_another_way_is_cut_as_by_default(do: Do) -> None:
    put(do, line("vector_store", vector_store()))
    put(do, line("vector_store_file", vector_store_file(chunking_strategy={"type": "other"})))
    assert file_of(do)["chunking_strategy"] == store_files.AUTO


def test_holders_are_noted(do: Do) -> None:
    """So that a store that is deleted leaves the lists it was in."""
    resources = {"file_search": {"vector_store_ids": ["vs_a"]}}
    put(do, line("vector_store", vector_store()), line("assistant", assistant(tool_resources=resources)))
    do(lambda tx: delete_store(tx, "default", "vs_a"))
    row = do(lambda tx: tx.one("transfer.assistant", id="asst_a"))
    assert json.loads(row["body"])["tool_resources"] == {"file_search": {"vector_store_ids": []}}


def test_many_files_come_over_in_order() -> None:
    async def work(store: Store, blobs: Blobs) -> str:
        def fill(tx: Tx) -> None:
            store_id = vector_stores.new(tx, "default", 100)
            for number in range(250):
                row = {"store": store_id, "id": f"file-{number}", "project": "default", "created_at": 100}
                tx.run("store_file.insert", **row, attributes=None, chunking=json.dumps(store_files.AUTO))

        await store.write(fill)
        return await exported(store)

    text = in_store(work)
    names = [json.loads(one)["object"]["id"] for one in text.splitlines() if '"vector_store_file"' in one]
    assert names == [f"file-{number}" for number in range(250)]

    async def after(store: Store, blobs: Blobs) -> None:
        done = await imported(store, blobs, text)
        assert (done.told, done.counts("new")["vector_store_file"]) == ([], 250)
        again = [one for one in (await exported(store)).splitlines() if '"vector_store_file"' in one]
        assert [json.loads(one)["object"]["id"] for one in again] == names

    in_store(after)
