"""Any OpenAI-compatible chat completions endpoint, streaming over one HTTP client that stays open.

Plain HTTP instead of the official client: that one takes every event apart into models and gets many servers' streams
wrong. What the bytes mean is said in `dialects.py`, what a refusal means in `failures.py`; here they are sent and read.

Redirects are not followed, since a key must not travel to where nobody sent it; the failure names the new address.
Proxies of the environment (HTTPS_PROXY, NO_PROXY) are used as other programs do, but never for this machine's own
addresses.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlencode, urlunsplit
from weakref import WeakKeyDictionary

import httpx2

from toolkit.engine.endpoint.address import base_of, is_here, moved_to, parts_of
from toolkit.engine.endpoint.asking import body_of, is_about_value, leave_out, members_of, named_in
from toolkit.engine.endpoint.dialects import Answer
from toolkit.engine.endpoint.failures import Told, judged, told_by, told_in, wait_s
from toolkit.engine.endpoint.listing import window_of, windows_in
from toolkit.engine.jsontext import dump
from toolkit.engine.model import Delta, ModelError, ModelRequest
from toolkit.errors import EngineError

__all__ = ["Endpoint"]

_CONNECT_S: Final = 10.0
_NAMES_S: Final = 15.0
_IDLE_S: Final = {"http": 4.0, "https": 30.0}
"""How long an idle connection is kept: less than its server keeps it, or a request may meet one that is being closed.
Servers of one's own close after 5 s (uvicorn, so vLLM and SGLang, and Node), load balancers of the rest after 60."""
_LINGER_S: Final = 5.0
"""How long to wait for usage once the end was told, of servers that never close."""
_CLOSE_S: Final = 0.05
"""How long to wait for the end of the body after its last event, so that the connection can be used again."""
_LISTING_HOLDS_S: Final = 600.0
"""How long the windows that a listing told are used before it is asked for again."""
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET: Final = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
"""Names of headers and query parameters whose values are never shown."""
_JSON: Final = {"Content-Type": "application/json"}
_SHORT: Final = 3
"""Characters of a value that is no secret, and would only make holes in what is shown."""


