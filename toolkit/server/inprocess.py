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
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import CancelledError, Future
from typing import Any, Final, Literal, Self, TypeVar

import httpx2

from toolkit.errors import EngineError

__all__ = ["AsyncInProcess", "InProcess", "LoopThread"]

T = TypeVar("T")
_Message = MutableMapping[str, Any]
_App = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]], Coroutine[Any, Any, None]
]
_Put = Callable[[_Message], None]

_AHEAD: Final = 64
"""How many pieces of an answer the application may be ahead of its reader."""

_MOST_PIECE: Final = 2**20
_PIECES_AHEAD: Final = 2
"""How large pieces of a request are, and how many the client may be ahead of the application."""

_END: Final[_Message] = {"type": "end"}


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

    def __init__(self, app: _App, thread: LoopThread, project: str) -> None:
        self._app, self._thread, self._project = app, thread, project

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; returns when the answer's head is there."""
        if self._thread.inside:
            raise RuntimeError(
                "A blocking client of this engine was used on the engine's own loop; it would wait for ever."
            )
        inbox: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        scope = _scope(request, self._project)
        whole = request.read() if isinstance(request.stream, httpx2.ByteStream) else None
        exchange = _Exchange(self._app, self._thread, scope, whole, inbox.put)
        timeout_s = _timeout_s(request, "read")

        def take() -> _Message:
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
                all(give(piece, True) for big in request.stream for piece in _cut(big)) and give(b"", False)
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

    def __init__(self, app: _App, thread: LoopThread, project: str) -> None:
        self._app, self._thread, self._project = app, thread, project

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; returns when the answer's head is there."""
        inbox: asyncio.Queue[_Message] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        scope = _scope(request, self._project)
        whole = await request.aread() if isinstance(request.stream, httpx2.ByteStream) else None
        exchange = _Exchange(
            self._app,
            self._thread,
            scope,
            whole,
            lambda message: _call_soon(loop, inbox.put_nowait, message),
        )
        timeout_s = _timeout_s(request, "read")

        async def take() -> _Message:
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

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def get_extra_info(self, info: str) -> Self | None:
        """Give what can be shut, under the name by which httpx's own connections give their sockets."""
        return self if info == "socket" else None

    def shutdown(self, how: int) -> None:
        """End the exchange for both sides, from any thread."""
        self._exchange.cut()


class _Pieces(httpx2.SyncByteStream):
    def __init__(self, take: Callable[[], _Message], hang_up: Callable[[], None]) -> None:
        self._take, self._hang_up = take, hang_up

    def __iter__(self) -> Iterator[bytes]:
        while (message := self._take()) is not _END:
            if body := message.get("body"):
                yield body

    def close(self) -> None:
        self._hang_up()


class _AsyncPieces(httpx2.AsyncByteStream):
    def __init__(self, take: Callable[[], Awaitable[_Message]], hang_up: Callable[[], None]) -> None:
        self._take, self._hang_up = take, hang_up

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self._take()) is not _END:
            if body := message.get("body"):
                yield body

    async def aclose(self) -> None:
        self._hang_up()


class _Exchange:
    """One request and its answer: runs the application on its loop and hands its messages to `put`, on any thread.

    `body` is the request's; None is one that is offered piece by piece.
    """

    def __init__(self, app: _App, thread: LoopThread, scope: _Message, body: bytes | None, put: _Put) -> None:
        self._loop, self._put = thread.loop, put
        self._body: deque[tuple[bytes, bool]] = deque([(body, False)] if body is not None else ())
        self._moved = asyncio.Event()
        """Set when something of the request came, or was taken, or nothing of it is wanted any more."""
        self._answered = False
        self._ahead = 0
        self._gone = asyncio.Event()
        self._room = asyncio.Event()
        self._over = False
        thread.submit(self._run(app, scope))

    def taken(self, message: _Message) -> _Message:
        """Note on the client's side that a message was taken; raises what the application raised."""
        if message["type"] == "error":
            raise httpx2.ReadError(f"The engine broke off: {message['error']!r}") from message["error"]
        if message is not _END:
            _call_soon(self._loop, self._took)
        return message

    def hang_up(self) -> None:
        """Tell the application that nobody reads any more. Harmless when it has answered in full."""
        if not self._over:
            _call_soon(self._loop, self._leave)

    def cut(self) -> None:
        """Hang up, and wake the client too."""
        self._put({"type": "error", "error": ConnectionAbortedError("the connection was shut")})  # ahead of the end
        self.hang_up()

    async def _run(self, app: _App, scope: _Message) -> None:
        try:
            await app(scope, self._receive, self._send)
        except BaseException as error:
            self._put({"type": "error", "error": error})
            if not isinstance(error, Exception):
                raise
        finally:
            self._over = self._answered = True
            self._moved.set()
            self._put(_END)

    async def offer(self, piece: bytes, more: bool) -> bool:
        """Hand on a piece of the request, on the application's loop, when there is room; False when none is wanted."""
        while len(self._body) >= _PIECES_AHEAD and not self._answered:
            self._moved.clear()
            await self._moved.wait()
        if self._answered:
            return False
        self._body.append((piece, more))
        self._moved.set()
        return True

    async def _receive(self) -> _Message:
        while not self._body and not self._gone.is_set():
            self._moved.clear()
            await self._moved.wait()
        if not self._body:
            return {"type": "http.disconnect"}
        piece, more = self._body.popleft()
        self._moved.set()
        return {"type": "http.request", "body": piece, "more_body": more}

    async def _send(self, message: _Message) -> None:
        self._answered = True
        self._moved.set()
        while self._ahead >= _AHEAD and not self._gone.is_set():
            self._room.clear()
            await self._room.wait()
        if not self._gone.is_set():
            self._ahead += 1
            self._put(message)

    def _took(self) -> None:
        self._ahead -= 1
        self._room.set()

    def _leave(self) -> None:
        self._body.clear()
        self._gone.set()
        self._moved.set()
        self._room.set()


def _scope(request: httpx2.Request, project: str) -> _Message:
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


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """Call on a loop from any thread; a loop that is closed has nobody left to tell."""
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise
