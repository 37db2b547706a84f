"""The bodies of requests. Where each repeats a conversation that grows, only what is new is written as JSON.

The client would write all of it for every turn: at 160 messages that is a third of what a turn costs, and it grows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import is_
from typing import Any, cast

from openai import AsyncOpenAI, OpenAI

from toolkit.runs.effects import Json, Request

__all__ = ["Bodies"]


class Bodies:
    """Writes the bodies of one run, one after another, and keeps the lists in them for the next."""

    def __init__(self) -> None:
        self._lists: dict[str, _Written] = {}

    def said(self, client: OpenAI | AsyncOpenAI, request: Request) -> dict[str, Any]:
        """Say a body to a client. Ready bytes only where the server keeps no run, and the client is the plain one.

        Others look into bodies: that of Azure finds its deployment by the model.
        """
        if request.run is None or request.body is None or type(client) not in (OpenAI, AsyncOpenAI):
            return {"body": request.body}
        return {"content": self.write(request.body)}

    def write(self, body: Json) -> bytes:
        """Write a body, as the client would. Raises ValueError for NaN and the infinities."""
        members = [b"%b:%b" % (_json(name), self._value(name, value)) for name, value in body.items()]
        return b"{%b}" % b",".join(members)

    def _value(self, name: str, value: object) -> bytes:
        if not isinstance(value, list):
            return _json(value)
        items, written = cast("list[object]", value), self._lists.get(name)
        if written is None or not written.begins(items):
            written = self._lists[name] = _Written()
        return written.grown(items)


class _Written:
    """A list, and its JSON without the last bracket. What is in a list is never changed, so that `is` tells."""

    def __init__(self) -> None:
        self._items: list[object] = []
        self._text = bytearray(b"[")

    def begins(self, items: Sequence[object]) -> bool:
        """Whether a list is this one, or goes on from it."""
        return len(self._items) <= len(items) and all(map(is_, self._items, items))

    def grown(self, items: Sequence[object]) -> bytes:
        """Add what is behind this list in one that it begins, and give its JSON."""
        for item in items[len(self._items) :]:
            self._text += b"," if self._items else b""
            self._text += _json(item)
            self._items.append(item)
        return bytes(self._text) + b"]"


def _json(value: object) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:  # half of a character, which models write at times: UTF-8 cannot say it, an escape can
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
