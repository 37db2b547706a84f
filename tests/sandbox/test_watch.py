"""What a session takes, as seen from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.sandbox.sessions import every_wall, needs_wall, opened
from toolkit.sandbox.walls import Walled
from toolkit.sandbox.watch import processes, usage

pytestmark = needs_wall


def a_process_with_another_below() -> subprocess.Popen[bytes]:
    """Both end when they are told something."""
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    by = time.monotonic() + 20
    while len(list(processes(child.pid))) < 2 and time.monotonic() < by:
        time.sleep(0.01)
    return child


def test_all_below_a_process_are_found() -> None:
    child = a_process_with_another_below()
    found = list(processes(child.pid))
    child.communicate(b"\n")
    assert len(found) == 2
    assert found[0] == child.pid
    assert list(processes(child.pid)) == [child.pid]  # it has ended, and so has what was below


def test_the_files_of_the_machine_are_not_those_of_a_session_that_shares_its_root() -> None:
    child = a_process_with_another_below()
    found, enough = usage(child.pid, 0), os.statvfs("/dev/shm").f_files
    child.communicate(b"\n")
    assert enough
    assert found.files == 0
    assert 2**20 < found.memory_bytes < 200 * 2**20


@every_wall
def test_memory_and_files_are_counted(sandbox: Walled) -> None:
    with opened(sandbox) as desk:
        before = usage(desk.session.pid, 2**40)
        assert 2**20 < before.memory_bytes < 200 * 2**20
        desk.run("kept = b'x' * 100_000_000\nfor n in range(50): open(f'{n}', 'w').write('x' * 10**6)")
        after = usage(desk.session.pid, 2**40)
        exact = usage(desk.session.pid, 0)
        assert 140_000_000 < after.memory_bytes - before.memory_bytes < 170_000_000
        assert abs(exact.memory_bytes - after.memory_bytes) < 30_000_000
        assert 50 <= after.files - before.files < 60


def test_who_is_gone_takes_nothing() -> None:
    assert usage(2**22 + os.getpid(), 0) == (0, 0, 0)
