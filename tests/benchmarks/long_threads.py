"""A run in a long thread, against one whose thread is just as long as what goes to the model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.servers import Served, engine_and_model
from tests.benchmarks.table import Row, Scale, against, ms
from tests.benchmarks.talking import QUESTION, Talk, talking

__all__ = ["measure"]

_WINDOW_TOKENS = 2000
_FILLS_WINDOW = 160
"""Messages of this size that the window holds."""


def measure(scale: Scale) -> Iterator[Row]:
    count = scale.times(10_000, _FILLS_WINDOW)
    with engine_and_model("--context-tokens", str(_WINDOW_TOKENS)) as served:
        long_s, short_s = asyncio.run(_measure(served, count, scale.times(40)))
    yield against(f"run in a thread of {count} messages, against {_FILLS_WINDOW}", long_s, short_s, 1.2, ms)


async def _measure(served: Served, count: int, rounds: int) -> tuple[float, float]:
    async with talking(served, "plain") as talk:
        threads = await talk.thread(*[QUESTION] * count), await talk.thread(*[QUESTION] * _FILLS_WINDOW)
        took: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for thread_id, seconds in zip(threads, took, strict=True):
                seconds.append(await _seconds(talk, thread_id))
    return median(took[0]), median(took[1])


async def _seconds(talk: Talk, thread_id: str) -> float:
    began = time.perf_counter()
    said = await talk.stream(f"/threads/{thread_id}/runs", {"assistant_id": talk.assistant_id})
    assert b"thread.run.completed" in said
    return time.perf_counter() - began
