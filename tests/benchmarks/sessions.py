"""Sessions for code: what the wall and the worker cost over the code's own time.

Floors in the same run: a bare `python -c`, and a bare Jupyter kernel (no wall), where ipykernel and jupyter_client can
be imported; where not, its rows say so.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from statistics import median
from typing import Any

from tests.benchmarks.table import Row, Scale, against, ms
from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.choice import Chosen, chosen
from toolkit.sandbox.pool import Pool
from toolkit.sandbox.sandbox import Image, Limits, Session, Text

__all__ = ["measure"]

LIMITS = Limits()
PRELUDE = """
for _ in ("numpy", "pandas", "matplotlib.pyplot"):
    try:
        __import__(_)
    except ImportError:
        pass
"""
"""As the engine's."""
PICTURE = """
import io, time
import matplotlib.pyplot as plt
class Picture:
    def __init__(self):
        figure, axes = plt.subplots()
        axes.plot(range(100))
        file = io.BytesIO()
        figure.savefig(file, format="png")
        plt.close(figure)
        self.png = file.getvalue()
        print(time.monotonic(), flush=True)
    def _repr_png_(self):
        return self.png
Picture()
"""


def measure(scale: Scale) -> Iterator[Row]:
    """Measure on the strongest wall that stands here; no rows without one."""
    try:
        sandbox = asyncio.run(chosen())
    except SandboxUnavailable:
        return
    first, call, picture = asyncio.run(_warm(sandbox, scale))
    yield Row("first call of a thread, its session ready", ms(first), first * 1e3, 150, " ms")
    yield Row("a call adds to its code's own time", ms(call), call * 1e3, 10, " ms")
    if picture is None:
        yield Row("picture out after savefig", "matplotlib is absent", 0, 50, " ms")
    else:
        yield Row("picture out after savefig", ms(picture), picture * 1e3, 50, " ms")
    cold, plain = _cold(sandbox, scale)
    yield against("session from nothing to its first answer, to python -c", cold, plain, 8, ms)
    if find_spec("ipykernel") is None or find_spec("jupyter_client") is None:
        yield Row("the same, to a Jupyter kernel", "ipykernel is absent", 0, 1)
        return
    kernel_cold, kernel_call = _kernel(scale)
    yield against("the same, to a Jupyter kernel", cold, kernel_cold, 0.5, ms)
    yield against("a call, to a Jupyter kernel's", call, kernel_call, 0.5, ms)


async def _warm(sandbox: Chosen, scale: Scale) -> tuple[float, float, float | None]:
    pool = Pool(sandbox, LIMITS, prelude=PRELUDE)
    pool.warm()
    first: list[float] = []
    calls: list[float] = []
    pictures: list[float] = []
    try:
        for number in range(scale.times(20)):
            while not pool.is_warm:
                await asyncio.sleep(0.01)
            began = time.perf_counter()
            held = await pool.session(f"thread {number}")
            await _said(held.session, "1")
            first.append(time.perf_counter() - began)
            calls += [await _timed(held.session) for _ in range(scale.times(10))]
            if number == 0:
                for _ in range(scale.times(20)):
                    pictures += await _picture(held.session)
            await pool.end(f"thread {number}")
    finally:
        await pool.aclose()
    return median(first), median(calls), median(pictures) if pictures else None


async def _timed(session: Session) -> float:
    began = time.perf_counter()
    await _said(session, "x = 1")
    return time.perf_counter() - began


async def _picture(session: Session) -> Sequence[float]:
    """Give how long a picture was under way; nothing when none can be drawn."""
    saved = 0.0
    found: list[float] = []
    async for each in session.execute(PICTURE, LIMITS):
        if isinstance(each, Text):
            saved = float(each.text)
        elif isinstance(each, Image):
            found.append(time.monotonic() - saved)
    return found


async def _said(session: Session, code: str) -> None:
    async for _ in session.execute(code, LIMITS):
        pass


def _cold(sandbox: Chosen, scale: Scale) -> tuple[float, float]:
    async def once() -> float:
        began = time.perf_counter()
        session = await sandbox.open(LIMITS)
        await _said(session, "1")
        took = time.perf_counter() - began
        await session.aclose()
        return took

    ours: list[float] = []
    plain: list[float] = []
    for _ in range(scale.times(15)):
        ours.append(asyncio.run(once()))
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True)
        plain.append(time.perf_counter() - began)
    return median(ours), median(plain)


def _kernel(scale: Scale) -> tuple[float, float]:
    from jupyter_client.manager import KernelManager  # type: ignore[import-not-found]

    cold: list[float] = []
    calls: list[float] = []
    for _ in range(scale.times(5)):
        began = time.perf_counter()
        manager: Any = KernelManager()
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        client.execute_interactive("1", output_hook=lambda _: None)
        cold.append(time.perf_counter() - began)
        for _ in range(scale.times(10)):
            began = time.perf_counter()
            client.execute_interactive("x = 1", output_hook=lambda _: None)
            calls.append(time.perf_counter() - began)
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return median(cold), median(calls)
