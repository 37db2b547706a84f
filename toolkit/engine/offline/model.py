"""The offline model as a stream of deltas, behind the Model seam."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any, Final

from toolkit.engine.jsontext import clean, dump
from toolkit.engine.model import CallBegan, CallPiece, Delta, Ended, ModelCall, ModelRequest, Text, Usage
from toolkit.engine.offline.replying import Reply, reply_to

__all__ = ["Offline"]

_BYTES_PER_TOKEN: Final = 4
_PIECE = re.compile(r"\s*\S+\s*")


class Offline:
    """A small deterministic model that needs no key and no network, and is not a language model.

    It matches a request to tools by their words, fills arguments from the text by schema, asks for what is missing, and
    answers from the tools' outputs. `today` is the only thing it knows of the world, for dates such as `tomorrow`.
    """

    def __init__(self, today: Callable[[], date] = date.today) -> None:
        self._today = today

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        """Stream one completion, a few characters at a time, without delay. Raises ModelError."""
        reply = reply_to(request, self._today)
        most: int | None = request.options.get("max_completion_tokens", request.options.get("max_tokens"))
        ended = _ended(request, reply, most)
        for delta in _deltas(ended, _within(reply.text, most)):
            yield delta
            await asyncio.sleep(0)  # others pass it on meanwhile
        yield ended

    async def names(self) -> Sequence[str]:
        """Give its own name."""
        return ["offline"]

    async def aclose(self) -> None:
        """Do nothing: there is nothing to close."""


def _ended(request: ModelRequest, reply: Reply, most: int | None) -> Ended:
    calls = tuple(
        ModelCall(_call_id(request, index, name, arguments), name, arguments)
        for index, (name, arguments) in enumerate(reply.calls)
    )
    text = _within(reply.text, most)
    size = sum(len(call.name) + _bytes(call.arguments) for call in calls) if calls else _bytes(text)
    prompt = sum(_bytes(message) for message in request.messages) + _bytes(request.tools or "")
    if calls and most is not None and _tokens(size) > most:
        calls, size = (), most * _BYTES_PER_TOKEN
    usage = Usage(_tokens(prompt), _tokens(size))
    cut = text != reply.text or (bool(reply.calls) and not calls)
    return Ended("length" if cut else "stop", calls, _message(text, calls), usage)


def _deltas(ended: Ended, text: str) -> Sequence[Delta]:
    pieces: list[Delta] = []
    for index, call in enumerate(ended.calls):
        pieces.append(CallBegan(index, call.id, call.name))
        pieces += [CallPiece(index, call.arguments[at : at + 16]) for at in range(0, len(call.arguments), 16)]
    if not ended.calls:
        pieces += [Text(piece) for piece in _PIECE.findall(text)]
    return pieces


def _message(text: str, calls: Sequence[ModelCall]) -> str:
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    return clean(dump(message))


def _call_id(request: ModelRequest, index: int, name: str, arguments: str) -> str:
    """Make an id that is the same for the same conversation, and another one for its next turn."""
    seed = f"{len(request.messages)}|{request.messages[-1]}|{index}|{name}|{arguments}" if request.messages else name
    return f"call_{blake2b(seed.encode(errors='replace'), digest_size=12).hexdigest()}"


def _within(text: str, most: int | None) -> str:
    """Cut a text at a word's end so that it is at most so many tokens."""
    if most is None or _tokens(_bytes(text)) <= most:
        return text
    return text.encode()[: most * _BYTES_PER_TOKEN].decode(errors="ignore").rpartition(" ")[0]


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def _tokens(size: int) -> int:
    return -(-size // _BYTES_PER_TOKEN)
