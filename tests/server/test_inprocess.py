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
