"""The transports carry a small ASGI application, read by the real clients."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from toolkit.errors import EngineError
from toolkit.server.inprocess import AsyncInProcess, InProcess, LoopThread

Message = MutableMapping[str, Any]


class App:
    """Says back what it was sent, streams, stalls, breaks; notes what happened to it."""

    def __init__(self) -> None:
        self.sent = 0
        self.left = threading.Event()
        self.on: str | None = None

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.on = threading.current_thread().name
        body = (await receive())["body"]
        path = scope["path"]
        if path == "/broken":
            raise ValueError("on purpose")
        if path == "/never":
            await self._until_gone(receive)
            return
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-made", b"yes")]})
        if path == "/echo":
            said = {
                "method": scope["method"],
                "query": scope["query_string"].decode(),
                "project": scope["toolkit.project"],
                "body": body.decode(),
            }
            await send({"type": "http.response.body", "body": json.dumps(said).encode()})
        elif path == "/stream":
            for number in range(3):
                await send({"type": "http.response.body", "body": f"{number};".encode(), "more_body": True})
                await asyncio.sleep(0.05)
            await send({"type": "http.response.body", "body": b""})
        elif path == "/stall":
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
            await self._until_gone(receive)
        elif path == "/flood":
            while self.sent < 1000:
                await send({"type": "http.response.body", "body": b"x" * 10, "more_body": True})
                self.sent += 1

    async def _until_gone(self, receive: Any) -> None:
        assert (await receive())["type"] == "http.disconnect"
        self.left.set()


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.stop()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def client(app: App, thread: LoopThread) -> Iterator[httpx2.Client]:
    with httpx2.Client(transport=InProcess(app, thread, "mine"), base_url="http://engine") as client:
        yield client


def aclient(app: App, thread: LoopThread) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=AsyncInProcess(app, thread, "mine"), base_url="http://engine")


SAID = {"method": "POST", "query": "a=1&b=%5B%5D", "project": "mine", "body": "é"}


def test_a_request_and_its_answer(client: httpx2.Client, app: App) -> None:
    answer = client.post("/echo?a=1&b=%5B%5D", content="é".encode())
    assert (answer.status_code, answer.headers["x-made"], answer.json()) == (201, "yes", SAID)
    assert app.on == "engine"


def test_a_request_and_its_answer_awaited(app: App, thread: LoopThread) -> None:
    async def main() -> None:
        async with aclient(app, thread) as client:
            answers = await asyncio.gather(
                *(client.post("/echo?a=1&b=%5B%5D", content="é".encode()) for _ in range(20))
            )
            assert [answer.json() for answer in answers] == [SAID] * 20

    asyncio.run(main())


def test_pieces_arrive_as_they_are_sent(client: httpx2.Client) -> None:
    began = time.monotonic()
    with client.stream("GET", "/stream") as answer:
        arrived = [(piece, time.monotonic() - began) for piece in answer.iter_raw()]
    assert [piece for piece, _ in arrived] == [b"0;", b"1;", b"2;"]
    assert arrived[2][1] - arrived[0][1] >= 0.05


def test_pieces_arrive_as_they_are_sent_awaited(app: App, thread: LoopThread) -> None:
    async def main() -> None:
        async with aclient(app, thread) as client, client.stream("GET", "/stream") as answer:
            arrived = [(piece, time.monotonic()) async for piece in answer.aiter_raw()]
        assert [piece for piece, _ in arrived] == [b"0;", b"1;", b"2;"]
        assert arrived[2][1] - arrived[0][1] >= 0.05

    asyncio.run(main())


def test_a_blocking_client_works_inside_a_running_loop(client: httpx2.Client) -> None:
    async def main() -> None:
        assert client.post("/echo").status_code == 201

    asyncio.run(main())


def test_leaving_early_is_told_to_the_application(client: httpx2.Client, app: App) -> None:
    with client.stream("GET", "/stall") as answer:
        assert next(answer.iter_raw()) == b"a"
    assert app.left.wait(5)


def test_leaving_early_is_told_to_the_application_awaited(app: App, thread: LoopThread) -> None:
    async def main() -> None:
        async with aclient(app, thread) as client:
            task = asyncio.create_task(client.get("/never"))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert app.left.wait(5)


@pytest.mark.parametrize("path", ["/never", "/stall"])
def test_time_outs_of_the_client_hold(client: httpx2.Client, app: App, path: str) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        client.get(path, timeout=0.1)
    assert app.left.wait(5)


@pytest.mark.parametrize("path", ["/never", "/stall"])
def test_time_outs_of_the_client_hold_awaited(app: App, thread: LoopThread, path: str) -> None:
    async def main() -> None:
        async with aclient(app, thread) as client:
            with pytest.raises(httpx2.ReadTimeout):
                await client.get(path, timeout=0.1)

    asyncio.run(main())
    assert app.left.wait(5)


def test_a_connection_can_be_shut_while_a_read_waits(client: httpx2.Client, app: App) -> None:
    with client.stream("GET", "/stall") as answer:
        connection = answer.extensions["network_stream"].get_extra_info("socket")
        threading.Timer(0.05, connection.shutdown, [2]).start()
        with pytest.raises(httpx2.ReadError, match="shut"):
            list(answer.iter_raw())
    assert app.left.wait(5)


def test_a_slow_reader_holds_the_application_up(client: httpx2.Client, app: App) -> None:
    with client.stream("GET", "/flood") as answer:
        pieces = answer.iter_raw()
        next(pieces)
        time.sleep(0.1)
        assert app.sent < 100
        assert sum(1 for _ in pieces) == 999


def test_an_application_that_breaks_is_a_read_error(client: httpx2.Client) -> None:
    with pytest.raises(httpx2.ReadError, match="on purpose"):
        client.get("/broken")


def test_a_blocking_client_on_the_engines_own_loop_is_refused(client: httpx2.Client, thread: LoopThread) -> None:
    async def misuse() -> None:
        client.get("/echo")

    with pytest.raises(RuntimeError, match="own loop"):
        thread.run(misuse())


@pytest.mark.parametrize("path", ["/never", "/stall"])
def test_who_waits_for_an_answer_when_the_loop_ends_is_told(app: App, path: str) -> None:
    thread = LoopThread()
    client = httpx2.Client(transport=InProcess(app, thread, "mine"), base_url="http://engine")
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(client.get, path, timeout=20)
        while app.on is None:
            time.sleep(0.01)
        thread.stop()
        with pytest.raises(httpx2.ReadError, match="broke off"):
            waiting.result(10)
    with pytest.raises(EngineError, match="is closed"):
        client.get("/echo")


class Taker:
    """Takes a request piece by piece: all of it, slowly, or so many bytes, and then says how many came."""

    def __init__(self, most: int = 2**40, pause_s: float = 0) -> None:
        self._most, self._pause_s = most, pause_s
        self.sizes: list[int] = []
        self.left = False

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        more = True
        while more and sum(self.sizes) < self._most:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left = True
                return
            self.sizes.append(len(message["body"]))
            more = message["more_body"]
            await asyncio.sleep(self._pause_s)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):  # more than may wait for a client that is still sending
            await send({"type": "http.response.body", "body": b"y", "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Source:
    """Gives pieces, and counts them."""

    def __init__(self, pieces: int, size: int = 1000) -> None:
        self._pieces, self._size = pieces, size
        self.given = 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self._pieces):
            self.given += 1
            yield b"x" * self._size

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece


def sent(awaited: bool, thread: LoopThread, app: Any, content: Any, **options: Any) -> httpx2.Response:
    """Send a request that has no length, by one client or the other."""
    if not awaited:
        with httpx2.Client(transport=InProcess(app, thread, "mine"), **options) as client:
            return client.post("http://engine/", content=iter(content))

    async def main() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=AsyncInProcess(app, thread, "mine"), **options) as client:
            return await client.post("http://engine/", content=aiter(content))

    return asyncio.run(main())


@pytest.mark.parametrize("awaited", [False, True])
def test_a_large_request_crosses_in_pieces_as_they_are_taken(thread: LoopThread, awaited: bool) -> None:
    app, source = Taker(), Source(3, 2_500_000)
    assert sent(awaited, thread, app, source).content == b"y" * 100
    assert (sum(app.sizes), max(app.sizes)) == (7_500_000, 2**20)


@pytest.mark.parametrize("awaited", [False, True])
def test_a_request_is_not_read_far_ahead_of_who_takes_it(thread: LoopThread, awaited: bool) -> None:
    app, source = Taker(pause_s=0.2), Source(50)
    with pytest.raises(httpx2.WriteTimeout):
        sent(awaited, thread, app, source, timeout=httpx2.Timeout(10, write=0.05))
    assert source.given < 10
    deadline = time.monotonic() + 10
    while not app.left:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("awaited", [False, True])
def test_a_request_that_is_answered_early_is_not_sent_to_its_end(thread: LoopThread, awaited: bool) -> None:
    app, source = Taker(most=1), Source(1000)
    assert sent(awaited, thread, app, source).content == b"y" * 100
    assert source.given < 1000


@pytest.mark.parametrize("awaited", [False, True])
def test_a_source_that_breaks_off_is_a_client_that_left(thread: LoopThread, awaited: bool) -> None:
    class Broken(Source):
        def __iter__(self) -> Iterator[bytes]:
            yield b"x"
            raise ZeroDivisionError

    app = Taker()
    with pytest.raises(ZeroDivisionError):
        sent(awaited, thread, app, Broken(1))
    deadline = time.monotonic() + 10
    while not app.left:
        assert time.monotonic() < deadline
        time.sleep(0.01)
