"""What a tool of an MCP server answers becomes what the model is told.

Texts and texts of resources are told as they are, structured content as JSON unless the texts say the same. Pictures
stand beside the text; sound and other bytes are named with their type and size.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from toolkit.errors import ToolError
from toolkit.tools.attachments import Image

if TYPE_CHECKING:
    from mcp.types import CallToolResult, ContentBlock

__all__ = ["short", "told"]

SHORT = 2_000
"""Characters of an error that the model is told: no server's traceback is worth more."""


def told(result: CallToolResult) -> str | list[str | Image]:
    """Give what an answer tells: a text, or texts and pictures. Raises ToolError for one that says that it failed."""
    parts = [_part(block) for block in result.content]
    texts = [part for part in parts if isinstance(part, str)]
    if result.is_error:
        raise ToolError(short("\n".join(texts)) or "The tool failed, and its server does not say why.")
    structured = result.structured_content
    if structured is not None and not _says(texts, structured):
        parts.append(json.dumps(structured, ensure_ascii=False, separators=(",", ":")))
    return parts if len(texts) < len(result.content) else "\n".join(str(part) for part in parts)


def short(text: str) -> str:
    """Cut an error's text."""
    return text if len(text) <= SHORT else f"{text[:SHORT]}..."


def _part(block: ContentBlock) -> str | Image:
    if block.type == "text":
        return block.text
    if block.type == "resource_link":
        described = f": {block.description}" if block.description else ""
        return f"[{block.title or block.name}, {block.uri}{described}]"
    if block.type == "resource":
        held = block.resource
        blob = getattr(held, "blob", None)  # without importing the classes, which takes a second
        kind = held.mime_type or "bytes"
        return str(getattr(held, "text", "")) if blob is None else _bytes(f"{held.uri}, {kind}", str(blob))
    if block.type == "image":
        try:
            return Image(b64decode(block.data), block.mime_type)
        except ValueError:
            return f"[{block.mime_type}: not readable]"
    return _bytes(block.mime_type, block.data)


def _bytes(what: str, base64: str) -> str:
    return f"[{what}, {len(base64) * 3 // 4 - base64[-2:].count('=')} bytes: cannot be shown as text]"


def _says(texts: Sequence[str], structured: Any) -> bool:
    """Tell whether the texts say what the structured content does, as servers are asked to have it.

    A value that is no object is wrapped: `{"result": value}`; a list may have a text for each item.
    """
    values = list(_values(texts))
    wrapped = cast("dict[str, Any]", structured) if isinstance(structured, dict) else {}
    if wrapped.keys() == {"result"}:
        inner = wrapped["result"]
        if values == inner or values == [inner] or list(texts) in (inner, [inner]):
            return True
    return values == [structured]


def _values(texts: Sequence[str]) -> Iterator[Any]:
    for text in texts:
        try:
            yield json.loads(text)
        except ValueError:
            yield text
