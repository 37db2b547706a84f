"""The API as an ASGI application: finds the operation, lets the client in, carries it out, answers.

The paths are served under `/v1` (OpenAI), `/openai` and `/openai/v1` (Azure) and bare, since clients append them to
whatever base URL they were given. Every answer, errors included, has the API's shape and headers.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final

from toolkit.errors import Refused
from toolkit.server.auth import Door
from toolkit.server.rooms import Rooms
from toolkit.server.routes import ROUTES, Call, Route
from toolkit.server.wire import (
    Answer,
    Headers,
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
        except ConnectionError:
            return  # nobody is there to answer to
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
        _log.info("%s %s %s %d %d ms", request_id, scope["method"], scope["path"], status, took_ms)
        if isinstance(answer, Stream):
            await send_stream(send, answer, headers)
        else:
            await send_answer(send, answer, headers)

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> Answer | Stream:
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        project = self._door.project(scope, headers)
        method, path = scope["method"], scope["path"]
        route, params = self._table.find(method, path)
        body = key = None
        if route.body is not None:
            raw = await read_body(receive, headers)
            body = parse_body(route.body, raw, drop_unknown=self._rooms.unknown_fields == "warn")
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


class _Table:
    """Finds the route of a path, segment by segment; a segment that is written out wins over a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root: dict[str, Any] = {}
        for route in routes:
            node = self._root
            for segment in route.path.split("/"):
                node = node.setdefault("{}" if segment.startswith("{") else segment, {})
            names = [segment[1:-1] for segment in route.path.split("/") if segment.startswith("{")]
            node[f" {route.method}"] = (route, names)  # no segment begins with a space: " GET" cannot be one

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """Give the route and the path's parameters. Raises Refused (404, 405)."""
        segments = path.strip("/").split("/")
        if segments[0] == "openai":
            del segments[0]
        if segments and segments[0] == "v1":
            del segments[0]
        if len(segments) > 2 and segments[0] == "models":  # names of models may have slashes
            segments[1:] = ["/".join(segments[1:])]
        node: dict[str, Any] = self._root
        values: list[str] = []
        for segment in segments:
            if segment in node and not segment.startswith((" ", "{")):
                node = node[segment]
            elif "{}" in node and segment:
                node = node["{}"]
                values.append(segment)
            else:
                raise _unknown(method, path)
        found = node.get(f" {method}")
        if found is None:
            if any(name.startswith(" ") for name in node):
                raise Refused(f"Not allowed to {method} on {path}.", status=405, code="method_not_supported")
            raise _unknown(method, path)
        route, names = found
        return route, dict(zip(names, values, strict=True))


def _unknown(method: str, path: str) -> Refused:
    return Refused(f"Invalid URL ({method} {path})", status=404)
