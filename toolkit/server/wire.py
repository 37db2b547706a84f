"""Between bytes and what handlers trade in: bodies, queries, keys, answers, errors and headers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from toolkit.engine.blobs import Opened
from toolkit.engine.events import frame
from toolkit.engine.jsontext import dump
from toolkit.engine.objects.invalid import only_unknown_fields, refusal, unknown_fields
from toolkit.engine.objects.kept import Key
from toolkit.errors import Refused, StoreUnavailable
from toolkit.server.v1.version import stray

__all__ = [
    "LARGE",
    "Answer",
    "Download",
    "HungUp",
    "Stream",
    "error_of",
    "idempotency_key",
    "includes_contents",
    "new_request_id",
    "parse_body",
    "parse_query",
    "read_body",
    "send_answer",
    "send_download",
    "send_stream",
    "standing",
    "until_gone",
]

_log = logging.getLogger("toolkit.server")

M = TypeVar("M", bound=BaseModel)
_Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[_Message]]
Send = Callable[[_Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MOST_BODY: Final = 32 * 2**20
LARGE: Final = 256 * 2**10
"""From here on JSON is looked through in a thread, so that other requests need not wait for it."""
_PARTING_S: Final = 1.0
_STREAM_HEADERS: Final[Sequence[tuple[bytes, bytes]]] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # proxies are not to collect it
)
_INCLUDABLE: Final = "step_details.tool_calls[*].file_search.results[*].content"
_FILTERS: Final = ("filter", "purpose", "run_id")
"""What lists are narrowed by, each by its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Text to answer with: JSON, unless its type says otherwise."""

    text: str
    status: int = 200
    poll_after_ms: int | None = None
    """How soon a waiting client should look again."""
    allow: str | None = None
    """The methods that a path takes, when that was asked or got wrong."""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Stream:
    """Server-sent events to answer with, in chunks of whole frames."""

    frames: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes of a file to answer with, from `start` to before `stop`."""

    file: Opened
    start: int
    stop: int
    status: int
    headers: Headers


class HungUp(Exception):
    """The client is gone, and there is nobody to answer to."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    """Read a request's body. Raises Refused (413) when it is too large, HungUp when it broke off."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MOST_BODY:
        raise _too_large()
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > MOST_BODY:
            raise _too_large()
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


async def parse_body(model: type[M], body: bytes, *, drop_unknown: bool) -> M:
    """Check a body against a request model, straight from its bytes. Raises Refused with the API's text."""
    if len(body) < LARGE:
        return _parsed(model, body, drop_unknown)
    return await asyncio.to_thread(_parsed, model, body, drop_unknown)


def _parsed(model: type[M], body: bytes, drop_unknown: bool) -> M:
    body = body or b"{}"
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if (of_v1 := stray(error)) is not None:
            raise of_v1 from None
        if not drop_unknown or not only_unknown_fields(error):
            raise refusal(error) from None
        _log.warning("unknown fields were left out: %.500s", dump(unknown_fields(error)))
        return model.model_validate_json(body, extra="ignore")


