"""Images and files that a tool returns, alone or in a list with text: `return ["The plot:", Image(png)]`.

What a model is shown of them depends on the API that its run lives on. Some take them as the output of a function; for
the others there is a text that says that there was one, that it cannot be seen, and by which id or address it can be
referred to.
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
    file_id: str = ""
    """The file at the service that it is, in place of the bytes, or beside them once they were uploaded."""

    def __post_init__(self) -> None:
        _must_be_text("Image", media_type=self.media_type, url=self.url, file_id=self.file_id)
        if not _is_bytes(self.data) or bool(self.data or self.file_id) == bool(self.url):
            raise DefinitionError("Image() takes data=, the bytes, or url=, or file_id= of a file at the service")


@dataclass(frozen=True, slots=True)
class File:
    """A file, such as a PDF: its bytes and its name, or where it is. Raises DefinitionError without either."""

    data: bytes = field(default=b"", repr=False)
    name: str = ""
    media_type: str = "application/octet-stream"
    file_id: str = ""
    """The file at the service that it is, in place of the bytes, or beside them once they were uploaded."""

    def __post_init__(self) -> None:
        _must_be_text("File", name=self.name, media_type=self.media_type, file_id=self.file_id)
        if not _is_bytes(self.data) or not (self.name or self.file_id):
            raise DefinitionError("File() takes data=, the bytes, and name=, or file_id= of a file at the service")


Attachment = Image | File
Part = str | Attachment


def has_attachments(value: object) -> TypeGuard[Attachment | list[object] | tuple[object, ...]]:
    """Whether what a tool returned is an attachment, or a list with one."""
    if isinstance(value, list | tuple):
        return any(isinstance(one, Attachment) for one in cast("list[object]", value))
    return isinstance(value, Attachment)


def written_part(part: Part) -> Mapping[str, Any]:
    """A part as the Responses API has it, in JSON: by its file's id where there is nothing else."""
    if isinstance(part, str):
        return {"type": "input_text", "text": part}
    if part.file_id and not part.data:
        return {"type": f"input_{'file' if isinstance(part, File) else 'image'}", "file_id": part.file_id}
    if isinstance(part, File):
        return {"type": "input_file", "filename": part.name, "file_data": _inline(part)}
    return {"type": "input_image", "image_url": part.url or _inline(part)}


def read_part(said: Mapping[str, Any]) -> Part:
    """Read a part that was written."""
    match said["type"]:
        case "input_text":
            text: str = said["text"]
            return text
        case "input_file" if "file_id" in said:
            return File(file_id=said["file_id"])
        case "input_image" if "file_id" in said:
            return Image(file_id=said["file_id"])
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
    """What a model is told in place of an attachment that it cannot be shown, and where that is, if anybody knows.

    Such as `[An image, file-abc (image/png, 7 bytes). Functions can only answer with text here: you cannot see it, but
    you can refer to it.]`; the place comes right before the parenthesis.
    """
    size = f", {len(attachment.data)} bytes" if attachment.data else ""
    what = ["An image"] if isinstance(attachment, Image) else ["A file", attachment.name]
    place = attachment.file_id or (attachment.url if isinstance(attachment, Image) else "")
    if place.startswith("data:"):  # all of its bytes
        place = ""
    but = ", but you can refer to it" if place else ""
    where = ", ".join(one for one in (*what, place) if one)
    return (
        f"[{where} ({attachment.media_type}{size}). Functions can only answer with text here: you cannot see it{but}.]"
    )


def _is_bytes(data: object) -> bool:
    """Whether these are bytes: what is not would only be found out when it is sent, and end the run."""
    return isinstance(data, bytes)


def _must_be_text(kind: str, **given: object) -> None:
    """Raise DefinitionError for what is no text, such as a Path or None, before it is sent: it would end the run."""
    for name, value in given.items():
        if not isinstance(value, str):
            raise DefinitionError(f"{kind}() takes text as {name}=, not {value!r:.80}")


def _inline(attachment: Attachment) -> str:
    return f"data:{attachment.media_type};base64,{base64.b64encode(attachment.data).decode()}"


def _read(inline: str) -> tuple[str, bytes]:
    head, _, data = inline.partition(";base64,")
    return head.removeprefix("data:"), base64.b64decode(data)
