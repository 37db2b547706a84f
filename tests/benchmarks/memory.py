"""Memory of the server over many runs; `--scale 4` goes beyond the 10,000 of the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.servers import Served, engine_and_model
from tests.benchmarks.table import Row, Scale
from tests.benchmarks.talking import Talk, talking

__all__ = ["measure"]


def measure(scale: Scale) -> Iterator[Row]:
    if not Path("/proc/self/status").exists():  # no such figures elsewhere without another package
        return
    count = scale.times(3000, 16)
    with engine_and_model() as served:
        half, full = asyncio.run(_measure(served, count))
    yield Row(f"memory of the server after {count} runs", f"{full:.1f} MiB", full, 100, " MiB")
    yield Row("growth over the second half of them", f"{half:.1f} -> {full:.1f} MiB", full / half, 1.05)


async def _measure(served: Served, count: int) -> tuple[float, float]:
    async with talking(served, "plain") as talk:
        await _runs(talk, count // 2)
        half = _mebibytes(served.pid)
        await _runs(talk, count // 2)
    return half, _mebibytes(served.pid)


async def _runs(talk: Talk, count: int) -> None:
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await talk.plain_run()

    await asyncio.gather(*(worker() for _ in range(8)))


def _mebibytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the server is not there any more")
