"""Answers from behind the wall, read without being believed: what is none is an error, or nothing. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from toolkit.sandbox.sandbox import Failure, FileChanged, Image, Limits, Output, Result

__all__ = ["head_of", "output_of"]


def head_of(line: bytes) -> dict[str, Any]:
    """Read the head of an answer. Raises ValueError when it is none."""
    said: Any = json.loads(line)
    if not isinstance(said, dict):
        raise ValueError
    head: dict[str, Any] = said  # pyright: ignore[reportUnknownVariableType] - any JSON
    kind, mark, call, size = (head.get(name) for name in ("kind", "mark", "call", "size"))
    if not isinstance(kind, str) or not isinstance(mark, str) or type(call) is not int or type(size) is not int:
        raise ValueError
    if size < 0:
        raise ValueError
    return head


def output_of(head: Mapping[str, Any], body: bytes, limits: Limits) -> Output | None:
    """Make an output of an answer; None of what is none."""
    match head["kind"]:
        case "result":
            return Result(body[: limits.output_bytes].decode("utf-8", "replace"))
        case "failure":
            return Failure(body[: limits.output_bytes].decode("utf-8", "replace"))
        case "image" if body.startswith(b"\x89PNG\r\n\x1a\n") and len(body) <= limits.picture_bytes:
            return Image(body)
        case "changed" if isinstance(head.get("path"), str) and type(head.get("bytes")) is int:
            return FileChanged(head["path"], head["bytes"])
        case _:
            return None
