"""A server whose connections are plain sockets in the hands of a test, and whose insides can be counted."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
import uvloop

from toolkit.server.connections import Bounds, Connection

__all__ = ["LOOPS", "Answer", "Raw", "bounded", "post", "raw", "read", "request"]

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


class _Server(uvicorn.Server):
    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # more often than ten times a second: many tests wait for its end
            await asyncio.sleep(0.005)


@dataclass
class Raw:
    """A server under way."""

    address: tuple[str, int]
    server: uvicorn.Server
    loop: asyncio.AbstractEventLoop

    def connect(self) -> socket.socket:
        """Open a connection; reading from it never takes longer than a test may."""
        return socket.create_connection(self.address, timeout=20)

    def ask(self, sent: bytes) -> Answer:
        """Send a request on a connection of its own, and read the answer."""
        with self.connect() as line:
            line.sendall(sent)
            return read(line)

    def tasks(self) -> int:
        """Count what is under way on the server's loop."""

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return asyncio.run_coroutine_threadsafe(count(), self.loop).result(20)

    @property
    def connections(self) -> int:
        """Count the connections that the server knows of."""
        return len(self.server.server_state.connections)

    def quiet(self) -> tuple[int, int]:
        """Wait until no connection is left, and count tasks and open files then."""
        deadline = time.monotonic() + 20
        while self.connections or self.server.server_state.tasks:
            assert time.monotonic() < deadline, (self.connections, self.server.server_state.tasks)
            time.sleep(0.01)
        return self.tasks(), len(os.listdir("/proc/self/fd"))


@dataclass
class Answer:
    """An answer that was read to its end."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def bounded(**bounds: Any) -> type[Connection]:
    """Make a kind of connection with bounds of its own."""
    return type("Bounded", (Connection,), {"bounds": Bounds(**bounds)})


@contextmanager
def raw(
    app: Any, connection: type[Connection] = Connection, *, loop: str = "asyncio", drain_s: int = 1, **more: Any
) -> Iterator[Raw]:
    """Serve an application on a port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    config = uvicorn.Config(
        app, http=connection, ws="none", log_config=None, lifespan="on", timeout_graceful_shutdown=drain_s, **more
    )
    server = _Server(config)
    here = LOOPS[loop]()

    def live() -> None:
        asyncio.set_event_loop(here)
        here.run_until_complete(server.serve(sockets=[listener]))
        here.run_until_complete(here.shutdown_asyncgens())
        here.run_until_complete(here.shutdown_default_executor())
        here.close()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    try:
        yield Raw(listener.getsockname(), server, here)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def request(method: str, path: str, body: Any = None, **headers: str) -> bytes:
    """Write a request down."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None and "transfer_encoding" not in headers:
        lines.append(f"content-length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def post(path: str, body: Any, **headers: str) -> bytes:
    """Write a POST down."""
    return request("POST", path, body, **headers)


def read(line: socket.socket, method: str = "GET") -> Answer:
    """Read one whole answer; `method` is the one that was sent."""
    response = http.client.HTTPResponse(line, method=method)
    response.begin()
    return Answer(response.status, response.headers, response.read())
