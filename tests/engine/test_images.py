"""Images that are files reach the model as data URLs."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.engine.scripted import Scripted, answer
from toolkit.engine import Engine
from toolkit.engine.images import MOST_BYTES, shown
from toolkit.engine.model import ModelRequest

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100
WEBP = b"RIFF\0\0\0\0WEBPVP8 "


def data_url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def image(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def put_in(files: Mapping[str, bytes], *messages: Any) -> list[Any]:
    async def read(file_id: str, most: int) -> bytes | None:
        data = files.get(file_id)
        return data if data is not None and len(data) <= most else None

    texts = [json.dumps(message, separators=(",", ":")) for message in messages]
    request = ModelRequest(model="m", messages=texts, tools=None, options={}, timeout_s=1, taken=frozenset())
    done = asyncio.run(shown(request, read))
    return [json.loads(text) for text in done.messages]


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


@pytest.mark.parametrize(("kind", "data"), [("png", PNG), ("jpeg", JPEG), ("gif", b"GIF89a.."), ("webp", WEBP)])
def test_an_image_is_put_in_with_the_type_that_its_bytes_tell(kind: str, data: bytes) -> None:
    [message] = put_in(
        {"file-a": data}, user({"type": "text", "text": "look"}, image("image-file:file-a", detail="low"))
    )
    assert message == user({"type": "text", "text": "look"}, image(data_url(kind, data), detail="low"))


def test_what_is_no_image_file_is_left_alone() -> None:
    messages = [
        {"role": "user", "content": 'say "image-file:file-a"'},
        {"role": "user", "content": '"image-file:file-a'},
        user(image("https://example.com/a.png"), {"type": "text", "text": '"image-file:file-a'}),
        {"role": "assistant", "content": None, "tool_calls": ['"image-file:file-a']},
        {"role": "assistant", "tool_calls": [{"function": {"arguments": '{"url":"image-file:file-a"}'}}]},
    ]
    assert put_in({"file-a": PNG}, *messages) == messages


def test_what_cannot_be_shown_is_told() -> None:
    files = {"file-text": b"no image", "file-large": PNG + b"x" * MOST_BYTES}
    [message] = put_in(files, user(*(image(f"image-file:{name}") for name in ("file-gone", "file-large", "file-text"))))
    assert [part["text"] for part in message["content"]] == [
        "[The image file-gone is not there any more, or too large.]",
        "[The image file-large is not there any more, or too large.]",
        "[The image file-text is no PNG, JPEG, GIF or WebP image.]",
    ]


def test_the_newest_come_first_where_there_are_too_many() -> None:
    large = PNG + b"x" * (MOST_BYTES - len(PNG))
    messages = put_in({"file-a": large}, *[user(image("image-file:file-a"))] * 5)
    assert [message["content"][0]["type"] for message in messages] == ["text", "text", *["image_url"] * 3]


def test_a_model_sees_the_image_files_of_a_thread() -> None:
    model = Scripted([answer("A cat."), answer("Nothing.")])
    with Engine("sqlite:///:memory:", model=model) as engine:
        client = engine.client()
        file = client.files.create(file=("cat.png", PNG), purpose="vision")
        content: Any = [
            {"type": "text", "text": "What is it?"},
            {"type": "image_file", "image_file": {"file_id": file.id, "detail": "high"}},
        ]
        thread: Any = {"messages": [{"role": "user", "content": content}]}
        assistant = client.beta.assistants.create(model="m")
        run = client.beta.threads.create_and_run_poll(assistant_id=assistant.id, thread=thread)
        [_, asked] = client.beta.threads.messages.list(run.thread_id).data
        assert [part.to_dict() for part in asked.content][1] == content[1]
        client.files.delete(file.id)
        client.beta.threads.runs.create_and_poll(thread_id=run.thread_id, assistant_id=assistant.id)
    first, second = (json.loads(request.messages[0])["content"] for request in model.requests)
    assert first == [{"type": "text", "text": "What is it?"}, image(data_url("png", PNG), detail="high")]
    assert second[1]["type"] == "text"
