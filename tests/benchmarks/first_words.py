"""How soon a listener hears something: the first event after its request, the first text after the model said it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.servers import Served, engine_and_model
from tests.benchmarks.table import Row, Scale, ms
from tests.benchmarks.talking import QUESTION, Talk, talking

__all__ = ["measure"]

_STAMP = re.compile(rb'"value":"(\d+)"')


def measure(scale: Scale) -> Iterator[Row]:
    with engine_and_model() as served:
        event_s, text_s = asyncio.run(_measure(served, scale.times(60, 2)))
    yield Row("first stream event after the request", ms(event_s), event_s * 1e3, 5, " ms")
    yield Row("first text after the model's", ms(text_s), text_s * 1e3, 5, " ms")


async def _measure(served: Served, rounds: int) -> tuple[float, float]:
    async with talking(served, "stamped") as talk:
        await _listen(talk)
        heard = [await _listen(talk) for _ in range(rounds)]
    return median(event_s for event_s, _ in heard), median(text_s for _, text_s in heard)


async def _listen(talk: Talk) -> tuple[float, float]:
    """Stream one run, whose model says the time first: seconds to the first event, and from that text to here."""
    thread_id = await talk.thread(QUESTION)
    first_at = text_s = 0.0
    said = b""
    began = time.monotonic()
    async with talk.streaming(thread_id) as chunks:
        async for chunk in chunks:
            now = time.monotonic_ns()
            first_at = first_at or now / 1e9
            said += chunk
            if not text_s and (stamp := _STAMP.search(said)):
                text_s = (now - int(stamp[1])) / 1e9
    assert b"thread.run.completed" in said
    return first_at - began, text_s
