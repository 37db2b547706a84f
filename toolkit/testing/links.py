"""Stand between a client and what it talks to: a transport that lets somebody look at each exchange, and change it.

An `Exchange` decides without I/O what becomes of one request; `Linked` and `AsyncLinked` do it, blocking and awaiting.
The client stays a real `openai` client, and what it talks to stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast, overload

import httpx2

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

__all__ = ["Answer", "AsyncLinked", "Begin", "Exchange", "Linked", "Sent", "linked"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as the client sent it."""

    method: str
    url: httpx2.URL
    headers: Mapping[str, str]
    content: bytes

    @property
    def path(self) -> str:
        """The path below the API's own, such as `/threads/runs`, with its query."""
        path, mark, query = self.url.raw_path.decode("ascii").partition("?")
        _, version, below = path.partition("/v1/")
        return (f"/{below}" if version else path) + mark + query

    @property
    def body(self) -> Any:
        """Its JSON; None without any."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that nobody but we gives."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterable[bytes]

    @classmethod
    def of(cls, status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Answer with JSON."""
        return cls(status, {"content-type": "application/json", **(headers or {})}, (json.dumps(body).encode(),))


class Exchange(Protocol):
    """What becomes of one request. Whatever a method raises, the client meets in the place of a network's own errors.

    Bodies are heard as they are, whatever encoding they travel in.
    """

    def ask(self) -> Answer | None:
        """Answer in the place of the other side, or let the request through with None."""
        ...

    def begin(self, status: int, headers: Mapping[str, str]) -> Callable[[], Answer] | None:
        """Hear the answer's head; to give another answer, say how, and the real one is read to its end before."""
        ...

    def feed(self, piece: bytes) -> Iterable[bytes]:
        """Hear a piece of the answer's body, and say what goes on to the client."""
        ...

    def end(self) -> Iterable[bytes]:
        """Hear that the answer has come whole, and say what else goes to the client."""
        ...

    def left(self) -> None:
        """Hear that nobody reads any further: after the end, or before it."""
        ...


Begin = Callable[[Sent], Exchange]


@overload
def linked(client: OpenAI, begin: Begin) -> OpenAI: ...
@overload
def linked(client: AsyncOpenAI, begin: Begin) -> AsyncOpenAI: ...
def linked(client: OpenAI | AsyncOpenAI, begin: Begin) -> OpenAI | AsyncOpenAI:
    """Give a client that is as this one, but for whom each request is an `Exchange`; closing it closes the other."""
    from openai import OpenAI

    # The client's own HTTP client, with whatever was set on it; there is no other way to it.
    if isinstance(client, OpenAI):
        inner = client._client  # pyright: ignore[reportPrivateUsage]
        return client.with_options(http_client=httpx2.Client(transport=Linked(inner, begin)))
    ainner = client._client  # pyright: ignore[reportPrivateUsage]
    return client.with_options(http_client=httpx2.AsyncClient(transport=AsyncLinked(ainner, begin)))


class Linked(httpx2.BaseTransport):
    """The transport of a blocking client: lets requests through to `inner`, which it closes; None is nobody."""

    def __init__(self, inner: httpx2.Client | None, begin: Begin) -> None:
        self._inner, self._begin = inner, begin

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Let one exchange happen."""
        exchange = self._begin(_sent(request, request.read()))
        answer = exchange.ask()
        if answer is not None or self._inner is None:
            return _response(answer, request)
        response = self._inner.send(request, stream=True)
        try:
            instead = exchange.begin(response.status_code, response.headers)
            if instead is not None:
                for _ in response.iter_bytes():
                    pass
                response.close()
                return _response(instead(), request)
        except BaseException:
            response.close()
            raise
        return httpx2.Response(
            response.status_code,
            headers=_plain(response),
            stream=_Pieces(response, exchange),
            request=request,
            extensions={name: value for name, value in response.extensions.items() if name == "network_stream"},
        )

    def close(self) -> None:
        """Close what is behind."""
        if self._inner is not None:
            self._inner.close()


class AsyncLinked(httpx2.AsyncBaseTransport):
    """The transport of an awaiting client; otherwise as `Linked`."""

    def __init__(self, inner: httpx2.AsyncClient | None, begin: Begin) -> None:
        self._inner, self._begin = inner, begin

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Let one exchange happen."""
        exchange = self._begin(_sent(request, await request.aread()))
        answer = exchange.ask()
        if answer is not None or self._inner is None:
            return _response(answer, request)
        response = await self._inner.send(request, stream=True)
        try:
            instead = exchange.begin(response.status_code, response.headers)
            if instead is not None:
                async for _ in response.aiter_bytes():
                    pass
                await response.aclose()
                return _response(instead(), request)
        except BaseException:
            await response.aclose()
            raise
        return httpx2.Response(
            response.status_code, headers=_plain(response), stream=_AsyncPieces(response, exchange), request=request
        )

    async def aclose(self) -> None:
        """Close what is behind."""
        if self._inner is not None:
            await self._inner.aclose()


class _Pieces(httpx2.SyncByteStream):
    def __init__(self, response: httpx2.Response, exchange: Exchange) -> None:
        self._response, self._exchange = response, exchange

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._response.iter_bytes():
            yield from self._exchange.feed(piece)
        yield from self._exchange.end()

    def close(self) -> None:
        self._exchange.left()
        self._response.close()


class _AsyncPieces(httpx2.AsyncByteStream):
    def __init__(self, response: httpx2.Response, exchange: Exchange) -> None:
        self._response, self._exchange = response, exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.aiter_bytes():
            for one in self._exchange.feed(piece):
                yield one
        for one in self._exchange.end():
            yield one

    async def aclose(self) -> None:
        self._exchange.left()
        await self._response.aclose()


class _Given(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def _plain(response: httpx2.Response) -> list[tuple[str, str]]:
    """Give the headers of what is not encoded any more, and whose length nobody knows."""
    return [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    ]


def _sent(request: httpx2.Request, content: bytes) -> Sent:
    return Sent(request.method, request.url, cast("Mapping[str, str]", request.headers), content)


def _response(answer: Answer | None, request: httpx2.Request) -> httpx2.Response:
    if answer is None:
        raise httpx2.ConnectError("There is nobody behind this transport.", request=request)
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    return httpx2.Response(answer.status, headers=headers, stream=_Given(answer.pieces), request=request)
