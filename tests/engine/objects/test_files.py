from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.official import assert_official
from toolkit.engine.blobs import Blob
from toolkit.engine.objects import files
from toolkit.engine.objects.files import ListFiles, base_name
from toolkit.errors import Refused

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000


def make(do: Do, sha256: str = "ab" * 32, *, purpose: str = "assistants", after: Any = None, at: int = NOW) -> Any:
    blob = Blob(sha256, 7)
    return json.loads(
        do(lambda tx: files.create(tx, "p", blob, at, filename="a.txt", purpose=purpose, expires_after=after))
    )


def listed(do: Do, now: int = NOW, **query: Any) -> list[str]:
    page = json.loads(do(lambda tx: files.list_(tx, "p", ListFiles(**query), now)))
    assert_official("ListFilesResponse", page)
    return [file["id"] for file in page["data"]]


def test_what_a_file_looks_like(do: Do) -> None:
    made = make(do)
    assert made == {
        "id": made["id"],
        "object": "file",
        "bytes": 7,
        "created_at": NOW,
        "filename": "a.txt",
        "purpose": "assistants",
        "status": "processed",
    }
    assert_official("OpenAIFile", made)
    assert json.loads(do(lambda tx: files.get(tx, "p", made["id"], NOW))) == made
    stored = do(lambda tx: files.stored(tx, "p", made["id"], NOW))
    assert stored == files.Stored(made["id"], "a.txt", "assistants", 7, "ab" * 32)


def test_when_a_file_goes(do: Do) -> None:
    after = {"anchor": "created_at", "seconds": 3600}
    assert make(do, after=after)["expires_at"] == NOW + 3600
    assert make(do, after=after, purpose="batch")["expires_at"] == NOW + 3600
    assert make(do, purpose="batch")["expires_at"] == NOW + 30 * 86400


def test_a_file_whose_time_is_up_is_as_if_it_were_deleted(do: Do) -> None:
    made, stays = make(do, after={"anchor": "created_at", "seconds": 3600}), make(do, "cd" * 32)
    assert listed(do, NOW + 3599) == [stays["id"], made["id"]]
    assert listed(do, NOW + 3600) == listed(do, NOW + 3600, purpose="assistants") == [stays["id"]]
    assert listed(do, NOW + 3600, order="asc", after=made["id"]) == [stays["id"]], "a place in the list still"
    for work in (files.get, files.stored, files.delete):
        with pytest.raises(Refused) as error:
            do(lambda tx, work=work: work(tx, "p", made["id"], NOW + 3600))
        assert (error.value.status, error.value.param) == (404, "id")
    assert do(lambda tx: files.expire(tx, NOW + 3600, limit=10)) == ["ab" * 32]
    assert do(lambda tx: files.expire(tx, NOW + 3600, limit=10)) == []
    assert listed(do, NOW, order="asc", after=made["id"]) == [stays["id"]], "when it is swept too"


def test_a_sweep_takes_a_few_at_a_time(do: Do) -> None:
    for _ in range(5):
        make(do, after={"anchor": "created_at", "seconds": 3600})
    assert [len(do(lambda tx: files.expire(tx, NOW + 3600, limit=2))) for _ in range(4)] == [2, 2, 1, 0]


def test_pages_of_files_made_in_one_second(do: Do) -> None:
    made = [make(do, purpose=("vision", "batch")[number % 2])["id"] for number in range(30)]
    for query, wanted in (({}, made), ({"purpose": "vision"}, made[::2])):
        seen: list[str] = []
        while page := listed(do, order="asc", limit=4, **query, **({"after": seen[-1]} if seen else {})):
            seen += page
        assert seen == wanted


def test_the_bytes_that_are_needed(do: Do) -> None:
    for sha256 in ("ab" * 32, "ab" * 32, "cd" * 32):
        make(do, sha256)
    assert do(files.digests) == {"ab" * 32, "cd" * 32}
    assert do(lambda tx: files.digests(tx, "ab", "abg")) == {"ab" * 32}
    assert do(lambda tx: files.digests(tx, "ac", "acg")) == set()


def test_deleting_tells_whose_bytes_may_go(do: Do) -> None:
    made = make(do)
    text, sha256 = do(lambda tx: files.delete(tx, "p", made["id"], NOW))
    assert_official("DeleteFileResponse", json.loads(text))
    assert sha256 == "ab" * 32
    assert listed(do) == []


@given(st.text())
def test_a_name_has_no_folders_and_no_control_characters(name: str) -> None:
    kept = base_name(name)
    assert kept.strip()
    assert not set(kept) & set("/\\\0\r\n\t\x7f\x85")
    assert kept not in (".", "..")
    assert base_name(kept) == kept
