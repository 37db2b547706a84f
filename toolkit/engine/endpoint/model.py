"""Any OpenAI-compatible chat completions endpoint, streaming over one HTTP client that stays open.

Plain HTTP instead of the official client: that one takes every event apart into models and gets many servers' streams
wrong. What the bytes mean is said in `dialects.py`, what a refusal means in `failures.py`; here they are sent and read.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, cast
from urllib.parse import SplitResult, urlsplit, urlunsplit
from weakref import WeakKeyDictionary

import httpx2

from toolkit.engine.endpoint.dialects import Answer
from toolkit.engine.endpoint.failures import judged, told_by, wait_s
from toolkit.engine.jsontext import dump
from toolkit.engine.model import Delta, ModelError, ModelRequest
from toolkit.errors import EngineError

__all__ = ["Endpoint"]

_CONNECT_S: Final = 10.0
_NAMES_S: Final = 15.0
_LINGER_S: Final = 5.0
"""How long to wait for usage once the end was told, of servers that never close."""
_CLOSE_S: Final = 0.05
"""How long to wait for the end of the body after its last event, so that the connection can be used again."""
_OPTIONAL: Final = ("stream_options", "max_completion_tokens", "max_tokens", "parallel_tool_calls")
"""Members of a request that can be left out when a server refuses them."""
_ABOUT_VALUE = re.compile(
    r"too (large|high|big)|at most|less than|greater|exceed|must be|maximum|minimum", re.IGNORECASE
)


class Endpoint:
    """A chat completions endpoint.

    `url` is its base, such as http://localhost:11434/v1, or the whole address that ends in /chat/completions. `headers`
    go with every request. `timeout_s` bounds a whole completion unless the request says otherwise. Each event loop that
    uses it has connections of its own. Raises EngineError for a URL or key that is none.
    """

    def __init__(
        self, url: str, *, key: str | None = None, headers: Mapping[str, str] | None = None, timeout_s: float = 600
    ) -> None:
        parts = _parts(url)
        key = (key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise EngineError("The model key holds characters that no key has. Check --model-key or TOOLKIT_MODEL_KEY.")
        path = parts.path.rstrip("/").removesuffix("/chat/completions")
        self._completions = urlunsplit(parts._replace(path=f"{path}/chat/completions", fragment=""))
        self._models = urlunsplit(parts._replace(path=f"{path}/models", fragment=""))
        self._where = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))
        """For people: without what may be secret."""
        self._key = key or None
        self._timeout_s = timeout_s
        self._headers = {
            "User-Agent": "assistants-toolkit",
            "Accept-Encoding": "identity",  # a compressed stream is held back by what compresses it
            **({"Authorization": f"Bearer {key}"} if key else {}),
            **(headers or {}),
        }
        self._refused: dict[str, frozenset[str]] = {}
        """Model name -> members of a request that it was found not to take."""
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"Endpoint({self._where!r})"

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        """Stream one completion. Raises ModelError; never asks again, but for members that the server does not take."""
        deadline = _now() + (self._timeout_s if request.timeout_s is None else request.timeout_s)
        async with self._answered(request, deadline) as response:
            answer = Answer(self._where, request.model, self._key)
            async with aclosing(response.aiter_bytes()) as chunks:
                while (chunk := await self._next(chunks, answer, deadline)) is not None:
                    for delta in answer.feed(chunk):
                        yield delta
                    if answer.done:
                        await _drain(chunks)
                        break
            for delta in answer.end():
                yield delta

    async def names(self) -> Sequence[str]:
        """List the models there. Raises ModelError."""
        try:
            async with asyncio.timeout(_NAMES_S):
                response = await self._client().get(self._models)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise self._unreachable(error) from error
        if response.status_code != 200:
            raise self._refusal(response, response.content, "")
        try:
            return _names_in(response.json())
        except ValueError:
            text = f"The model endpoint {self._where} lists no models: its answer to GET /models is no JSON."
            raise ModelError(text) from None

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = httpx2.AsyncClient(
                headers=self._headers,
                timeout=httpx2.Timeout(None, connect=_CONNECT_S),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=60),
            )
        return client

    @asynccontextmanager
    async def _answered(self, request: ModelRequest, deadline: float) -> AsyncGenerator[httpx2.Response]:
        """Send a request until it is taken, without what the server refuses by name; close the answer at the end."""
        members = _members(request)
        _leave_out(members, self._refused.get(request.model, frozenset()))
        lasting: frozenset[str] = frozenset()
        while True:
            response = await self._send(_body(request, members), deadline)
            try:
                if response.status_code == 200:
                    if lasting:
                        self._refused[request.model] = self._refused.get(request.model, frozenset()) | lasting
                    yield response
                    return
                said = await self._read(response, deadline)
            finally:
                await response.aclose()
            named = _named(response.status_code, said, members)
            if not named:
                raise self._refusal(response, said, request.model)
            about_value = bool(_ABOUT_VALUE.search(said.decode(errors="replace")))
            _leave_out(members, named, rename=not about_value)
            if not about_value:  # a value that is too high says nothing of the next request
                lasting |= named

    async def _send(self, body: bytes, deadline: float) -> httpx2.Response:
        try:
            client = self._client()
            headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
            request = client.build_request("POST", self._completions, content=body, headers=headers)
            async with asyncio.timeout_at(deadline):
                return await client.send(request, stream=True)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise self._unreachable(error) from error

    async def _next(self, chunks: AsyncIterator[bytes], answer: Answer, deadline: float) -> bytes | None:
        """Read the next bytes; None at the end, which a broken connection is too once the model has said its reason."""
        if answer.said_reason:
            deadline = min(deadline, _now() + _LINGER_S)
        try:
            async with asyncio.timeout_at(deadline):
                return await anext(chunks, None)
        except (httpx2.HTTPError, TimeoutError) as error:
            if answer.said_reason:
                return None
            raise self._unreachable(error) from error

    async def _read(self, response: httpx2.Response, deadline: float) -> bytes:
        try:
            async with asyncio.timeout_at(deadline):
                return await response.aread()
        except (httpx2.HTTPError, TimeoutError):
            return b""  # the status says enough

    def _refusal(self, response: httpx2.Response, said: bytes, model: str) -> ModelError:
        return judged(
            told_by(said),
            status=response.status_code,
            where=self._where,
            model=model,
            secret=self._key,
            retry_after_s=wait_s(response.headers, time.time()),
        )

    def _unreachable(self, error: Exception) -> ModelError:
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
            reason = str(error) or "no answer"
            text = (
                f"The model endpoint {self._where} cannot be reached ({reason}). Is it running? Is --model-url right?"
            )
        elif isinstance(error, TimeoutError | httpx2.TimeoutException):
            text = f"The model endpoint {self._where} took too long to answer."
        else:
            text = f"The connection to the model endpoint {self._where} broke ({str(error) or type(error).__name__})."
        return ModelError(text, retry=True)


def _parts(url: str) -> SplitResult:
    try:
        httpx2.URL(url)
        parts = urlsplit(url)
    except (ValueError, httpx2.InvalidURL):
        parts = urlsplit("")
    if parts.scheme in ("http", "https") and parts.hostname:
        return parts
    raise EngineError(f"The model URL {url!r} is not understood. Write it like http://localhost:11434/v1.")


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read what is left of a body that is over."""
    try:
        async with asyncio.timeout(_CLOSE_S):
            async for _ in chunks:
                pass
    except (httpx2.HTTPError, TimeoutError):
        pass


