"""Files through every door: the official client sends them, and gets the very same bytes back."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError

from tests.contract.talk import Talk

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


def test_a_file_comes_back_as_it_was_sent(start: Any) -> None:
    talk: Talk = start()
    sent = bytes(range(256)) * 5000 + b"\r\n--\r\n"
    made = talk.client.files.create(file=("notes.bin", sent), purpose="assistants")
    assert (made.filename, made.bytes, made.purpose, made.status) == ("notes.bin", len(sent), "assistants", "processed")
    assert made.id.startswith("file-") and len(made.id) == 29 and "_" not in made.id
    assert talk.client.files.retrieve(made.id) == made
    assert talk.client.files.content(made.id).read() == sent
    assert [file.id for file in talk.client.files.list()] == [made.id]
    assert talk.client.files.delete(made.id).deleted
    for gone in (talk.client.files.retrieve, talk.client.files.content, talk.client.files.delete):
        with pytest.raises(NotFoundError, match=f"No such File object: {made.id}") as error:
            gone(made.id)
        assert error.value.param == "id"
    assert talk.client.files.list().data == []


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_purpose(begin: Any, purpose: str) -> None:
    talk: Talk = begin()
    made = talk.client.files.create(file=("a.jsonl", b"{}"), purpose=purpose)
    assert made.purpose == purpose
    assert made.expires_at == (made.created_at + 30 * 86400 if purpose == "batch" else None)
    assert talk.client.files.content(made.id).read() == b"{}"
    upload = talk.client.uploads.create(bytes=2, filename="b", mime_type="text/plain", purpose=purpose)
    part = talk.client.uploads.parts.create(upload.id, data=b"ab")
    assert talk.client.uploads.complete(upload.id, part_ids=[part.id]).file.purpose == purpose


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("plain.txt", "plain.txt"),
        ("/home/me/notes.txt", "notes.txt"),
        ("C:\\Users\\me\\notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("späße 日本.txt", "späße 日本.txt"),
        ('a "quoted" name;.txt', 'a "quoted" name;.txt'),
        ("..", "upload"),
        ("folder/", "upload"),
        ("\x7f\x85", "upload"),
    ],
)
def test_names_of_files(begin: Any, sent: str, kept: str) -> None:
    talk: Talk = begin()
    made = talk.client.files.create(file=(sent, io.BytesIO(b"x")), purpose="assistants")
    assert made.filename == kept
    assert talk.client.files.list().data[0].filename == kept
    begun = talk.client.uploads.create(bytes=1, filename=sent, mime_type="text/plain", purpose="assistants")
    assert begun.filename == kept


def test_files_are_listed_by_purpose_and_page(begin: Any) -> None:
    talk: Talk = begin()
    made = [
        talk.client.files.create(file=(f"{number}.txt", b"x"), purpose=("assistants", "vision")[number % 2]).id
        for number in range(7)
    ]
    assert [file.id for file in talk.client.files.list()] == made[::-1]
    assert [file.id for file in talk.client.files.list(order="asc", limit=2)] == made
    assert [file.id for file in talk.client.files.list(purpose="vision", limit=1)] == made[5:0:-2]
    assert talk.client.files.list(purpose="batch").data == []
    page = talk.sent("GET", "/v1/files?limit=3")
    assert (page["first_id"], page["last_id"], page["has_more"]) == (made[6], made[4], True)
    for limit in ("0", "10001"):
        assert talk.http.get(f"/v1/files?limit={limit}").status_code == 400


def test_when_files_expire_is_as_asked(start: Any) -> None:
    talk: Talk = start()
    after: Any = {"anchor": "created_at", "seconds": 3600}
    made = talk.client.files.create(file=b"x", purpose="batch", expires_after=after)
    assert made.expires_at == made.created_at + 3600
    for wrong in ({**after, "seconds": 3599}, {**after, "seconds": 2592001}, {**after, "anchor": "last_active_at"}):
        with pytest.raises(BadRequestError) as error:
            talk.client.files.create(file=b"x", purpose="batch", expires_after=wrong)
        assert error.value.param.startswith("expires_after.")
