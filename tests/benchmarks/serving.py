"""Whole runs over HTTP on SQLite, with a model that answers at once, against one direct call of that model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from statistics import median

from tests.benchmarks.servers import Served, engine_and_model
from tests.benchmarks.table import Row, Scale, against, ms
from tests.benchmarks.talking import talking

__all__ = ["measure"]

_Work = Callable[[], Awaitable[None]]


def measure(scale: Scale) -> Iterator[Row]:
    with engine_and_model() as served:
        yield from asyncio.run(_measure(served, scale))


async def _measure(served: Served, scale: Scale) -> Sequence[Row]:
    async with talking(served, "plain") as plain, talking(served, "calls-1-1") as tools:
        works = (plain.direct, plain.plain_run, plain.polled_run, tools.tool_run, plain.nothing)
        direct_s, plain_s, polled_s, tool_s, nothing_s = await _one_at_a_time(works, scale.times(200, 2))
        at_8, at_32 = await _at_once(plain.plain_run, (8, 32), scale.times(256, 32), rounds=scale.times(8))
    return (
        against("plain run at 1, against a direct model call", plain_s, direct_s, 25, ms),
        Row(
            "plain run at 1, p50, / its HTTP and model call alone",
            f"{ms(plain_s)} / {ms(nothing_s)}",
            plain_s * 1e3,
            6,
            " ms",
        ),
        against("plain run at 1, polled", polled_s, direct_s, 25, ms),
        Row("plain runs at 32, against 8", f"{1 / at_32:.0f}/s / {1 / at_8:.0f}/s", at_32 / at_8, 1.05),
        against("tool run, against a plain run", tool_s, plain_s, 2, ms),
    )


async def _one_at_a_time(works: Sequence[_Work], rounds: int) -> list[float]:
    took: list[list[float]] = [[] for _ in works]
    for number in range(rounds + rounds // 10 + 1):
        for work, seconds in zip(works, took, strict=True):
            began = time.perf_counter()
            await work()
            if number > rounds // 10:  # the first ones warm up
                seconds.append(time.perf_counter() - began)
    return [median(seconds) for seconds in took]


async def _at_once(work: _Work, widths: Sequence[int], count: int, rounds: int) -> list[float]:
    """Give the seconds per run with so many at once, all in turn."""
    took: list[list[float]] = [[] for _ in widths]
    for _ in range(rounds):
        for width, seconds in zip(widths, took, strict=True):
            left = iter(range(count))

            async def worker(left: Iterator[int] = left) -> None:
                for _ in left:
                    await work()

            began = time.perf_counter()
            await asyncio.gather(*(worker() for _ in range(width)))
            seconds.append((time.perf_counter() - began) / count)
    return [median(seconds) for seconds in took]