def _members(request: ModelRequest) -> dict[str, Any]:
    """Give the members of the request's body but for messages and tools, which are JSON text already."""
    return {"stream": True, "stream_options": {"include_usage": True}, **request.options}


def _body(request: ModelRequest, members: Mapping[str, Any]) -> bytes:
    tools = f',"tools":{request.tools}' if request.tools else ""
    messages = ",".join(request.messages)
    head = dump({"model": request.model, **members})[:-1]
    return f'{head}{tools},"messages":[{messages}]}}'.encode(errors="replace")


def _named(status: int, said: bytes, members: Mapping[str, Any]) -> frozenset[str]:
    """Give the members that a refusal names and that can be left out."""
    if status not in (400, 422):
        return frozenset()
    words = re.findall(r"[a-z_]+", said.decode(errors="replace"))
    return frozenset(_OPTIONAL).intersection(members, words)


def _leave_out(members: dict[str, Any], names: Collection[str], *, rename: bool = True) -> None:
    """Take members out. A bound on tokens goes by its older name then, since most servers know one of the two."""
    for name in _OPTIONAL:
        if name in names and name in members:
            value = members.pop(name)
            if rename and name == "max_completion_tokens":
                members["max_tokens"] = value


def _names_in(answer: object) -> list[str]:
    """Read model names out of {"data": [...]}, {"models": [...]} or a bare list, of objects or texts."""
    if isinstance(answer, dict):
        listing = cast("dict[str, Any]", answer)
        answer = listing.get("data") or listing.get("models")
    names: dict[str, None] = {}
    for each in cast("list[object]", answer) if isinstance(answer, list) else []:
        entry = cast("Mapping[str, Any]", each if isinstance(each, dict) else {"id": each})
        name = next((entry[key] for key in ("id", "model", "name") if isinstance(entry.get(key), str)), None)
        if name:
            names[name] = None
    return list(names)
