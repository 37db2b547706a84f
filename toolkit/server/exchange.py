"""One request to an ASGI application on another thread's loop, and its answer: both cross over piece by piece."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final

import httpx2

__all__ = ["END", "App", "Exchange", "Message", "call_soon"]

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Coroutine[Any, Any, None]
]

_AHEAD: Final = 64
"""How many pieces of an answer the application may be ahead of its reader."""
_PIECES_AHEAD: Final = 2
"""How many pieces of a request the client may be ahead of the application."""

END: Final[Message] = {"type": "end"}
"""The last message of an answer, or of an application that gave none."""


class Exchange:
    """One request and its answer: runs the application on `loop` and hands its messages to `put`, on any thread.

    `body` is the request's; None is one that is offered piece by piece.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, body: bytes | None, put: Callable[[Message], None]) -> None:
        self._loop, self._put = loop, put
        self._body: deque[tuple[bytes, bool]] = deque([(body, False)] if body is not None else ())
        self._moved = asyncio.Event()
        """Set when something of the request came, or was taken, or nothing of it is wanted any more."""
        self._answered = False
        self._ahead = 0
        self._gone = asyncio.Event()
        self._room = asyncio.Event()
        self._over = False

    def taken(self, message: Message) -> Message:
        """Note on the client's side that a message was taken; raises what the application raised."""
        if message["type"] == "error":
            raise httpx2.ReadError(f"The engine broke off: {message['error']!r}") from message["error"]
        if message is not END:
            call_soon(self._loop, self._took)
        return message

    def hang_up(self) -> None:
        """Tell the application that nobody reads any more. Harmless when it has answered in full."""
        if not self._over:
            call_soon(self._loop, self._leave)

    def cut(self) -> None:
        """Hang up, and wake the client too."""
        self._put({"type": "error", "error": ConnectionAbortedError("the connection was shut")})  # ahead of the end
        self.hang_up()

    async def run(self, app: App, scope: Message) -> None:
        """Run the application, on its loop."""
        try:
            await app(scope, self._receive, self._send)
        except BaseException as error:
            self._put({"type": "error", "error": error})
            if not isinstance(error, Exception):
                raise
        finally:
            self._over = self._answered = True
            self._moved.set()
            self._put(END)

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

    async def _receive(self) -> Message:
        while not self._body and not self._gone.is_set():
            self._moved.clear()
            await self._moved.wait()
        if not self._body:
            return {"type": "http.disconnect"}
        piece, more = self._body.popleft()
        self._moved.set()
        return {"type": "http.request", "body": piece, "more_body": more}

    async def _send(self, message: Message) -> None:
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


def call_soon(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """Call on a loop from any thread; a loop that is closed has nobody left to tell."""
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise
