from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.official import assert_official
from toolkit.engine.blobs import Blob
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import uploads
from toolkit.engine.objects.uploads import CompleteUpload, CreateUpload
from toolkit.errors import Refused

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000
BODY = {"filename": "folder/a.txt", "purpose": "assistants", "mime_type": "text/plain"}


def begin(do: Do, size: int) -> Any:
    request = CreateUpload.model_validate({**BODY, "bytes": size})
    return json.loads(do(lambda tx: uploads.create(tx, "p", request, NOW)))


def add(do: Do, upload: Any, size: int, sha256: str = "ab" * 32, now: int = NOW) -> str:
    made = do(lambda tx: uploads.add_part(tx, "p", upload["id"], Blob(sha256, size), now))
    assert_official("UploadPart", json.loads(made))
    return id_of(made)


def refusal(work: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as error:
        work()
    assert error.value.status == 400
    return error.value.message


def test_an_upload_from_its_beginning_to_its_end(do: Do) -> None:
    upload = begin(do, 10)
    assert upload == {
        "id": upload["id"],
        "object": "upload",
        "bytes": 10,
        "created_at": NOW,
        "filename": "a.txt",
        "purpose": "assistants",
        "status": "pending",
        "expires_at": NOW + 3600,
    }
    assert_official("Upload", upload)
    parts = [add(do, upload, 4, "ab" * 32), add(do, upload, 6, "cd" * 32)]
    request = CompleteUpload(part_ids=parts[::-1])
    chosen = do(lambda tx: uploads.chosen(tx, "p", upload["id"], request, NOW))
    assert [(part.sha256, part.size) for part in chosen] == [("cd" * 32, 6), ("ab" * 32, 4)]
    done = json.loads(do(lambda tx: uploads.complete(tx, "p", upload["id"], Blob("ef" * 32, 10), NOW + 5)))
    assert_official("Upload", done)
    assert done == {**upload, "status": "completed", "file": done["file"]}
    assert (done["file"]["created_at"], done["file"]["bytes"], done["file"]["filename"]) == (NOW + 5, 10, "a.txt")
    assert do(lambda tx: uploads.parts_of(tx, upload["id"])) == []


def test_the_most_parts_and_the_most_bytes_together(do: Do) -> None:
    upload = begin(do, 1)
    add(do, upload, uploads.MOST_BYTES - 1)
    assert "more than 8589934592 bytes" in refusal(lambda: add(do, upload, 2))
    add(do, upload, 1)
    many = begin(do, 1)

    def fill(tx: Any) -> None:
        for _ in range(10_000):
            uploads.add_part(tx, "p", many["id"], Blob("ab" * 32, 1), NOW)

    do(fill)
    assert "10000 parts already" in refusal(lambda: add(do, many, 1))


def test_an_hour_later_nothing_more_is_taken(do: Do) -> None:
    upload = begin(do, 1)
    part = add(do, upload, 1, now=NOW + 3599)
    at = NOW + 3600
    request = CompleteUpload(part_ids=[part])
    for work in (
        lambda: add(do, upload, 1, now=at),
        lambda: do(lambda tx: uploads.chosen(tx, "p", upload["id"], request, at)),
        lambda: do(lambda tx: uploads.complete(tx, "p", upload["id"], Blob("ab" * 32, 1), at)),
        lambda: do(lambda tx: uploads.cancel(tx, "p", upload["id"], at)),
    ):
        assert "has status 'expired'" in refusal(work)
    assert do(lambda tx: uploads.expire(tx, at, limit=10)) == uploads.Expired(1, ["ab" * 32])
    assert do(lambda tx: uploads.expire(tx, at, limit=10)) == uploads.Expired(0, [])


def test_ended_uploads_are_forgotten_a_day_later(do: Do) -> None:
    upload = begin(do, 1)
    do(lambda tx: uploads.cancel(tx, "p", upload["id"], NOW))
    cancel = lambda: do(lambda tx: uploads.cancel(tx, "p", upload["id"], NOW))  # noqa: E731
    do(lambda tx: uploads.expire(tx, NOW + 25 * 3600, limit=10))
    assert "has status 'cancelled'" in refusal(cancel)
    do(lambda tx: uploads.expire(tx, NOW + 25 * 3600 + 1, limit=10))
    with pytest.raises(Refused, match="No such Upload object") as error:
        cancel()
    assert error.value.status == 404


@pytest.mark.parametrize(
    "wrong", [{"bytes": -1}, {"bytes": 2**33 + 1}, {"bytes": "1"}, {"colour": 1}, {"purpose": "x"}]
)
def test_what_an_upload_cannot_be(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        CreateUpload.model_validate({**BODY, "bytes": 1, **wrong})