def parse_query(model: type[M], query: bytes) -> M:
    """Check a query string; of a name that stands twice the last one counts, unknown names are let be.

    Raises Refused, for filters of other lists too: an answer that is not filtered would pass for one that is.
    """
    given = dict(parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True))
    for name in given:
        if name in _FILTERS and name not in model.model_fields:
            raise Refused(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    try:
        return model.model_validate_strings({name: text for name, text in given.items() if name in model.model_fields})
    except ValidationError as error:
        raise refusal(error) from None


def includes_contents(query: bytes) -> bool:
    """Say whether `include[]` asks for the contents of results; it may stand repeatedly, its values joined by commas.

    Raises Refused for what the API does not know.
    """
    asked = False
    for name, text in parse_qsl(query.decode("ascii", "replace")):
        if name in ("include", "include[]"):
            for value in text.split(","):
                if value != _INCLUDABLE:
                    said = f"Invalid value: '{value}'. Supported values are: '{_INCLUDABLE}'."
                    raise Refused(said, param="include", code="invalid_value")
                asked = True
    return asked


def new_request_id() -> str:
    """Make the id of a request, by which it is found in the log."""
    return f"req_{secrets.token_hex(16)}"


def standing(request_id: str, took_ms: int) -> Headers:
    """Give the headers that the API has in every answer."""
    return [
        (b"x-request-id", request_id.encode()),
        (b"openai-processing-ms", str(took_ms).encode()),
        (b"openai-version", b"2020-10-01"),
    ]


def idempotency_key(method: str, path: str, headers: Mapping[bytes, bytes], body: bytes) -> Key | None:
    """Read the Idempotency-Key of a request, with the digest of what it came with. Raises Refused for one too long."""
    value = headers.get(b"idempotency-key", b"").decode("latin-1").strip()
    if not value:
        return None
    if len(value) > 255:
        raise Refused("The Idempotency-Key is too long: at most 255 characters.", code="string_above_max_length")
    return Key(value, sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest())


def error_of(refused: Refused) -> Answer:
    """Make the API's error JSON."""
    error = {"message": refused.message, "type": refused.type, "param": refused.param, "code": refused.code}
    return Answer(dump({"error": error}), refused.status)


async def send_answer(send: Send, answer: Answer, headers: Headers, *, head_only: bool = False) -> None:
    """Send JSON, or what would be sent before it."""
    body = answer.text.encode("utf-8", "replace")
    if answer.poll_after_ms is not None:
        headers = [*headers, (b"openai-poll-after-ms", str(answer.poll_after_ms).encode())]
    if answer.allow is not None:
        headers = [*headers, (b"allow", answer.allow.encode())]
    if answer.status != 204:
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            *headers,
        ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head_only else body})


async def send_stream(receive: Receive, send: Send, stream: Stream, headers: Headers, *, cut: Refused) -> None:
    """Send events as they come, until they end or the client has gone; the run goes on without it.

    When it is cancelled, the server ends: then `cut` is the last that is told, in the form in which the official client
    raises it. A program that ignores `error` events would take a mere event for the end of its run.
    """
    await send({"type": "http.response.start", "status": 200, "headers": [*_STREAM_HEADERS, *headers]})
    sending = asyncio.create_task(_send_all(send, stream.frames))
    leaving = asyncio.create_task(until_gone(receive))
    cancelled = False
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        cancelled = True
    finally:
        leaving.cancel()
        sending.cancel()
        await asyncio.wait((sending, leaving))
    if not sending.cancelled():
        sending.result()
    elif cancelled:
        with contextlib.suppress(TimeoutError):  # of a client that does not read
            async with asyncio.timeout(_PARTING_S):
                await _sent(send, {"type": "http.response.body", "body": frame(("error", error_of(cut).text))})


async def send_download(
    receive: Receive, send: Send, download: Download, headers: Headers, *, head_only: bool = False
) -> None:
    """Send bytes of a file, a piece at a time, until the client has gone; then close the file."""
    size = download.stop - download.start
    length = (b"content-length", str(size).encode())
    leaving = asyncio.create_task(until_gone(receive))
    try:
        await send(
            {"type": "http.response.start", "status": download.status, "headers": [length, *download.headers, *headers]}
        )
        async for piece in download.file.pieces(download.start, download.start if head_only else download.stop):
            size -= len(piece)
            if leaving.done() or not await _sent(
                send, {"type": "http.response.body", "body": piece, "more_body": True}
            ):
                return
        if size and not head_only:
            raise StoreUnavailable("The bytes of a file are fewer than they were.")
        await _sent(send, {"type": "http.response.body", "body": b""})
    finally:
        leaving.cancel()
        await download.file.close()


async def _send_all(send: Send, frames: AsyncIterator[bytes]) -> None:
    async for chunk in frames:
        if not await _sent(send, {"type": "http.response.body", "body": chunk, "more_body": True}):
            return
    await _sent(send, {"type": "http.response.body", "body": b""})


async def _sent(send: Send, message: _Message) -> bool:
    """Send a message; False when the connection was closed under our hands."""
    try:
        await send(message)
    except OSError:
        return False
    return True


async def until_gone(receive: Receive) -> None:
    """Wait until the client leaves. What it still sends is passed over."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_large() -> Refused:
    return Refused(f"The request body is too large: at most {MOST_BODY // 2**20} MiB.", status=413)
