"""Many sessions, one after the other and beside each other: what they take goes back."""

from __future__ import annotations

import asyncio
import os
import resource

import pytest

from tests.sandbox.sessions import LIMITS, needs_wall, outputs, strongest
from toolkit.sandbox.pool import Pool
from toolkit.sandbox.sandbox import Ended, Result
from toolkit.sandbox.watch import processes

pytestmark = needs_wall


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.slow
@pytest.mark.parametrize("sessions", [500])
def test_nothing_grows(sessions: int) -> None:
    code = "data = b'x' * 10**6\nopen('a', 'wb').write(data)\nimport os\nif {0} % 3 == 1: os._exit(1)\n{0}"

    async def main() -> None:
        pool = Pool(strongest(), LIMITS, spare=2)
        seen: list[tuple[int, int, int]] = []
        try:
            for number in range(sessions):
                held = await pool.session(f"thread {number}")
                assert held.is_new
                last = (await outputs(held.session, code.format(number)))[-2:]
                assert isinstance(last[-1], Ended) if number % 3 == 1 else Result(str(number)) in last
                if number % 5 != 4:  # some live on beside the others
                    await pool.end(f"thread {number}")
                if number % 50 == 49:
                    for old in range(number - 49, number + 1):
                        await pool.end(f"thread {old}")
                    await asyncio.sleep(1)
                    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                    seen.append((len(list(processes(os.getpid()))), descriptors(), used))
        finally:
            await pool.aclose()
        first, last_seen = seen[0], seen[-1]
        assert last_seen[0] == first[0]
        assert abs(last_seen[1] - first[1]) <= 4
        assert last_seen[2] - first[2] < 20_000  # KiB

    before = len(list(processes(os.getpid())))
    asyncio.run(main())
    assert len(list(processes(os.getpid()))) == before
