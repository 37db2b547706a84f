"""From the model's JSON to the text that goes back, against pydantic-core's `validate_json` and the call itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median
from typing import Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from tests.benchmarks.table import Row, Scale, against, interleaved, us
from toolkit import tool

__all__ = ["measure"]

_ARGUMENTS = '{"city":"Seoul","unit":"f","days":3}'


class Arguments(TypedDict):
    """The arguments of the functions below."""

    city: str
    unit: Literal["c", "f"]
    days: int


def weather(city: str, unit: Literal["c", "f"], days: int) -> str:
    """Weather in a city."""
    return "sunny"


async def aweather(city: str, unit: Literal["c", "f"], days: int) -> str:
    """Weather in a city."""
    return "sunny"


def measure(scale: Scale) -> Iterator[Row]:
    validate = TypeAdapter(Arguments).validator.validate_json
    call, acall = tool(weather).call, tool(aweather).acall

    def floor() -> str:
        return weather(**validate(_ARGUMENTS))

    async def afloor() -> str:
        return await aweather(**validate(_ARGUMENTS))

    rounds, batch = scale.times(40), scale.times(5000)
    assert call(_ARGUMENTS).content == floor()
    ours_s, floor_s = interleaved(lambda: call(_ARGUMENTS), floor, rounds=rounds, batch=batch)
    yield against("dispatch, JSON to output, sync", ours_s, floor_s, 3, us)
    ours_s, floor_s = asyncio.run(_interleaved(lambda: acall(_ARGUMENTS), afloor, rounds, batch))
    yield against("dispatch, JSON to output, async", ours_s, floor_s, 4, us)


async def _interleaved(
    ours: Callable[[], Awaitable[object]], floor: Callable[[], Awaitable[object]], rounds: int, batch: int
) -> list[float]:
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, seconds in zip((ours, floor), took, strict=True):
            began = time.perf_counter()
            for _ in range(batch):
                await work()
            seconds.append((time.perf_counter() - began) / batch)
    return [median(seconds) for seconds in took]
