"""The API as an ASGI application: finds the operation, lets the client in, carries it out, answers.

The paths are served under `/v1` (OpenAI), `/openai` and `/openai/v1` (Azure) and bare, since clients append them to
whatever base URL they were given. Every answer, errors included, has the API's shape and headers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel

from toolkit.engine.jsontext import dump
from toolkit.engine.listening import asks
from toolkit.engine.logs import about
from toolkit.errors import Refused, StoreUnavailable
from toolkit.server.auth import Door
from toolkit.server.call import Call, Reply, Route
from toolkit.server.health import Readiness
from toolkit.server.keyring import KeyRing
from toolkit.server.leaving import Watch
from toolkit.server.metrics import CONTENT_TYPE
from toolkit.server.multipart import Form
from toolkit.server.rooms import Rooms
from toolkit.server.routes import ROUTES
from toolkit.server.v1.version import is_v1
from toolkit.server.wire import (
    Answer,
    Download,
    Headers,
    HungUp,
    Receive,
    Send,
    Stream,
    error_of,
    idempotency_key,
    new_request_id,
    parse_body,
    read_body,
    send_answer,
    send_download,
    send_stream,
    standing,
)

__all__ = ["App"]

_log = logging.getLogger("toolkit.server")

_FAULT: Final = Refused(
    "The server had an error while processing your request. Sorry about that!", status=500, type="server_error"
)

_NO_STORE: Final = Refused(
    "The server cannot use its store just now, and kept nothing of this request. Its log says why.",
    status=503,
    type="server_error",
    code="store_unavailable",
)

_ENDS: Final = Refused(
    "The server is shutting down. Ask again in a moment; what was begun goes on.",
    status=503,
    type="server_error",
    code="server_shutting_down",
)

_GONE: Final = 499
"""How a request is counted whose client left before it was answered."""


class App:
    """The ASGI application over the parts of one engine."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._door = Door(rooms.keys, KeyRing(rooms.store), rooms.origins)
        self._table = _Table(ROUTES)
        self._readiness = Readiness(rooms.store, rooms.execution)
        self._probes = {"/healthz": self._alive, "/health": self._alive, "/readyz": self._ready, "/metrics": self._tell}
        rooms.metrics.watch(rooms.execution)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        began = time.perf_counter()
        request_id = new_request_id()
        about(request_id=request_id)
        asked: Mapping[bytes, bytes] = dict(scope["headers"])
        asks(asked)
        table = self._table_of_v1 if is_v1(asked, scope["query_string"]) else self._table
        found = table.find(scope["path"])
        try:
            answer = await self._answer(scope, asked, receive, found)
        except Refused as refused:
            answer = error_of(refused)
        except HungUp:
            answer = None
        except asyncio.CancelledError:  # the server ends, and waits for requests no longer
            answer = error_of(_ENDS)
        except StoreUnavailable:  # logged by the store, once for all requests
            answer = error_of(_NO_STORE)
        except Exception:
            _log.exception("%s failed", request_id)
            answer = error_of(_FAULT)
        took_ms = int((time.perf_counter() - began) * 1000)
        self._note(scope, found, request_id, _status(answer), took_ms)
        if answer is None:
            return
        headers: Headers = [
            *standing(request_id, took_ms),
            (b"x-idempotency-key", b"kept"),
            *([(b"retry-after", b"1")] if _status(answer) == 503 else []),
            *self._rooms.origins.told(scope["method"], asked),
        ]
        if isinstance(answer, Stream):
            await self._stream(receive, send, answer, headers, request_id)
        elif isinstance(answer, Download):
            await send_download(receive, send, answer, headers, head_only=scope["method"] == "HEAD")
        else:
            await send_answer(send, answer, headers, head_only=scope["method"] == "HEAD")

    @cached_property
    def _table_of_v1(self) -> _Table:
        """Find routes as API v1 has them: loaded for the first program that asks, since most engines never meet one."""
        from toolkit.server.v1 import routes

        return _Table(routes.ROUTES)

    def _note(
        self, scope: MutableMapping[str, Any], found: _Found | None, request_id: str, status: int, ms: int
    ) -> None:
        """Count and log a request: its path, which holds ids, and never its query."""
        method, path = scope["method"], scope["path"]
        route = found.place.route(method) if found else None
        if path in self._probes:
            _log.debug("%s %s %s %d %d ms", request_id, method, path, status, ms)
            return
        self._rooms.metrics.request(route.operation if route else "none", status)
        _log.info("%s %s %s %d %d ms", request_id, method, quote(path), status, ms)

    async def _stream(self, receive: Receive, send: Send, stream: Stream, headers: Headers, request_id: str) -> None:
        """Send events. What breaks them is logged, and the connection closed: the client sees that they did not end."""
        try:
            with self._rooms.metrics.stream():
                await send_stream(receive, send, stream, headers, cut=_ENDS)
        except Exception:
            _log.exception("%s: the stream broke off", request_id)
            raise

    async def _answer(
        self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes], receive: Receive, found: _Found | None
    ) -> Reply:
        method, path = scope["method"], scope["path"]
        if (probe := self._probes.get(path)) is not None:
            return await probe(scope, headers)
        if self._rooms.origins.is_preflight(method, headers):
            return Answer("", 204)
        project = await self._door.project(scope, headers)
        if found is None:
            said = f"Unknown request URL: {method} {path}. Please check the URL for typos."
            raise Refused(said, status=404, code="unknown_url")
        about(project=project, **found.params)
        if method == "OPTIONS":
            return Answer("", 204, allow=found.place.allow)
        route = found.place.route(method)
        if route is None:
            said = f"Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)"
            refused = error_of(Refused(said, status=405, code="method_not_supported"))
            return Answer(refused.text, refused.status, allow=found.place.allow)
        body: BaseModel | Form | None = None
        key = None
        if route.body is not None:
            raw = await read_body(receive, headers)
            body = await parse_body(route.body, raw, drop_unknown=self._rooms.unknown_fields == "warn")
            key = idempotency_key(method, path, headers, raw)
        elif method == "POST":
            key = idempotency_key(method, path, headers, b"")
            body = Form(receive, headers) if route.form else None
        call = Call(
            rooms=self._rooms,
            project=project,
            now=int(time.time()),
            params=found.params,
            query=scope["query_string"],
            headers=headers,
            key=key,
            helper=b"x-stainless-poll-helper" in headers,
        )
        with Watch(receive, body if isinstance(body, Form) else None):
            return await route.answer(call, body)

    # What those ask who run the server

    async def _alive(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> Answer:
        return Answer('{"status":"ok"}')

    async def _ready(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> Answer:
        missing = await self._readiness.missing()
        if missing is None:
            return Answer('{"status":"ready"}')
        return Answer(dump({"status": "not ready", "reason": missing}), 503)

    async def _tell(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> Answer:
        await self._door.project(scope, headers)
        text = await asyncio.to_thread(self._rooms.metrics.text)
        return Answer(text, content_type=CONTENT_TYPE)


def _status(answer: Reply | None) -> int:
    if answer is None:
        return _GONE
    return 200 if isinstance(answer, Stream) else answer.status


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

    def route(self, method: str) -> Route | None:
        """Give what a method does here; HEAD asks for what GET answers."""
        return self.routes.get("GET" if method == "HEAD" else method)


@dataclass(frozen=True, slots=True)
class _Found:
    """A path that is served, and its parameters."""

    place: _Node
    params: Mapping[str, str]


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

    def find(self, path: str) -> _Found | None:
        """Give a path's place and its parameters; None when there is no such path."""
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
                return None
            node = found
        if not node.routes:
            return None
        return _Found(node, dict(zip(node.names, values, strict=True)))
