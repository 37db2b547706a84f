"""The HTTP connections of `toolkit serve`: uvicorn's, with the bounds that uvicorn leaves to a proxy.

uvicorn times nothing but the pause between two requests, and limits neither the head of a request nor connections that
say nothing. Here every state of a connection has a time or a size at which it ends, with the API's error JSON where the
client may still read it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Final, Literal

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from toolkit.errors import Refused
from toolkit.server.wire import error_of, new_request_id, standing

__all__ = ["Bounds", "Connection", "room_for"]

_log = logging.getLogger("toolkit.server")

_OWN_FILES: Final = 256
"""Files kept for the store and for connections to models."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a connection is ended, and how many there may be."""

    head_s: float = 30.0
    """Until the head of a request is there, and before the first one."""
    body_s: float = 60.0
    """From the head of a request to the end of its body, and longer for what has come of it."""
    body_rate: float = 64 * 2**10
    """How many bytes of a body earn it a second more: a large file takes its time."""
    stall_s: float = 60.0
    """How long a client may take nothing of an answer that waits for it."""
    linger_s: float = 2.0
    """How long what a client still sends is thrown away, so that it can read an answer that came early."""
    url_bytes: int = 8 * 2**10
    head_bytes: int = 64 * 2**10
    connections: int = 4096


def room_for(connections: int) -> int:
    """Raise this process's limit of open files for so many connections; say how many there is room for."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return connections
    wanted = connections + _OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else min(connections, max(soft - _OWN_FILES, soft // 2))


class Connection(HttpToolsProtocol):
    """One connection. To serve with other bounds, make a subclass that has them."""

    bounds: ClassVar[Bounds] = Bounds()

    _until = math.inf
    """When the client has had time enough."""
    _look: asyncio.TimerHandle | None = None
    """Looks whether that is so: at that time or sooner, for requests that come in time are not to pay for timers."""
    _stall: asyncio.TimerHandle | None = None
    _left = 0
    """How much of an answer waited for its reader when that was last looked at."""
    _part: Literal["head", "body"] | None = None
    """What of a request is being received."""
    _fruitless = 0
    """Bytes that came since a head or a piece of a body was complete."""
    _refused = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._wait(self.bounds.head_s)
        if len(self.connections) > self.bounds.connections:
            self._refuse(503, "There are too many connections to this server. Try again in a moment.")

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._look, self._stall):
            if timer is not None:
                timer.cancel()
        self._let_go()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        self._let_go()  # asyncio closes the connection now

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        self._fruitless += len(data)
        self._feed(data)
        if self._fruitless > self.bounds.head_bytes:
            self._refuse(431, "The head of the request is too large.")
        elif self._until == math.inf and self._part is None and not self._unanswered:
            self._wait(self.bounds.head_s)  # what came was no request yet; uvicorn has stopped its own timer

    def _feed(self, data: bytes) -> None:
        """Parse what came. A request that offers another protocol is read once more without the offer.

        Nobody need take an offer up, and Java's client makes one with each first request; but httptools takes it for
        taken, and leaves the body out.
        """
        while data:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as offer:
                if self.parser.get_method() == b"CONNECT":
                    self._refuse(405, "This server is no proxy.")
                    break
                data = self._without_offer() + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError:
                self._refuse(400, "The request is no valid HTTP.")
                break

    def _without_offer(self) -> bytes:
        first = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([first, *lines, b"", b""])

    def pause_writing(self) -> None:
        super().pause_writing()
        self._left = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(self.bounds.stall_s, self._stalled)

    def resume_writing(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
        super().resume_writing()

    # What the parser calls

    def on_message_begin(self) -> None:
        self._part = "head"
        self._wait(self.bounds.head_s)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part == "head":  # those after a chunked body mean nothing here
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._fruitless = 0
        if len(self.url) > self.bounds.url_bytes:
            self._refuse(414, "The URL is too long.")
        elif sum(len(name) + len(value) for name, value in self.headers) > self.bounds.head_bytes:
            self._refuse(431, "The head of the request is too large.")
        if self._refused or self.parser.should_upgrade():
            return
        self._part = "body"
        self._wait(self.bounds.body_s)
        super().on_headers_complete()
        self._unanswered.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        self._fruitless = 0
        if not self.cycle.response_started:  # else it is only heard out, for a moment
            self._until += len(body) / self.bounds.body_rate
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._fruitless = 0
        if not self._refused and not self.parser.should_upgrade():
            self._part = None
            self._until = math.inf
            super().on_message_complete()

    # What uvicorn calls

    def on_response_complete(self) -> None:
        self._unanswered.popleft()
        super().on_response_complete()
        if self._refused:
            self.transport.close()
        if self._refused or self._part == "body":  # answered before it was heard out
            self._wait(self.bounds.linger_s)

    def shutdown(self) -> None:
        idle = self.transport.get_write_buffer_size() == 0
        super().shutdown()
        if idle and self.transport.is_closing():  # over TLS the client has to agree, and an idle one does not listen
            self._wait(self.bounds.linger_s)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._wait(self.bounds.linger_s)  # a client that does not read would hold the connection open

    # Ends

    @property
    def _may_speak(self) -> bool:
        """Whether an answer may begin: not in the middle of another one, and not out of turn."""
        if self._part == "body":
            return len(self._unanswered) == 1 and not self.cycle.response_started
        return not self._unanswered

    def _let_go(self) -> None:
        """Tell the application that nobody reads its answers any more. (uvicorn tells it of the last one alone.)"""
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.waiting_for_100_continue = False
            cycle.message_event.set()

    def _wait(self, seconds: float) -> None:
        self._until = until = self.loop.time() + seconds
        if self._look is None or self._look.when() > until:
            if self._look is not None:
                self._look.cancel()
            self._look = self.loop.call_at(until, self._late)

    def _late(self) -> None:
        """End what has taken too long."""
        self._look = None
        if self._until > self.loop.time():
            if self._until < math.inf:
                self._wait(self._until - self.loop.time())
            return
        self._until = math.inf
        if self._refused or self.transport.is_closing():
            self.transport.abort()
        elif self.flow.read_paused:  # it is we who do not listen
            self._wait(self.bounds.body_s)
        elif self._part is None or (self._part == "body" and self.cycle.response_started):
            self.transport.close()
            self._wait(self.bounds.linger_s)
        else:
            self._refuse(408, "The request did not arrive in time.")

    def _stalled(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left >= self._left:
            self.transport.abort()
            return
        self._left = left
        self._stall = self.loop.call_later(self.bounds.stall_s, self._stalled)

    def _refuse(self, status: int, message: str) -> None:
        """Stop listening, say why and close, when the client has or soon; an answer under way is finished first."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if not self._may_speak:
            self.pipeline.clear()
            self._until = math.inf
            return
        self._let_go()
        request_id = new_request_id()
        _log.info("%s refused with %d: %s", request_id, status, message)
        kind = "server_error" if status == 503 else "invalid_request_error"
        text = error_of(Refused(message, status=status, type=kind)).text.encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(text)).encode()),
            (b"connection", b"close"),
            *standing(request_id, 0),
            *([(b"retry-after", b"1")] if status == 503 else []),
        ]
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
        self.transport.write(b"\r\n".join([first, *map(b": ".join, headers), b"", text]))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._wait(self.bounds.linger_s)
