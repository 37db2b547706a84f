"""A raw HTTP server of a test's own: it writes exactly the bytes it is told to, cut exactly where it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from toolkit.engine.endpoint import Endpoint

__all__ = ["Answering", "Asked", "Said", "Server", "event", "refusal", "serving"]


@dataclass
class Asked:
    """A request as it came in."""

    line: str
    headers: dict[str, str]
    raw: bytes
    names: Sequence[str] = ()
    """Of the headers, in lower case, as often as they came."""

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


@dataclass
class Said:
    """An answer; `pieces` are sent one by one, and None leaves the connection open in silence."""

    pieces: Sequence[bytes | None]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: str = "chunked"
    """chunked, length (content-length), close (until the connection closes), or reset (it breaks after the pieces)."""
    pause_s: float = 0
    """Between two pieces."""


Answering = Callable[[Asked], Said | Awaitable[Said]]


class Server:
    """Remembers what it was asked. `listing` is what GET /models answers, apart from the completions."""

    def __init__(self, answering: Answering | Sequence[Said], listing: Said | None = None) -> None:
        self.asked: list[Asked] = []
        self.listed: list[Asked] = []
        self.connections: set[object] = set()
        """Those that completions were asked for on."""
        self._listing = listing or refusal(404)
        self.gone = asyncio.Event()
        """Set when a client hangs up."""
        self._answering = answering

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
                names = [line.partition(": ")[0].lower() for line in head[1:]]
                asked = Asked(head[0], headers, await reader.readexactly(int(headers.get("content-length", 0))), names)
                said: Said | Awaitable[Said] = self._listing
                if asked.line.startswith("GET"):
                    self.listed.append(asked)
                else:
                    self.asked.append(asked)
                    self.connections.add(writer)
                    answering = self._answering
                    said = answering(asked) if callable(answering) else answering[len(self.asked) - 1]
                if not await self._say(await said if isinstance(said, Awaitable) else said, reader, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.gone.set()
            writer.close()

    async def _say(self, said: Said, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        headers = {"Content-Type": "text/event-stream", **said.headers}
        if said.framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        elif said.framing == "length":
            headers["Content-Length"] = str(sum(len(piece) for piece in said.pieces if piece))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {said.status} Said\r\n{head}\r\n".encode())
        for piece in said.pieces:
            if piece is None:
                await reader.read(1)  # until the client leaves
                return False
            if said.framing == "chunked" and piece:  # an empty chunk would be the end
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            elif piece:
                writer.write(piece)
            await writer.drain()
            await asyncio.sleep(said.pause_s)
        if said.framing == "reset":
            writer.transport.abort()
            return False
        if said.framing == "chunked":
            writer.write(b"0\r\n\r\n")
        return said.framing in ("chunked", "length")


@asynccontextmanager
async def serving(
    answering: Answering | Sequence[Said], *, listing: Said | None = None, path: str = "/v1", **options: Any
) -> AsyncIterator[tuple[Server, Endpoint]]:
    """Serve, and give the server with an endpoint that leads to it."""
    server = Server(answering, listing)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}{path}", **options)
    try:
        yield server, endpoint
    finally:
        await endpoint.aclose()
        listening.close()


def event(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': delta, 'finish_reason': finish}], **more})}\n\n".encode()


def refusal(status: int, body: Any = None, **headers: str) -> Said:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said([json.dumps(body).encode()], status, {"Content-Type": "application/json", **named})
