"""What a sealed process can still do, tried in forks that try it."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.engine.search.sealing import can_seal, seal

pytestmark = pytest.mark.skipif(not can_seal(), reason="processes are sealed on Linux alone")

_REFUSED, _DONE = 7, 8


def sealed(work: Callable[[], object], *, memory_bytes: int = 2**31, cpu_s: int = 5) -> int:
    """Do something in a sealed fork; gives how it ended: refused, done, or by which signal (negative)."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            seal(memory_bytes=memory_bytes, cpu_s=cpu_s)
            try:
                work()
                code = _DONE
            except (OSError, RuntimeError, MemoryError, ValueError):
                code = _REFUSED
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_it_computes() -> None:
    assert sealed(lambda: sum(range(10**6)) + len(bytes(10**7))) == _DONE


@pytest.mark.parametrize(
    "work",
    [
        lambda: os.open("/etc/passwd", os.O_RDONLY),
        lambda: os.listdir("/"),
        lambda: os.stat("/"),
        lambda: os.open("/tmp/left-behind", os.O_CREAT | os.O_WRONLY),
        lambda: os.unlink(__file__),
        lambda: os.mkdir("/tmp/left-behind"),
        lambda: socket.socket(),
        lambda: socket.socket(socket.AF_UNIX),
        lambda: socket.socketpair(),
        os.fork,
        lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
        lambda: threading.Thread(target=print).start(),
        lambda: os.kill(os.getppid(), signal.SIGTERM),
        lambda: os.kill(1, 0),
        os.pipe,
        lambda: os.setuid(1),
        lambda: os.chdir("/"),
        lambda: resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6)),
        lambda: os.memfd_create("x"),
        lambda: os.readlink("/proc/self/exe"),
        lambda: os.environ.clear() or os.open("/proc/1/environ", os.O_RDONLY),
        lambda: bytes(2**32),
    ],
)
def test_it_does_nothing_else(work: Callable[[], object]) -> None:
    assert sealed(work) == _REFUSED
    assert not Path("/tmp/left-behind").exists()


def test_it_writes_to_what_is_open_and_not_into_files(tmp_path: Path) -> None:
    receiving, sending = os.pipe()
    assert sealed(lambda: os.write(sending, b"said")) == _DONE
    assert os.read(receiving, 10) == b"said"
    os.close(receiving)
    os.close(sending)
    with (tmp_path / "a").open("wb") as file:
        assert sealed(lambda: os.write(file.fileno(), b"said")) in (_REFUSED, -signal.SIGXFSZ)
    assert (tmp_path / "a").read_bytes() == b""


def test_it_ends_when_its_time_is_up() -> None:
    def spin() -> None:
        while True:
            pass

    assert sealed(spin, cpu_s=1) in (-signal.SIGXCPU, -signal.SIGKILL)
