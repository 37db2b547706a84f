"""Messages: what may be sent, what a message looks like, how it is read, listed, changed and deleted.

A message of a client is appended to its thread by `threads.append`; those that runs write are in `answers.py`. Beside
the API's object, each message is kept once more as the chat message that models read (table `item`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.jsontext import dump
from toolkit.engine.objects.fields import SHAPE, Metadata, Request, by_type, refuse_field
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.paging import PageQuery, bury, page
from toolkit.engine.objects.resources import Attached, Attachments, attached, image
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = [
    "IMAGE_FILE",
    "CreateMessage",
    "ListMessages",
    "Messages",
    "ModifyMessage",
    "chat_content",
    "delete",
    "get",
    "insert",
    "list_",
    "modify",
]

IMAGE_FILE: Final = "image-file:"
"""Begins the URL of an image that is a file here, in chat messages as they are kept; its bytes are put in when a model
is asked (`engine/images.py`)."""

_Text = Annotated[str, Field(max_length=256_000)]

_MOST_PARTS: Final = 1000
"""The API names no limit; without one a single message could keep the store's one writer for ten seconds."""
_MOST_MESSAGES: Final = 10_000
"""In one request, for the same reason."""


@with_config(SHAPE)
class _TextPart(TypedDict):
    type: Literal["text"]
    text: _Text


@with_config(SHAPE)
class _ImageUrl(TypedDict):
    url: Annotated[str, Field(min_length=1)]
    detail: NotRequired[Literal["auto", "low", "high"] | None]


@with_config(SHAPE)
class _ImageUrlPart(TypedDict):
    type: Literal["image_url"]
    image_url: _ImageUrl


@with_config(SHAPE)
class _ImageFile(TypedDict):
    file_id: str
    detail: NotRequired[Literal["auto", "low", "high"] | None]


@with_config(SHAPE)
class _ImageFilePart(TypedDict):
    type: Literal["image_file"]
    image_file: _ImageFile


_Part = Annotated[
    Annotated[_TextPart, Tag("#text")]
    | Annotated[_ImageUrlPart, Tag("#image_url")]
    | Annotated[_ImageFilePart, Tag("#image_file")],
    Discriminator(by_type),
]


def _says_something(content: str | Sequence[Mapping[str, Any]]) -> str | Sequence[Mapping[str, Any]]:
    if not content or all(not isinstance(part, str) and part.get("text") == "" for part in content):
        raise refuse_field("Message content must be non-empty.")
    return content


_Content = Annotated[
    Annotated[_Text, Tag("#string")]
    | Annotated[list[_Part], Field(min_length=1, max_length=_MOST_PARTS), Tag("#array")],
    Discriminator(by_type),
    AfterValidator(_says_something),
]


class CreateMessage(Request):
    """The body of `POST /threads/{thread_id}/messages`, and a message of a new thread or run."""

    role: Literal["user", "assistant"]
    content: _Content
    attachments: Attachments | None = None
    metadata: Metadata | None = None


Messages = Annotated[list[CreateMessage], Field(max_length=_MOST_MESSAGES)]
"""Messages that come with a new thread or run."""


class ModifyMessage(Request):
    """The body of `POST /threads/{thread_id}/messages/{message_id}`; null clears."""

    metadata: Metadata | None = None


class ListMessages(PageQuery):
    """The query of `GET /threads/{thread_id}/messages`."""

    run_id: str | None = None


def insert(tx: Tx, project: str, thread_id: str, request: CreateMessage, created_at: int) -> tuple[str, Attached]:
    """Store a message of a client as the newest of its thread; gives it, and the files it brings along.

    Raises Refused for a file that is not there.
    """
    attachments, files = attached(tx, project, request.attachments or [], created_at)
    message: dict[str, Any] = {
        "id": new_id("msg"),
        "object": "thread.message",
        "created_at": created_at,
        "assistant_id": None,
        "thread_id": thread_id,
        "run_id": None,
        "status": "completed",
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": created_at,
        "role": request.role,
        "content": _content(tx, project, request.content, created_at),
        "attachments": attachments,
        "metadata": request.metadata or {},
    }
    body = dump(message)
    chat = dump({"role": request.role, "content": chat_content(message["content"])})
    tx.run("message.insert", id=message["id"], project=project, thread=thread_id, created_at=created_at, body=body)
    tx.run("message.add_item", thread=thread_id, message=message["id"], size=len(chat.encode()), chat=chat)
    return body, files


