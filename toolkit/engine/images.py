"""Images that are files here, put into the request to a model as data URLs.

Threads keep the file's id alone. A file that is gone, too large or no image is told to the model in words: programs
delete files when they like, and a run is not to fail for it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from toolkit.engine.jsontext import dump
from toolkit.engine.model import ModelRequest
from toolkit.engine.objects.messages import IMAGE_FILE

__all__ = ["MOST_BYTES", "shown"]

_MARK: Final = f'"{IMAGE_FILE}'
"""Stands in the text of a chat message that has an image file, and hardly ever in another."""
MOST_BYTES: Final = 20 * 2**20
"""Of an image."""
_MOST_TOGETHER: Final = 64 * 2**20
"""Of all images of a request; the newest come first."""
_BEGINNINGS: Final[Mapping[bytes, str]] = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}

Read = Callable[[str, int], Awaitable[bytes | None]]
"""Reads the bytes of a file by its id; None when it is not there, or has more bytes than that."""


async def shown(request: ModelRequest, read: Read) -> ModelRequest:
    """Give a request with its image files in it."""
    if not any(_MARK in chat for chat in request.messages):
        return request
    messages = list(request.messages)
    left = _MOST_TOGETHER
    for place in range(len(messages) - 1, -1, -1):
        if _MARK in messages[place]:
            messages[place], taken = await _with_images(messages[place], read, left)
            left -= taken
    return replace(request, messages=messages)


async def _with_images(chat: str, read: Read, most: int) -> tuple[str, int]:
    """Give a chat message with its images, and how many bytes they have."""
    message: dict[str, Any] = json.loads(chat)
    taken = 0
    parts: list[Any] = []
    content: Any = message.get("content")
    if content is None or isinstance(content, str):
        return chat, 0
    for part in content:
        url: str = part["image_url"]["url"] if part["type"] == "image_url" else ""
        if not url.startswith(IMAGE_FILE):
            parts.append(part)
            continue
        file_id = url.removeprefix(IMAGE_FILE)
        data = await read(file_id, min(MOST_BYTES, most - taken))
        parts.append(_part(part, file_id, data))
        taken += len(data or b"")
    return dump({**message, "content": parts}), taken


def _part(part: Mapping[str, Any], file_id: str, data: bytes | None) -> dict[str, Any]:
    kind = None if data is None else _type(data)
    if data is None or kind is None:
        why = "is not there any more, or too large" if data is None else "is no PNG, JPEG, GIF or WebP image"
        return {"type": "text", "text": f"[The image {file_id} {why}.]"}
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {**part["image_url"], "url": url}}


def _type(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in _BEGINNINGS.items() if data.startswith(beginning)), None)
