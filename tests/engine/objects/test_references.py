from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.filled_stores import NOW, Do, new_file, new_store
from toolkit.engine.blobs import Blob
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import files, references, vector_stores
from toolkit.errors import Refused


def refused(work: Callable[[], Any]) -> tuple[int, str, str | None, str | None]:
    with pytest.raises(Refused) as error:
        work()
    return error.value.status, error.value.message, error.value.param, error.value.code


def test_a_file_of_the_project_is_found(do: Do) -> None:
    file_id = new_file(do)
    assert do(lambda tx: references.file(tx, "p", file_id, NOW, "file_id"))["filename"] == "a.txt"
    for project, named in (("other", file_id), ("p", "file-x")):
        answer = refused(lambda: do(lambda tx, p=project, n=named: references.file(tx, p, n, NOW, "files[1].file_id")))
        assert answer == (404, f"No such File object: {named}", "files[1].file_id", None)


def test_a_file_whose_time_is_up_is_not(do: Do) -> None:
    after: Any = {"anchor": "created_at", "seconds": 3600}
    blob = Blob("ab" * 32, 7)
    made = do(lambda tx: files.create(tx, "p", blob, NOW, filename="a", purpose="vision", expires_after=after))
    assert do(lambda tx: references.file(tx, "p", id_of(made), NOW + 3599, "x"))
    assert refused(lambda: do(lambda tx: references.file(tx, "p", id_of(made), NOW + 3600, "x")))[0] == 404


def test_a_vector_store_of_the_project_is_found(do: Do) -> None:
    store_id = new_store(do)
    assert do(lambda tx: references.vector_store(tx, "p", store_id))["id"] == store_id
    for project, named in (("other", store_id), ("p", "vs_x")):
        answer = refused(lambda: do(lambda tx, p=project, n=named: references.vector_store(tx, p, n, "place")))
        assert answer == (404, f"Vector store with id '{named}' not found.", "place", None)


def test_one_whose_time_is_up_is_there_but_cannot_be_used(do: Do) -> None:
    store_id = new_store(do, days=2)
    at = NOW + 2 * 86400
    assert do(lambda tx: references.live_store(tx, "p", store_id, at - 1))["id"] == store_id
    said = f"Vector store with id '{store_id}' has expired. Create a new one with the same files."
    answer = refused(lambda: do(lambda tx: references.live_store(tx, "p", store_id, at)))
    assert answer == (400, said, None, "vector_store_expired")
    assert do(lambda tx: references.vector_store(tx, "p", store_id))["id"] == store_id
    assert refused(lambda: do(lambda tx: references.live_store(tx, "other", store_id, at)))[0] == 404


def test_one_that_was_emptied_stays_expired_whatever_the_clock_says(do: Do) -> None:
    """A request may have begun before the sweep, or the clock have been set back: there is nothing in it any more."""
    store_id = new_store(do, days=2)
    assert do(lambda tx: vector_stores.empty_expired(tx, NOW + 2 * 86400, limit=1)) == 1
    do(lambda tx: vector_stores.touch(tx, store_id, NOW + 86400))
    assert refused(lambda: do(lambda tx: references.live_store(tx, "p", store_id, NOW + 86401)))[0] == 400
