"""Servers of the hosted APIs, on a loopback port: they play a script and fail where they are told to.

No hosted service is reached by the tests. What stands for them here answers with objects and streams that are built by
the official client's own types, and holds every request against the types of the client's own parameters.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import openai
import pytest
from pydantic import BaseModel, TypeAdapter

their_options = pytest.mark.skipif(
    not openai.__version__.startswith("3.57."), reason="options are those of openai 3.57"
)
"""On tests that compare our options with the client's: other versions have fewer or more."""

Json = dict[str, Any]
Events = Sequence[tuple[str, Json]]
"""A stream: names of events ('' for none) and their data."""


class Refused(Exception):
    """What a server refuses: status, and the text of the error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass
class Request:
    method: str
    path: str
    body: Json | None
    headers: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path.partition('?')[0].removeprefix('/v1')}"


@dataclass
class Served:
    """What is common to the servers; each says in `do` what a request does.

    faults: what goes wrong at the first, second, ... POST: `500` or any status (not done), `drop` (no answer, not
    done), `drop-done`, `cut:N` (the stream ends after N events), `broken:N` (its N-th event is no JSON), `error:N` (an
    event that says so after N), `hang` (a stream that says nothing behind its first event). Empty for nothing.
    """

    faults: list[str] = field(default_factory=list[str])
    requests: list[Request] = field(default_factory=list[Request])
    ends_with: str = "[DONE]"
    """The last data of a stream; empty for none."""

    def do(self, request: Request) -> BaseModel | Json | Events | asyncio.Queue[tuple[str, Json] | None] | None:
        raise NotImplementedError

    def bodies(self, name: str) -> list[Json]:
        return [one.body or {} for one in self.requests if one.name == name]

    def names(self) -> list[str]:
        return [one.name for one in self.requests]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(method, target, json.loads(raw) if raw else None, headers)
        self.requests.append(request)
        fault = self.faults.pop(0) if self.faults and method == "POST" else ""
        if fault == "drop":
            return False
        if fault.isdigit():
            return _send(writer, int(fault), {"error": {"message": "no", "type": "server_error"}})
        try:
            answer = self.do(request)
        except Refused as refused:
            return _send(writer, refused.status, {"error": {"message": refused.text, "type": "invalid_request_error"}})
        except Exception as wrong:  # above all, what the client's types do not allow
            return _send(writer, 400, {"error": {"message": f"This is not what the API has: {wrong!r}"}})
        if fault == "drop-done":
            return False
        if answer is None:
            return _send(writer, 200, {})
        if isinstance(answer, BaseModel):
            return _send(writer, 200, dumped(answer))
        if isinstance(answer, dict):
            return _send(writer, 200, answer)
        if isinstance(answer, asyncio.Queue):
            return await self._live(reader, writer, answer)
        return await self._stream(writer, answer, fault)

    async def _live(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        events: asyncio.Queue[tuple[str, Json] | None],
    ) -> bool:
        """Stream what happens until there is None; cut then, as a connection that breaks."""
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        await writer.drain()
        while not reader.at_eof():  # until the client has gone
            try:
                event = await asyncio.wait_for(events.get(), 0.05)
            except TimeoutError:
                continue
            if event is None:
                break
            _event(writer, event[0], json.dumps(event[1]))
            await writer.drain()
        return False

    async def _stream(self, writer: asyncio.StreamWriter, events: Events, fault: str) -> bool:
        kind, _, number = fault.partition(":")
        at = int(number) if number else -1
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for place, (name, data) in enumerate(events):
            if place == at and kind == "cut":
                await writer.drain()
                return False
            if place == at and kind == "error":
                _event(
                    writer, "error" if name else "", json.dumps({"error": {"message": "overloaded", "code": "busy"}})
                )
            _event(writer, name, "{" if place == at and kind == "broken" else json.dumps(data))
            if kind == "hang":
                await writer.drain()
                await asyncio.sleep(60)
        if self.ends_with:
            _event(writer, "", self.ends_with)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _send(writer: asyncio.StreamWriter, status: int, body: Json) -> bool:
    data = json.dumps(body).encode()
    wait = "retry-after-ms: 5\r\n" if status in (429, 500, 503) else ""
    wait += f"date: {formatdate(usegmt=True)}\r\n"
    head = f"HTTP/1.1 {status} X\r\n{wait}content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    return True


def _event(writer: asyncio.StreamWriter, name: str, data: str) -> None:
    text = (f"event: {name}\n" if name else "") + f"data: {data}\n\n"
    writer.write(f"{len(text.encode()):x}\r\n{text}\r\n".encode())


def dumped(model: BaseModel) -> Json:
    """An object of the client's, as a server would have sent it."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def fits(adapters: Iterable[TypeAdapter[Any]], body: Json) -> None:
    """Hold a request body against the client's own types of parameters (unions of typed dictionaries).

    Unknown fields are none of theirs, so they are looked for here; iterables are checked as they are written out.
    """
    problems = []
    for adapter in adapters:
        try:
            written = adapter.dump_python(adapter.validate_python(body), mode="json", warnings="error")
        except ValueError as error:
            problems.append(str(error))
            continue
        assert written.keys() == body.keys(), f"unknown fields: {body.keys() - written.keys()}"
        return
    raise AssertionError("\n".join(problems))