class Endpoint:
    """A chat completions endpoint.

    `url` is its base, such as http://localhost:11434/v1, or the whole address that ends in /chat/completions. `key` is
    sent as `Authorization: Bearer`, or plain in the header that `key_header` names (Azure: `api-key`). `headers` and
    `query` go with every request. `context_tokens` is the window of its models; without it, what the endpoint's listing
    tells counts. `timeout_s` bounds a whole completion unless the request says otherwise. Each event loop that uses it
    has connections of its own. Raises EngineError for a URL, key or header that is none.

        Endpoint("http://localhost:11434/v1")
        Endpoint("https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT", key=key, key_header="api-key",
                 query={"api-version": "2024-10-21"})
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        key_header: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        context_tokens: int | None = None,
        timeout_s: float = 600,
    ) -> None:
        parts, headers, query = parts_of(url), headers or {}, query or {}
        key = (key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise EngineError("The model key holds characters that no key has. Check --model-key or TOOLKIT_MODEL_KEY.")
        for name, value in [*headers.items(), (key_header or "Authorization", "")]:
            if not _HEADER.fullmatch(name) or not (value.isascii() and value.isprintable()):
                raise EngineError(f"{name!r} is no header that a model endpoint can be sent. Check its name and value.")
        path = parts.path.rstrip("/").removesuffix("/chat/completions")
        parts = parts._replace(query="&".join(filter(None, (parts.query, urlencode(query)))))
        self._completions = urlunsplit(parts._replace(path=f"{path}/chat/completions", fragment=""))
        self._models = urlunsplit(parts._replace(path=f"{path}/models", fragment=""))
        self._base = parts._replace(path=path, fragment="")
        self._where = base_of(url)
        """For people: without what may be secret."""
        given = [*headers.items(), *query.items()]
        secrets = [key, *(value for name, value in given if _SECRET.search(name))]
        self._secrets = [secret for secret in secrets if len(secret) > _SHORT]
        self._idle_s = _IDLE_S[parts.scheme]
        self._may_use_proxy = not is_here(parts.hostname or "")
        self._timeout_s = timeout_s
        own = {
            "User-Agent": "assistants-toolkit",
            "Accept-Encoding": "identity",  # a compressed stream is held back by what compresses it
            **({key_header or "Authorization": key if key_header else f"Bearer {key}"} if key else {}),
        }
        wanted = {name.lower() for name in headers}
        self._headers = {**{name: value for name, value in own.items() if name.lower() not in wanted}, **headers}
        self._refused: dict[str, frozenset[str]] = {}
        """Model name -> members of a request that it was found not to take."""
        self._context_tokens = context_tokens
        self._windows: Mapping[str, int | None] = {}
        self._listing_due = 0.0
        self._listings: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = WeakKeyDictionary()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"Endpoint({self._where!r})"

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        """Stream one completion. Raises ModelError; never asks again, but for members that the server does not take."""
        deadline = _now() + (self._timeout_s if request.timeout_s is None else request.timeout_s)
        async with self._answered(request, deadline) as response:
            self._learn_windows()
            answer = Answer(self._where, request.model, self._secrets, request.taken)
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
        """List the models there, and learn their windows. Raises ModelError."""
        try:
            async with asyncio.timeout(_NAMES_S):
                response = await self._client().get(self._models)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise self._unreachable(error) from error
        if response.status_code != 200:
            raise self._refusal(response, response.content, "")
        try:
            self._windows = windows_in(response.json())
        except (ValueError, RecursionError):
            text = f"The model endpoint {self._where} lists no models: its answer to GET /models is no JSON."
            raise ModelError(text) from None
        return list(self._windows)

    async def ask(self, path: str, body: Mapping[str, Any], timeout_s: float) -> Any:
        """Post JSON to a path below the base, and give the JSON of the answer. Raises ModelError."""
        url = urlunsplit(self._base._replace(path=f"{self._base.path}/{path}"))
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._client().post(url, content=dump(body), headers=_JSON)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise self._unreachable(error) from error
        if response.status_code != 200:
            raise self._refusal(response, response.content, str(body.get("model", "")))
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            raise ModelError(f"The model endpoint {self._where} answered with no JSON at /{path}.") from None
        if (told := told_in(answer)) is not None:
            raise judged(told, status=None, where=self._where, model=str(body.get("model", "")), secrets=self._secrets)
        return answer

    def window(self, name: str) -> int | None:
        """Tell a model's context window, in tokens: `context_tokens`, else what the listing told when it last came."""
        return self._context_tokens if self._context_tokens is not None else window_of(name, self._windows)

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        loop = asyncio.get_running_loop()
        if listing := self._listings.pop(loop, None):
            listing.cancel()
            await asyncio.gather(listing, return_exceptions=True)
        if client := self._clients.pop(loop, None):
            await client.aclose()

    def _learn_windows(self) -> None:
        """Ask for the listing in the background, now and then while the endpoint is used.

        Not at fixed times: a server that sleeps when it is not used, and costs money when it is awake, is left asleep.
        """
        if self._context_tokens is not None or time.monotonic() < self._listing_due:
            return
        self._listing_due = time.monotonic() + _LISTING_HOLDS_S

        async def learn() -> None:
            with suppress(ModelError):  # then no window is known, and a refusal will tell
                await self.names()

        self._listings[asyncio.get_running_loop()] = asyncio.create_task(learn(), name="learn context windows")

    def _client(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._new_client()
        return client

    def _new_client(self) -> httpx2.AsyncClient:
        try:
            return httpx2.AsyncClient(
                headers=self._headers,
                verify=httpx2.create_ssl_context(),  # here, so that SSL_CERT_FILE counts for this machine's servers too
                trust_env=self._may_use_proxy,
                timeout=httpx2.Timeout(None, connect=_CONNECT_S),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=self._idle_s),
            )
        except ImportError:
            raise ModelError("A SOCKS proxy (ALL_PROXY) needs: pip install socksio. Or set NO_PROXY.") from None
        except (ValueError, httpx2.InvalidURL):
            raise ModelError(
                "A proxy of the environment is not understood. Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY."
            ) from None

    @asynccontextmanager
    async def _answered(self, request: ModelRequest, deadline: float) -> AsyncGenerator[httpx2.Response]:
        """Send a request until it is taken, without what the server refuses by name; close the answer at the end."""
        members = members_of(request)
        leave_out(members, self._refused.get(request.model, frozenset()))
        lasting: frozenset[str] = frozenset()
        while True:
            response = await self._send(body_of(request, members), deadline)
            try:
                if response.status_code == 200:
                    if lasting:
                        self._refused[request.model] = self._refused.get(request.model, frozenset()) | lasting
                    yield response
                    return
                said = await self._read(response, deadline)
            finally:
                await response.aclose()
            named = named_in(response.status_code, said, members)
            if not named:
                raise self._refusal(response, said, request.model)
            about_value = is_about_value(said)
            leave_out(members, named, rename=not about_value)
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
        told = told_by(said)
        if 300 <= response.status_code < 400:
            told = Told(moved_to(self._completions, response.headers.get("location", "")))
        return judged(
            told,
            status=response.status_code,
            where=self._where,
            model=model,
            secrets=self._secrets,
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
