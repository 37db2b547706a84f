"""Uploads through every door: parts in any order, together at once, put together as asked."""

from __future__ import annotations

import hashlib
import io
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError

from tests.contract.servers import raced
from tests.contract.talk import Talk

SIZES = (3, 700_000, 1, 1_300_000, 5)


def pieces() -> list[bytes]:
    chance = random.Random(7)
    return [chance.randbytes(size) for size in SIZES]


def new(talk: Talk, size: int, **more: Any) -> Any:
    more = {"filename": "story.txt", "mime_type": "text/plain", "purpose": "assistants", **more}
    return talk.client.uploads.create(bytes=size, **more)


def part(talk: Talk, upload: Any, data: bytes) -> str:
    made = talk.client.uploads.parts.create(upload.id, data=data)
    assert made.upload_id == upload.id
    made_id: str = made.id
    return made_id


def said(error: APIStatusError) -> tuple[int, str, str | None]:
    body: Any = error.body
    return error.status_code, body["message"], body["param"]


def test_parts_make_up_a_file_in_the_order_that_is_asked_for(start: Any) -> None:
    talk: Talk = start()
    data = pieces()
    whole = b"".join(data)
    upload = new(talk, len(whole))
    assert (upload.status, upload.bytes, upload.filename, upload.file) == ("pending", len(whole), "story.txt", None)
    assert upload.expires_at == upload.created_at + 3600
    order = [3, 0, 4, 2, 1]
    ids = {number: part(talk, upload, data[number]) for number in order}
    done = talk.client.uploads.complete(
        upload.id, part_ids=[ids[number] for number in sorted(ids)], md5=hashlib.md5(whole).hexdigest()
    )
    assert (done.id, done.status, done.created_at) == (upload.id, "completed", upload.created_at)
    file = done.file
    assert (file.bytes, file.filename, file.purpose, file.status) == (
        len(whole),
        "story.txt",
        "assistants",
        "processed",
    )
    assert talk.client.files.content(file.id).read() == whole
    assert talk.client.files.retrieve(file.id) == file


def test_the_type_of_an_upload_says_nothing(begin: Any) -> None:
    """A file has none in the API: as what it is downloaded goes by its name, however it was brought."""
    talk: Talk = begin()
    upload = new(talk, 3, filename="story.csv", mime_type="application/pdf")
    made = talk.client.uploads.complete(upload.id, part_ids=[part(talk, upload, b"a,b")]).file
    assert talk.client.files.content(made.id).response.headers["content-type"] == "text/csv; charset=utf-8"


def test_parts_arrive_together(begin: Any, tmp_path: Any) -> None:
    talk: Talk = begin(store=f"sqlite:///{tmp_path}/store.db")
    data = [bytes([number]) * 300_000 for number in range(12)]
    upload = new(talk, 12 * 300_000)
    with ThreadPoolExecutor(12) as threads:
        ids = list(threads.map(lambda piece: part(talk, upload, piece), data))
    file = talk.client.uploads.complete(upload.id, part_ids=ids).file
    assert talk.client.files.content(file.id).read() == b"".join(data)


def test_the_clients_own_way_to_upload(start: Any) -> None:
    talk: Talk = start()
    data = b"".join(pieces())
    upload = talk.client.uploads.upload_file_chunked(
        file=data, filename="a.bin", bytes=len(data), mime_type="text/plain", purpose="assistants", part_size=500_000
    )
    assert talk.client.files.content(upload.file.id).read() == data


def test_a_file_of_an_upload_expires_as_was_asked(begin: Any) -> None:
    talk: Talk = begin()
    for purpose, after, seconds in (
        ("assistants", None, None),
        ("batch", None, 30 * 86400),
        ("assistants", {"anchor": "created_at", "seconds": 3600}, 3600),
    ):
        upload = new(talk, 1, purpose=purpose, expires_after=after)
        file = talk.client.uploads.complete(upload.id, part_ids=[part(talk, upload, b"x")]).file
        assert file.expires_at == (file.created_at + seconds if seconds else None)


def test_what_does_not_fit_is_refused_and_may_be_mended(start: Any) -> None:
    talk: Talk = start()
    upload, other = new(talk, 6), new(talk, 3)
    first, second, strange = part(talk, upload, b"abc"), part(talk, upload, b"def"), part(talk, other, b"def")
    complete = talk.client.uploads.complete
    for asked, place in (
        ({"part_ids": [first]}, "part_ids"),
        ({"part_ids": []}, "part_ids"),
        ({"part_ids": [first, first]}, "part_ids[1]"),
        ({"part_ids": [first, strange]}, "part_ids[1]"),
        ({"part_ids": [first, "part_x"]}, "part_ids[1]"),
        ({"part_ids": [first, second], "md5": "0" * 32}, "md5"),
    ):
        with pytest.raises(BadRequestError) as error:
            complete(upload.id, **asked)
        assert error.value.param == place
    md5 = hashlib.md5(b"defabc").hexdigest().upper()
    file = complete(upload.id, part_ids=[second, first], md5=md5).file
    assert talk.client.files.content(file.id).read() == b"defabc"
    assert [listed.id for listed in talk.client.files.list()] == [file.id]


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_an_upload_ends_once(start: Any, end: str) -> None:
    talk: Talk = start()
    upload = new(talk, 3)
    ids = [part(talk, upload, b"abc")]
    uploads = talk.client.uploads
    ended = uploads.complete(upload.id, part_ids=ids) if end == "completed" else uploads.cancel(upload.id)
    assert ended.status == end
    for again in (
        lambda: uploads.complete(upload.id, part_ids=ids),
        lambda: uploads.cancel(upload.id),
        lambda: uploads.parts.create(upload.id, data=b"abc"),
    ):
        with pytest.raises(BadRequestError, match=f"Upload '{upload.id}' has status '{end}'"):
            again()


