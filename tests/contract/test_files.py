"""Files through every door: the official client sends them, and gets the very same bytes back."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError

from tests.contract.servers import raced
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


def test_what_names_a_file_shows_it(start: Any) -> None:
    talk: Talk = start()
    file = talk.client.files.create(file=("a.png", b"\x89PNG"), purpose="vision").id
    code: Any = {"code_interpreter": {"file_ids": [file]}}
    assistant = talk.beta.assistants.create(model="m", tools=[{"type": "code_interpreter"}], tool_resources=code)
    assert assistant.tool_resources.to_dict() == code
    attached: Any = [
        {"file_id": file, "tools": [{"type": "code_interpreter"}]},
        {"file_id": file, "tools": [{"type": "code_interpreter"}]},
        {"file_id": file},
    ]
    picture: Any = [{"type": "image_file", "image_file": {"file_id": file}}]
    thread = talk.threads.create(messages=[{"role": "user", "content": picture, "attachments": attached}])
    assert thread.tool_resources.to_dict() == code
    again = talk.threads.messages.create(thread.id, role="user", content="look", attachments=attached[:1])
    assert [attachment.to_dict() for attachment in again.attachments] == attached[:1]
    message = talk.threads.messages.list(thread.id).data[1]
    assert message.content[0].image_file.to_dict() == {"file_id": file, "detail": "auto"}
    assert [attachment.file_id for attachment in message.attachments] == [file] * 3
    assert talk.threads.retrieve(thread.id).tool_resources.to_dict() == code
    assert talk.client.files.delete(file).deleted
    empty = {"code_interpreter": {"file_ids": []}}
    assert talk.threads.retrieve(thread.id).tool_resources.to_dict() == empty
    assert talk.beta.assistants.retrieve(assistant.id).tool_resources.to_dict() == empty


def test_a_file_that_is_not_there_cannot_be_named(begin: Any) -> None:
    talk: Talk = begin()
    code: Any = {"code_interpreter": {"file_ids": ["file-x"]}}
    picture: Any = [{"type": "image_file", "image_file": {"file_id": "file-x"}}]
    thread = talk.threads.create()
    for call, place in (
        (
            lambda: talk.beta.assistants.create(model="m", tool_resources=code),
            "tool_resources.code_interpreter.file_ids[0]",
        ),
        (
            lambda: talk.beta.assistants.update(talk.assistant_id, tool_resources=code),
            "tool_resources.code_interpreter.file_ids[0]",
        ),
        (lambda: talk.threads.create(tool_resources=code), "tool_resources.code_interpreter.file_ids[0]"),
        (lambda: talk.threads.update(thread.id, tool_resources=code), "tool_resources.code_interpreter.file_ids[0]"),
        (
            lambda: talk.threads.messages.create(thread.id, role="user", content=picture),
            "content[0].image_file.file_id",
        ),
        (
            lambda: talk.threads.messages.create(
                thread.id, role="user", content="x", attachments=[{"file_id": "file-x"}]
            ),
            "attachments[0].file_id",
        ),
    ):
        with pytest.raises(NotFoundError, match="No such File object: file-x") as error:
            call()
        assert error.value.param == place


def test_projects_see_nothing_of_each_others_files(begin: Any) -> None:
    talk: Talk = begin()
    one, other = talk.engine.client(project="one", max_retries=0), talk.engine.client(project="two", max_retries=0)
    file = one.files.create(file=("a.png", b"secret"), purpose="vision").id
    upload = one.uploads.create(bytes=6, filename="a", mime_type="x", purpose="vision").id
    part = one.uploads.parts.create(upload, data=b"secret").id
    mine = other.uploads.create(bytes=6, filename="a", mime_type="x", purpose="vision").id
    thread = other.beta.threads.create().id
    code: Any = {"code_interpreter": {"file_ids": [file]}}
    attachments: Any = [{"file_id": file, "tools": [{"type": "code_interpreter"}]}]
    picture: Any = [{"type": "image_file", "image_file": {"file_id": file}}]
    message = other.beta.threads.messages.create
    for call in (
        lambda: other.files.retrieve(file),
        lambda: other.files.content(file),
        lambda: other.files.delete(file),
        lambda: other.uploads.complete(upload, part_ids=[part]),
        lambda: other.uploads.cancel(upload),
        lambda: other.uploads.parts.create(upload, data=b"x"),
        lambda: other.beta.assistants.create(model="m", tool_resources=code),
        lambda: other.beta.threads.create(tool_resources=code),
        lambda: other.beta.threads.create(messages=[{"role": "user", "content": picture}]),
        lambda: message(thread, role="user", content="x", attachments=attachments),
        lambda: message(thread, role="user", content=picture),
    ):
        with pytest.raises(NotFoundError):
            call()
    with pytest.raises(BadRequestError):
        other.uploads.complete(mine, part_ids=[part])
    with pytest.raises(BadRequestError):
        other.files.list(after=file)
    assert other.files.list().data == []
    same = other.files.create(file=("a.png", b"secret"), purpose="vision").id
    one.files.delete(file)
    assert other.files.content(same).read() == b"secret", "though the bytes are there once"


def test_a_file_is_deleted_once(begin: Any, tmp_path: Any) -> None:
    talk: Talk = begin(store=f"sqlite:///{tmp_path}/store.db")
    data = b"x" * 2_000_000
    for _ in range(5):
        file = talk.client.files.create(file=data, purpose="vision").id

        def read(file: str = file) -> Any:
            return talk.client.files.content(file).read()

        def delete(file: str = file) -> Any:
            return talk.client.files.delete(file)

        ends = raced(delete, read, delete, read, delete)
        assert len([end for end in ends if not isinstance(end, (str, bytes))]) == 1
        assert {end for end in ends if isinstance(end, bytes)} <= {data}, "whole, or not at all"
        assert {end[:3] for end in ends if isinstance(end, str)} == {"404"}


def test_no_file_in_a_form_and_no_form_at_all(begin: Any) -> None:
    talk: Talk = begin()
    for sent, status, text in (
        ({"json": {"purpose": "vision"}}, 400, "expected multipart/form-data"),
        ({"files": {"purpose": (None, "vision")}}, 400, "Missing required parameter: 'file'."),
        ({"files": {"file": ("a", b"x")}}, 400, "Missing required parameter: 'purpose'."),
        ({"files": {"file": ("a", b"x"), "purpose": (None, "fun")}}, 400, "Invalid value: 'fun'."),
        (
            {"files": {"file": ("a", b"x"), "purpose": (None, "vision"), "z": (None, "1")}},
            400,
            "Unknown parameter: 'z'.",
        ),
        ({}, 400, "expected multipart/form-data"),
    ):
        answer = talk.http.post("/v1/files", **sent)
        assert (answer.status_code, text in answer.json()["error"]["message"]) == (status, True), answer.text
    assert talk.client.files.list().data == []


class Zeros(io.RawIOBase):
    """So many bytes, none of them in memory."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        taken = self._left if size < 0 else min(size, self._left)
        self._left -= taken
        return bytes(taken)


@pytest.mark.slow
def test_the_largest_file(start: Any, tmp_path: Any) -> None:
    talk: Talk = start(store=f"sqlite:///{tmp_path}/store.db")
    assert talk.client.files.create(file=("a", Zeros(2**29)), purpose="vision").bytes == 2**29
    with pytest.raises(APIStatusError) as error:
        talk.client.files.create(file=("a", Zeros(2**29 + 1)), purpose="vision")
    assert error.value.status_code == 413
    [made] = talk.client.files.list().data
    assert len(talk.client.files.content(made.id).read()) == 2**29
