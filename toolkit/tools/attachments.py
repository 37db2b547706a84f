"""Images and files that a tool returns, alone or in a list with text: `return ["The plot:", Image(png)]`.

What a model is shown of them depends on the API that its run lives on. Some take them as the output of a function; for
the others there is a text that says that there was one, and that it cannot be seen.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard, cast

from toolkit.errors import DefinitionError

__all__ = ["Attachment", "File", "Image", "Part", "has_attachments", "read_part", "said_of", "written_part"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its bytes, or where it is. Raises DefinitionError unless it is one of the two."""

    data: bytes = field(default=b"", repr=False)
    media_type: str = "image/png"
    url: str = ""
    """An address that the service can read, in place of the bytes."""

    def __post_init__(self) -> None:
        if bool(self.data) == bool(self.url):
            raise DefinitionError("Image() takes data=, the bytes, or url=")


@dataclass(frozen=True, slots=True)
class File:
    """A file, such as a PDF: its bytes and its name."""

    data: bytes = field(repr=False)
    name: str
    media_type: str = "application/octet-stream"


Attachment = Image | File
Part = str | Attachment


def has_attachments(value: object) -> TypeGuard[Attachment | list[object] | tuple[object, ...]]:
    """Whether what a tool returned is an attachment, or a list with one."""
    if isinstance(value, list | tuple):
        return any(isinstance(one, Attachment) for one in cast("list[object]", value))
    return isinstance(value, Attachment)


def written_part(part: Part) -> Mapping[str, Any]:
    """A part as the Responses API has it, in JSON."""
    if isinstance(part, str):
        return {"type": "input_text", "text": part}
    if isinstance(part, File):
        return {"type": "input_file", "filename": part.name, "file_data": _inline(part)}
    return {"type": "input_image", "image_url": part.url or _inline(part)}


def read_part(said: Mapping[str, Any]) -> Part:
    """Read a part that was written."""
    match said["type"]:
        case "input_text":
            text: str = said["text"]
            return text
        case "input_file":
            media_type, data = _read(said["file_data"])
            return File(data, said["filename"], media_type)
        case _:
            url: str = said["image_url"]
            if not url.startswith("data:"):
                return Image(url=url)
            media_type, data = _read(url)
            return Image(data, media_type)


def said_of(attachment: Attachment) -> str:
    """What a model is told in place of an attachment that it cannot be shown."""
    size = f", {len(attachment.data)} bytes" if attachment.data else ""
    what = f"A file, {attachment.name}" if isinstance(attachment, File) else "An image"
    return f"[{what} ({attachment.media_type}{size}). Functions can only answer with text here: you cannot see it.]"


def _inline(attachment: Attachment) -> str:
    return f"data:{attachment.media_type};base64,{base64.b64encode(attachment.data).decode()}"


def _read(inline: str) -> tuple[str, bytes]:
    head, _, data = inline.partition(";base64,")
    return head.removeprefix("data:"), base64.b64decode(data)
