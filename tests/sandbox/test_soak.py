"""Many sessions, one after the other and beside each other, honest and hostile: what they take goes back."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.sandbox.sessions import LIMITS, needs_wall, outputs, strongest
from toolkit.sandbox.pool import Pool
from toolkit.sandbox.sandbox import Ended, Result
from toolkit.sandbox.session import WalledSession
from toolkit.sandbox.watch import processes

pytestmark = needs_wall

HONEST = "data = b'x' * 10**6\nopen('a', 'wb').write(data)\n{0}"
LEAVING = """
import os, signal, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        signal.signal(15, signal.SIG_IGN)
        time.sleep(1000)
{0}
"""
DYING = "import os\nopen('a', 'w').write('x' * 10**6)\nos._exit(1)"
FORGING = """
import fcntl, os, stat
for f in range(3, 20):
    if os.path.lexists(f"/proc/self/fd/{f}") and stat.S_ISFIFO(os.fstat(f).st_mode):
        if fcntl.fcntl(f, fcntl.F_GETFL) & os.O_WRONLY:
            os.write(f, b"no answer\\n" * 1000)
while True: pass
"""
KINDS = (HONEST, LEAVING, DYING, FORGING, "killed")


class Seen(NamedTuple):
    """What the engine's process has and holds, after so many sessions."""

    sessions: int
    processes: int
    descriptors: int
    memory_kib: int


def look(sessions: int) -> Seen:
    said = Path("/proc/self/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", said)
    assert found is not None
    return Seen(sessions, len(list(processes(os.getpid()))), len(os.listdir("/proc/self/fd")), int(found[1]))


async def use(pool: Pool, number: int) -> None:
    held = await pool.session(f"thread {number}")
    assert held.is_new
    kind = KINDS[number % len(KINDS)]
    if kind == "killed":
        assert isinstance(held.session, WalledSession)
        os.kill(held.session.pid, signal.SIGKILL)
        kind = "while True: pass"
    found = await outputs(held.session, kind.replace("{0}", str(number)))
    if kind not in (HONEST, LEAVING):
        assert isinstance(found[-1], Ended)
    else:
        assert Result(str(number)) in found


@pytest.mark.slow
@pytest.mark.parametrize("sessions", [500])
def test_nothing_grows(sessions: int) -> None:
    async def main() -> list[Seen]:
        pool = Pool(strongest(), LIMITS, spare=2)
        seen: list[Seen] = []
        try:
            for number in range(sessions):
                await use(pool, number)
                if number % 7:  # some live on beside the others
                    await pool.end(f"thread {number}")
                if number % 50 == 49:
                    for old in range(number - 49, number + 1):
                        await pool.end(f"thread {old}")
                    while not pool.is_warm:
                        await asyncio.sleep(0.05)
                    seen.append(look(number + 1))
                    print(*seen[-1])
        finally:
            await pool.aclose()
        return seen

    before = len(list(processes(os.getpid())))
    first, *_, last = asyncio.run(main())
    assert last.processes == first.processes
    assert abs(last.descriptors - first.descriptors) <= 4
    assert last.memory_kib - first.memory_kib < 10_000
    assert len(list(processes(os.getpid()))) == before