def get(tx: Tx, project: str, thread_id: str, message_id: str) -> str:
    """Read a message. Raises Refused (404)."""
    body: str = _row(tx, project, thread_id, message_id)["body"]
    return body


def modify(tx: Tx, project: str, thread_id: str, message_id: str, request: ModifyMessage) -> str:
    """Replace the metadata; nothing else of a message ever changes. Raises Refused (404)."""
    body = get(tx, project, thread_id, message_id)
    if "metadata" not in request.model_fields_set:
        return body
    body = dump({**json.loads(body), "metadata": request.metadata or {}})
    tx.run("message.save", id=message_id, body=body)
    return body


def list_(tx: Tx, project: str, thread_id: str, query: ListMessages) -> str:
    """Read a page of a thread's messages, newest first unless asked otherwise. Raises Refused."""
    _refuse_unknown_thread(tx, project, thread_id)
    if query.run_id:
        return page(tx, "message.of_run", query, project=project, thread=thread_id, run=query.run_id)
    return page(tx, "message.page", query, project=project, thread=thread_id)


def delete(tx: Tx, project: str, thread_id: str, message_id: str) -> str:
    """Delete a message; no model reads it any more. Tool calls made along with it stay. Raises Refused (404)."""
    row = _row(tx, project, thread_id, message_id)
    for item in tx.all("message.items", id=message_id):
        if item["turn"] is None:
            tx.run("message.delete_item", seq=item["seq"])
            continue
        chat = dump({**json.loads(item["chat"]), "content": None})
        tx.run("message.save_item", seq=item["seq"], size=len(chat.encode()), chat=chat)
    tx.run("message.delete", id=message_id)
    tx.run("message.one_less", thread=thread_id)
    bury(tx, project, row)
    return dump({"id": message_id, "object": "thread.message.deleted", "deleted": True})


def _row(tx: Tx, project: str, thread_id: str, message_id: str) -> Row:
    row = tx.one("message.get", id=message_id, thread=thread_id, project=project)
    if row is None:
        _refuse_unknown_thread(tx, project, thread_id)
        raise Refused(f"No message found with id '{message_id}'.", status=404)
    return row


def _refuse_unknown_thread(tx: Tx, project: str, thread_id: str) -> None:
    if tx.one("message.thread", id=thread_id, project=project) is None:
        raise Refused(f"No thread found with id '{thread_id}'.", status=404)


def _content(tx: Tx, project: str, content: str | Sequence[Mapping[str, Any]], now: int) -> list[dict[str, Any]]:
    """Give the content of the API's message object. Raises Refused for an image file that is not there."""
    if isinstance(content, str):
        return [_text(content)]
    parts: list[dict[str, Any]] = []
    for position, part in enumerate(content):
        match part["type"]:
            case "text":
                parts.append(_text(part["text"]))
            case "image_url":
                parts.append({"type": "image_url", "image_url": _image(part, "url")})
            case _:
                file_id = part["image_file"]["file_id"]
                image(tx, project, file_id, now, f"content[{position}].image_file.file_id")
                parts.append({"type": "image_file", "image_file": _image(part, "file_id")})
    return parts


def _text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": []}}


def _image(part: Mapping[str, Any], name: str) -> dict[str, Any]:
    given = part[part["type"]]
    return {name: given[name], "detail": given.get("detail") or "auto"}


def chat_content(content: Sequence[Mapping[str, Any]]) -> str | list[dict[str, Any]]:
    """Give the content of the chat message, of that of a message object: one string where there is only text.

    Every model server takes a string.
    """
    if all(part["type"] == "text" for part in content):
        return "\n\n".join(part["text"]["value"] for part in content)
    return [_chat_part(part) for part in content]


def _chat_part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]["value"]}
    if part["type"] == "image_url":
        return {"type": "image_url", "image_url": _image(part, "url")}
    shown = _image(part, "file_id")
    return {"type": "image_url", "image_url": {"url": f"{IMAGE_FILE}{shown['file_id']}", "detail": shown["detail"]}}
