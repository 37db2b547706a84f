"""Eight tools of 100 ms in one turn: the floor is 100 ms."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.table import Row, Scale, ms
from toolkit import Toolset
from toolkit.tools.calls import Call
from toolkit.tools.dispatch import adispatch, dispatch

__all__ = ["measure"]

_CALLS = [Call(f"call_{number}", "slow", '{"seconds":0.1}') for number in range(8)]


def _sync() -> None:
    def slow(seconds: float) -> str:
        """Take a while."""
        time.sleep(seconds)
        return "done"

    assert all(finished.output.ok for _, finished in dispatch(Toolset(slow), _CALLS))


async def _async() -> None:
    async def slow(seconds: float) -> str:
        """Take a while."""
        await asyncio.sleep(seconds)
        return "done"

    assert [finished.output.ok async for _, finished in adispatch(Toolset(slow), _CALLS)] == [True] * 8


def measure(scale: Scale) -> Iterator[Row]:
    sync_s: list[float] = []
    async_s: list[float] = []
    for _ in range(scale.times(9)):
        began = time.perf_counter()
        _sync()
        sync_s.append(time.perf_counter() - began)
        began = time.perf_counter()
        asyncio.run(_async())
        async_s.append(time.perf_counter() - began)
    for name, seconds, budget_ms in (("sync", sync_s, 125), ("async", async_s, 115)):
        taken_s = median(seconds)
        yield Row(f"8 tools of 100 ms in one turn, {name}", f"{ms(taken_s)} / 100 ms", taken_s * 1e3, budget_ms, " ms")
