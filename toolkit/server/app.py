"""The API as an ASGI application: finds the operation, lets the client in, carries it out, answers.

The paths are served under `/v1` (OpenAI), `/openai` and `/openai/v1` (Azure) and bare, since clients append them to
whatever base URL they were given. Every answer, errors included, has the API's shape and headers.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from toolkit.errors import Refused
from toolkit.server.auth import Door
from toolkit.server.rooms import Rooms
from toolkit.server.routes import ROUTES, Call, Route
from toolkit.server.wire import (
    Answer,
    Headers,
    HungUp,
    Receive,
    Send,
    Stream,
    error_of,
    idempotency_key,
    parse_body,
    read_body,
    send_answer,
    send_stream,
)

__all__ = ["App"]

_log = logging.getLogger("toolkit.server")

_FAULT: Final = Refused(
    "The server had an error while processing your request. Sorry about that!", status=500, type="server_error"
)


class App:
    """The ASGI application over the parts of one engine."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._door = Door(rooms.keys)
        self._table = _Table(ROUTES)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        began = time.perf_counter()
        request_id = f"req_{secrets.token_hex(16)}"
        try:
            answer = await self._answer(scope, receive)
        except Refused as refused:
            answer = error_of(refused)
        except HungUp:
            return
        except Exception:
            _log.exception("%s failed", request_id)
            answer = error_of(_FAULT)
        took_ms = int((time.perf_counter() - began) * 1000)
        headers: Headers = [
            (b"x-request-id", request_id.encode()),
            (b"openai-processing-ms", str(took_ms).encode()),
            (b"openai-version", b"2020-10-01"),
            (b"x-idempotency-key", b"kept"),
        ]
        status = answer.status if isinstance(answer, Answer) else 200
        _log.info("%s %s %s %d %d ms", request_id, scope["method"], quote(scope["path"]), status, took_ms)
        if isinstance(answer, Stream):
            await self._stream(receive, send, answer, headers, request_id)
        else:
            await send_answer(send, answer, headers, head_only=scope["method"] == "HEAD")

    async def _stream(self, receive: Receive, send: Send, stream: Stream, headers: Headers, request_id: str) -> None:
        """Send events. What breaks them is logged, and the connection closed: the client sees that they did not end."""
        try:
            await send_stream(receive, send, stream, headers)
        except Exception:
            _log.exception("%s: the stream broke off", request_id)
            raise

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> Answer | Stream:
        method, path = scope["method"], scope["path"]
        if path == "/health":
            return Answer('{"status":"ok"}')
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        project = self._door.project(scope, headers)
        node, params = self._table.find(method, path)
        if method == "OPTIONS":
            return Answer("", 204, allow=node.allow)
        route = node.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            said = f"Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)"
            refused = error_of(Refused(said, status=405, code="method_not_supported"))
            return Answer(refused.text, refused.status, allow=node.allow)
        body = key = None
        if route.body is not None:
            raw = await read_body(receive, headers)
            body = await parse_body(route.body, raw, drop_unknown=self._rooms.unknown_fields == "warn")
            key = idempotency_key(method, path, headers, raw)
        elif method == "POST":
            key = idempotency_key(method, path, headers, b"")
        call = Call(
            rooms=self._rooms,
            project=project,
            now=int(time.time()),
            params=params,
            query=scope["query_string"],
            key=key,
            helper=b"x-stainless-poll-helper" in headers,
        )
        return await route.answer(call, body)


@dataclass(slots=True)
class _Node:
    """A place in the tree of paths."""

    below: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    any: _Node | None = None
    """Where a parameter leads."""
    names: tuple[str, ...] = ()
    """What the parameters on the way here are called."""
    routes: dict[str, Route] = field(default_factory=dict[str, Route])

    @property
    def allow(self) -> str:
        """The methods that this path takes."""
        return ", ".join(sorted({*self.routes, "OPTIONS", *(["HEAD"] if "GET" in self.routes else [])}))


class _Table:
    """Finds the route of a path, segment by segment; a segment that is written out wins over a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            for segment in route.path.split("/"):
                if not segment.startswith("{"):
                    node = node.below.setdefault(segment, _Node(names=node.names))
                    continue
                if node.any is None:
                    node.any = _Node(names=(*node.names, segment[1:-1]))
                node = node.any
            node.routes[route.method] = route

    def find(self, method: str, path: str) -> tuple[_Node, Mapping[str, str]]:
        """Give a path's place and its parameters. Raises Refused (404)."""
        segments = path.strip("/").split("/")
        if segments[0] == "openai":
            del segments[0]
        if segments and segments[0] == "v1":
            del segments[0]
        if len(segments) > 2 and segments[0] == "models":  # names of models may have slashes
            segments[1:] = ["/".join(segments[1:])]
        node = self._root
        values: list[str] = []
        for segment in segments:
            written_out = node.below.get(segment)
            if written_out is None:
                values.append(segment)
            found = written_out or node.any
            if found is None:
                raise _unknown(method, path)
            node = found
        if not node.routes:
            raise _unknown(method, path)
        return node, dict(zip(node.names, values, strict=True))


def _unknown(method: str, path: str) -> Refused:
    return Refused(
        f"Unknown request URL: {method} {path}. Please check the URL for typos.", status=404, code="unknown_url"
    )