def test_what_is_no_upload(begin: Any) -> None:
    talk: Talk = begin()
    uploads = talk.client.uploads
    for call in (
        lambda: uploads.complete("upload_x", part_ids=[]),
        lambda: uploads.cancel("upload_x"),
        lambda: uploads.parts.create("upload_x", data=b"abc"),
    ):
        with pytest.raises(NotFoundError) as error:
            call()
        assert said(error.value) == (404, "No such Upload object: upload_x", "id")


def test_the_bounds_of_an_upload(begin: Any) -> None:
    talk: Talk = begin()
    for wrong, place in (
        ({"size": 8 * 2**30 + 1}, "bytes"),
        ({"size": -1}, "bytes"),
        ({"size": 1, "purpose": "fun"}, "purpose"),
        ({"size": 1, "filename": None}, "filename"),
        ({"size": 1, "mime_type": None}, "mime_type"),
    ):
        with pytest.raises(BadRequestError) as error:
            new(talk, **wrong)
        assert error.value.param == place
    upload = new(talk, 8 * 2**30)
    with pytest.raises(APIStatusError) as large:
        talk.client.uploads.parts.create(upload.id, data=io.BytesIO(b"\0" * (2**26 + 1)))
    assert said(large.value)[:2] == (413, "Maximum content size limit (67108864) exceeded.")
    empty = new(talk, 0)
    assert talk.client.uploads.complete(empty.id, part_ids=[]).file.bytes == 0


def test_who_completes_twice_at_once_makes_one_file(begin: Any, tmp_path: Any) -> None:
    talk: Talk = begin(store=f"sqlite:///{tmp_path}/store.db")
    for _ in range(5):
        upload = new(talk, 600_000)
        ids = [part(talk, upload, b"x" * 300_000), part(talk, upload, b"y" * 300_000)]
        ends = raced(*[lambda upload=upload, ids=ids: talk.client.uploads.complete(upload.id, part_ids=ids)] * 4)
        assert len([end for end in ends if not isinstance(end, str)]) == 1
        assert {end[:4] for end in ends if isinstance(end, str)} == {"400 "}
    assert len(talk.client.files.list().data) == 5


def test_who_completes_and_cancels_at_once_gets_one_of_both(begin: Any, tmp_path: Any) -> None:
    talk: Talk = begin(store=f"sqlite:///{tmp_path}/store.db")
    for _ in range(8):
        before = len(talk.client.files.list().data)
        upload = new(talk, 300_000)
        ids = [part(talk, upload, b"x" * 300_000)]
        done, cancelled = raced(
            lambda upload=upload, ids=ids: talk.client.uploads.complete(upload.id, part_ids=ids),
            lambda upload=upload: talk.client.uploads.cancel(upload.id),
        )
        assert isinstance(done, str) != isinstance(cancelled, str)
        assert len(talk.client.files.list().data) == before + (not isinstance(done, str))


def test_each_request_sent_twice_with_one_key_happens_once(start: Any) -> None:
    talk: Talk = start()

    def keyed(key: str) -> dict[str, Any]:
        return {"extra_headers": {"Idempotency-Key": key}}

    files, uploads = talk.client.files, talk.client.uploads
    made = [files.create(file=("a", b"x"), purpose="vision", **keyed("file")) for _ in range(2)]
    assert made[0] == made[1]
    assert len(files.list().data) == 1
    for other in ({"file": ("b", b"x")}, {"file": ("a", b"y")}, {"purpose": "batch"}):
        with pytest.raises(BadRequestError) as error:
            files.create(**{"file": ("a", b"x"), "purpose": "vision", **other}, **keyed("file"))
        assert error.value.code == "idempotency_key_reused"
    made = [uploads.create(bytes=3, filename="a", mime_type="b", purpose="vision", **keyed("upload")) for _ in range(2)]
    assert made[0] == made[1]
    parts = [uploads.parts.create(made[0].id, data=b"abc", **keyed("part")) for _ in range(2)]
    assert parts[0] == parts[1]
    done = [uploads.complete(made[0].id, part_ids=[parts[0].id], **keyed("complete")) for _ in range(2)]
    assert done[0] == done[1]
    with pytest.raises(BadRequestError, match="another request"):
        uploads.complete(made[0].id, part_ids=[], **keyed("complete"))
    assert len(files.list().data) == 2
    other = uploads.create(bytes=3, filename="a", mime_type="b", purpose="vision")
    ended = [uploads.cancel(other.id, **keyed("cancel")) for _ in range(2)]
    assert ended[0] == ended[1]
