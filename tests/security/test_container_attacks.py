"""The same attacks from inside containers, and the ends of those, wherever Docker or Podman runs here.

What a container shows of its own (the image's /etc, an empty /sys) is no escape. Under gVisor the kernel attacked is
one that the session has for itself: what gives way there is its own, and nobody else's.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.images import IMAGE, RUNNERS, container
from tests.sandbox.sessions import LIMITS, Desk, opened, said
from tests.security.attacks import ATTACKS, BOMBS, PRELUDE, Attack
from tests.security.hosts import MARK, attacked
from toolkit.sandbox.containers import Containers, runners
from toolkit.sandbox.sandbox import Ended, Text

pytestmark = pytest.mark.slow

OF_THE_IMAGE = {
    *("the users", "what the system runs", "the kernel's devices", "other roots", "what is in etc"),
    "the same by a device",  # there the kernel counts what is in a container, whoever has it
}
OF_THE_MACHINE = {
    *("how the machine was started", "disks by their names", "locks of other processes", "what drives the machine"),
    *("file systems of the machine", "how busy the machine is"),
}
"""Engines of containers show it, and let nobody change that."""
OF_ITS_OWN_KERNEL = {
    "timers without end",
    *("changing the worker", "open descriptors", "terminals", "the terminal of the engine"),
    *("the first process's environment", "being spared when memory is out", "privileges by programs"),
    *(
        "going before others",
        "processes without end",
        "killing the first process",
        "stopping the parent",
        "killing everybody",
    ),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with attacked(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture(scope="module", params=RUNNERS)
def sandbox(request: pytest.FixtureRequest) -> Containers:
    found, reason = container(request.param)
    if found is None:
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def desk(sandbox: Containers, host: dict[str, Any]) -> Iterator[Desk]:
    with opened(sandbox) as desk:
        assert desk.run(f"{PRELUDE}\nHOST = {host!r}") == []
        yield desk
        assert desk.said("6 * 7") == "42"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_it_was_made_and_got_nothing(sandbox: Containers, desk: Desk, attack: Attack) -> None:
    if sandbox.own_kernel and attack.name in OF_ITS_OWN_KERNEL:
        pytest.skip("of a kernel that the session has for itself")
    answer = desk.said(attack.code)
    assert MARK not in answer
    assert "refused" in answer or "ESCAPED" in answer, answer
    if attack.name not in OF_THE_IMAGE | OF_THE_MACHINE:
        assert re.search(attack.answer, answer), answer
        assert "ESCAPED" not in answer


def test_processes_without_end_end_what_gvisor_is_for(sandbox: Containers) -> None:
    if not sandbox.own_kernel:
        pytest.skip("refused, and the session goes on")
    (bomb,) = (attack for attack in BOMBS if attack.name == "processes without end")
    with opened(sandbox) as desk:
        desk.run(PRELUDE)
        assert isinstance(desk.run(bomb.code)[-1], Ended)


def left() -> set[str]:
    """Name the containers of sessions that there are."""
    found = set[str]()
    for runner in runners():
        if runner.runtime is None:
            command = [runner.program, "ps", "--all", "--format", "{{.Names}}", "--filter", "name=toolkit-sandbox-"]
            found |= {*subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()}
    return found


def is_gone(name: str, within_s: float = 20) -> bool:
    by = time.monotonic() + within_s
    while name in left():
        if time.monotonic() > by:
            return False
        time.sleep(0.2)
    return True


BUSY = """
import os, signal
for number in range(1, 65):
    if number not in (9, 19, 32, 33):
        signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
else:
    print("busy", flush=True)
while True: pass
"""


def test_the_end_of_the_engine_is_the_end_of_its_containers(sandbox: Containers) -> None:
    before = left()
    program = f"""
import asyncio
from toolkit.sandbox.containers import Containers, Runner
from toolkit.sandbox.sandbox import Limits
async def main():
    session = await Containers({sandbox.runner!r}, {IMAGE!r}).open(Limits())
    async for each in session.execute({BUSY!r}, Limits()):
        print(each, flush=True)
asyncio.run(main())
"""
    folder = Path(__file__).parent.parent.parent
    engine = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=folder)
    assert engine.stdout is not None
    assert "busy" in engine.stdout.readline()
    (name,) = left() - before
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    engine.stdout.close()
    assert is_gone(name)


def test_nothing_is_left_of_who_does_not_stop(sandbox: Containers) -> None:
    before = left()
    with opened(sandbox) as desk:
        (name,) = left() - before
        text, ended = desk.run(BUSY, replace(LIMITS, call_s=0.5))
        assert text == Text("busy\n")
        assert isinstance(ended, Ended)
        assert ended.why == "time"
    assert is_gone(name)


def test_memory_of_all_processes_together_is_bounded(sandbox: Containers) -> None:
    limits = replace(LIMITS, memory_bytes=200 * 2**20, disk_bytes=20 * 2**20, call_s=20)
    code = """
import os, time
print("made", flush=True)
for _ in range(8):
    if os.fork() == 0:
        kept = b"x" * (100 * 2**20)
        time.sleep(30)
        os._exit(0)
died = 0
for _ in range(8):
    died += os.WIFSIGNALED(os.wait()[1])
    print(died, "died")
    if died > 4:
        break
"""
    if sandbox.own_kernel:
        pytest.skip("gVisor counts for itself; its own group is bounded by the kernel below")
    with opened(sandbox, limits) as desk:
        found = desk.run(code, limits)
        assert isinstance(found[-1], Ended) or "5 died" in said(found), found


def test_its_memory_is_seen(sandbox: Containers) -> None:
    with opened(sandbox) as desk:
        desk.run("kept = b'x' * 100_000_000")
        seen = desk.do(desk.session.usage())
        assert 100_000_000 < seen.memory_bytes < 200_000_000
