"""Reach an ASGI application from `openai` clients without a socket, streams as they are produced.

The application runs on a background event loop (`LoopThread`), whichever thread or loop the client lives in, so a
blocking client works inside a running loop too (a notebook, say). An answer crosses over piece by piece: the client
sees each as it is sent, and a client that reads slowly holds the application up, as a full socket would. A request that
is no text in memory, such as a file that is uploaded, crosses in pieces too, no faster than the application takes them.

(httpx's own ASGITransport collects the whole body first and has no blocking form.)
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any, Final, Literal, Self, TypeVar

import httpx2

from toolkit.errors import EngineError
from toolkit.server.exchange import END, App, Exchange, Message, call_soon

__all__ = ["AsyncInProcess", "InProcess", "LoopThread"]

T = TypeVar("T")

_MOST_PIECE: Final = 2**20
"""How large the pieces are in which a request crosses over."""


class LoopThread:
    """A background thread with an event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)
        self._thread.start()

    @property
    def inside(self) -> bool:
        """Whether the caller runs on this very thread, so that waiting for it would never end."""
        return threading.current_thread() is self._thread

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start work on the loop, from any thread. Raises EngineError after `stop`, and in a forked process."""
        if os.getpid() != self._process:
            work.close()
            raise EngineError("This client's Engine was made before a fork. Make a new Engine in the new process.")
        try:
            return asyncio.run_coroutine_threadsafe(work, self.loop)
        except RuntimeError:
            work.close()
            raise EngineError("This client's Engine is closed. Make a new Engine on the same store.") from None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work on the loop and wait for it."""
        return self.submit(work).result()

    def stop(self) -> None:
        """End the loop and the thread, and whatever is still under way there."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def _live(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        while tasks := asyncio.all_tasks(self.loop):  # who waits for one is told, and not left waiting
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.wait(tasks))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


class InProcess(httpx2.BaseTransport):
    """The transport of a blocking client. `project` is told to the application beside the request, not in it."""

    def __init__(self, app: App, thread: LoopThread, project: str) -> None:
        self._app, self._thread, self._project = app, thread, project

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; returns when the answer's head is there."""
        if self._thread.inside:
            raise RuntimeError(
                "A blocking client of this engine was used on the engine's own loop; it would wait for ever."
            )
        inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        scope = _scope(request, self._project)
        whole = request.read() if isinstance(request.stream, httpx2.ByteStream) else None
        exchange = Exchange(self._thread.loop, whole, inbox.put)
        self._thread.submit(exchange.run(self._app, scope))
        timeout_s = _timeout_s(request, "read")

        def take() -> Message:
            try:
                return exchange.taken(inbox.get(timeout=timeout_s))
            except queue.Empty:
                exchange.hang_up()
                raise httpx2.ReadTimeout("The engine did not answer in time.", request=request) from None

        def give(piece: bytes, more: bool) -> bool:
            try:
                return self._thread.submit(exchange.offer(piece, more)).result(_timeout_s(request, "write"))
            except TimeoutError:
                raise httpx2.WriteTimeout("The engine did not take the request in time.", request=request) from None
            except CancelledError:
                raise httpx2.WriteError("The engine was closed.", request=request) from None

        try:
            if whole is None:
                assert isinstance(request.stream, httpx2.SyncByteStream)
                if all(give(piece, True) for big in request.stream for piece in _cut(big)):
                    give(b"", False)
            head = take()
        except BaseException:
            exchange.hang_up()
            raise
        return httpx2.Response(
            head["status"],
            headers=head["headers"],
            stream=_Pieces(take, exchange.hang_up),
            request=request,
            extensions={"network_stream": _Line(exchange)},
        )


class AsyncInProcess(httpx2.AsyncBaseTransport):
    """The transport of an awaiting client, on any event loop."""

    def __init__(self, app: App, thread: LoopThread, project: str) -> None:
        self._app, self._thread, self._project = app, thread, project

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; returns when the answer's head is there."""
        inbox: asyncio.Queue[Message] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        scope = _scope(request, self._project)
        whole = await request.aread() if isinstance(request.stream, httpx2.ByteStream) else None
        exchange = Exchange(self._thread.loop, whole, lambda message: call_soon(loop, inbox.put_nowait, message))
        self._thread.submit(exchange.run(self._app, scope))
        timeout_s = _timeout_s(request, "read")

        async def take() -> Message:
            try:
                async with asyncio.timeout(timeout_s):
                    return exchange.taken(await inbox.get())
            except TimeoutError:
                exchange.hang_up()
                raise httpx2.ReadTimeout("The engine did not answer in time.", request=request) from None

        async def give(piece: bytes, more: bool) -> bool:
            try:
                async with asyncio.timeout(_timeout_s(request, "write")):
                    return await asyncio.wrap_future(self._thread.submit(exchange.offer(piece, more)))
            except TimeoutError:
                raise httpx2.WriteTimeout("The engine did not take the request in time.", request=request) from None

        async def give_all(stream: httpx2.AsyncByteStream) -> bool:
            async for big in stream:
                for piece in _cut(big):
                    if not await give(piece, True):
                        return False
            return await give(b"", False)

        try:
            if whole is None:
                assert isinstance(request.stream, httpx2.AsyncByteStream)
                await give_all(request.stream)
            head = await take()
        except BaseException:
            exchange.hang_up()
            raise
        return httpx2.Response(
            head["status"], headers=head["headers"], stream=_AsyncPieces(take, exchange.hang_up), request=request
        )


class _Line:
    """Stands for the connection of a blocking client: shut like a socket, it ends a read that waits for more."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def get_extra_info(self, info: str) -> Self | None:
        """Give what can be shut, under the name by which httpx's own connections give their sockets."""
        return self if info == "socket" else None

    def shutdown(self, how: int) -> None:
        """End the exchange for both sides, from any thread."""
        self._exchange.cut()


class _Pieces(httpx2.SyncByteStream):
    def __init__(self, take: Callable[[], Message], hang_up: Callable[[], None]) -> None:
        self._take, self._hang_up = take, hang_up

    def __iter__(self) -> Iterator[bytes]:
        while (message := self._take()) is not END:
            if body := message.get("body"):
                yield body

    def close(self) -> None:
        self._hang_up()


class _AsyncPieces(httpx2.AsyncByteStream):
    def __init__(self, take: Callable[[], Awaitable[Message]], hang_up: Callable[[], None]) -> None:
        self._take, self._hang_up = take, hang_up

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self._take()) is not END:
            if body := message.get("body"):
                yield body

    async def aclose(self) -> None:
        self._hang_up()


def _scope(request: httpx2.Request, project: str) -> Message:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (url.host, url.port),
        "client": ("in-process", 0),
        "toolkit.project": project,
    }


def _timeout_s(request: httpx2.Request, what: Literal["read", "write"]) -> float | None:
    timeout_s: float | None = request.extensions.get("timeout", {}).get(what)
    return timeout_s


def _cut(piece: bytes) -> Iterator[bytes]:
    """Cut what is large, a file that was in memory already, so that it is not there twice."""
    if len(piece) <= _MOST_PIECE:
        yield piece
        return
    for start in range(0, len(piece), _MOST_PIECE):
        yield piece[start : start + _MOST_PIECE]
