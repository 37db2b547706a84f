from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.engine.patience import Patience
from toolkit.engine.store import Tx
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import StoreUnavailable


class Failing:
    """A store that is in trouble for the first few times."""

    def __init__(self, times: int) -> None:
        self._inner, self.times = SQLite(parse("sqlite:///:memory:")), times

    async def write(self, work: Callable[[Tx], Any]) -> Any:
        self.times -= 1
        if self.times >= 0:
            raise StoreUnavailable("Full.")
        return await self._inner.write(work)

    read = write

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.mark.parametrize("way", ["read", "write"])
def test_a_store_in_trouble_is_waited_for_longer_and_longer(way: str) -> None:
    async def work() -> None:
        store, paused = Failing(6), list[float]()

        async def pause(seconds: float) -> None:
            paused.append(seconds)

        patience = Patience(store, "run_a", lambda: 60.0, pause)  # type: ignore[arg-type]  # the rest is never asked
        assert await getattr(patience, way)(lambda tx: tx.all("key.all")) == []
        assert paused == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
        await store.aclose()

    asyncio.run(work())


def test_what_does_not_end_in_time_is_raised() -> None:
    async def work() -> None:
        store, left = Failing(99), [1.0, 0.9, 0.1]

        async def pause(seconds: float) -> None:
            pass

        patience = Patience(store, "run_a", lambda: left.pop(0), pause)  # type: ignore[arg-type]  # as above
        with pytest.raises(StoreUnavailable):
            await patience.write(lambda tx: None)
        assert left == []
        await store.aclose()

    asyncio.run(work())
