from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import httpx2

from tests.server.conftest import Serve
from toolkit.engine.store import Tx
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import StoreUnavailable
from toolkit.server.health import Readiness

T = TypeVar("T")


class Moody(SQLite):
    """A store that can be out of order, or slow."""

    def __init__(self) -> None:
        super().__init__(parse("sqlite:///:memory:"))
        self.full = False
        self.open = asyncio.Event()
        self.open.set()
        self.writes = 0

    async def write(self, work: Callable[[Tx], T]) -> T:
        self.writes += 1
        await self.open.wait()
        if self.full:
            raise StoreUnavailable("The disk is full.")
        return await super().write(work)


class Work:
    waiting = working = 0
    closing = False


def test_ready_while_the_store_can_be_read_and_written() -> None:
    async def scenario() -> None:
        store = Moody()
        assert await Readiness(store, Work()).missing() is None
        store.full = True
        readiness = Readiness(store, Work())
        assert await readiness.missing() == "The store cannot be read and written."
        store.full = False
        assert await readiness.missing() is not None, "an answer holds for a second"
        await asyncio.sleep(1.05)
        assert await readiness.missing() is None
        await store.aclose()
        assert await Readiness(store, Work()).missing() == "The store cannot be read and written."

    asyncio.run(scenario())


def test_a_store_that_hangs_is_asked_once_and_waited_for_briefly() -> None:
    async def scenario() -> None:
        store = Moody()
        store.open.clear()
        readiness = Readiness(store, Work())
        began = time.monotonic()
        found = await asyncio.gather(*[readiness.missing() for _ in range(50)])
        assert time.monotonic() - began < 10
        assert set(found) == {"The store did not answer within 2 s."}
        assert store.writes == 1
        store.open.set()
        await asyncio.sleep(1.05)
        assert await readiness.missing() is None
        await store.aclose()

    asyncio.run(scenario())


def test_many_who_ask_cost_the_store_nothing_more() -> None:
    async def scenario() -> None:
        store = Moody()
        readiness = Readiness(store, Work())
        for _ in range(20):
            await asyncio.gather(*[readiness.missing() for _ in range(20)])
        assert store.writes <= 2
        await store.aclose()

    asyncio.run(scenario())


def test_an_engine_that_shuts_down_says_so_at_once() -> None:
    async def scenario() -> None:
        store, work = Moody(), Work()
        readiness = Readiness(store, work)
        assert await readiness.missing() is None
        work.closing = True
        assert await readiness.missing() == "The engine is shutting down."
        await store.aclose()

    asyncio.run(scenario())


def test_the_answers(serve: Serve) -> None:
    http = serve(api_keys={"k": "p"})
    for path in ("/healthz", "/health"):
        assert (http.get(path).status_code, http.get(path).json()) == (200, {"status": "ok"})
        assert http.head(path).content == b""
    assert (http.get("/readyz").status_code, http.get("/readyz").json()) == (200, {"status": "ready"})


def test_an_engine_whose_store_is_closed_is_alive_and_not_ready(serve: Serve) -> None:
    store = Moody()
    store.full = True
    http = serve(store=store)
    response: httpx2.Response = http.get("/readyz")
    assert (response.status_code, response.json()) == (
        503,
        {"status": "not ready", "reason": "The store cannot be read and written."},
    )
    assert http.get("/healthz").status_code == 200
    made = http.post("/v1/threads", json={})
    assert (made.status_code, made.json()["error"]["code"]) == (503, "store_unavailable")
    assert "disk" not in made.text
