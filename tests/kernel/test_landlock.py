"""What a process under Landlock can reach, tried in forks."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.kernel.landlock import abi, restrict
from toolkit.kernel.privileges import gain_no_privileges

pytestmark = pytest.mark.skipif(os.name != "posix" or not abi(), reason="the kernel has no Landlock")


def restricted(work: Callable[[], object], tmp_path: Path) -> bool:
    """Say whether something works in a fork that may read below /usr and write in one folder."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            gain_no_privileges()
            restrict(read=("/usr",), write=(str(tmp_path / "mine"), "/dev/null"))
            work()
            code = 0
        except OSError:
            code = 1
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, 1)
    return code == 0


def test_it_reads_and_writes_where_it_may_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "secret").write_text("x")
    os.symlink(tmp_path / "secret", tmp_path / "mine" / "link")
    assert restricted(lambda: os.listdir("/usr"), tmp_path)
    assert restricted(lambda: (tmp_path / "mine" / "a").write_text("a"), tmp_path)
    assert restricted(lambda: Path("/dev/null").write_text("a"), tmp_path)
    for path in (tmp_path / "secret", tmp_path / "mine" / "link", Path("/etc/passwd")):
        assert not restricted(path.read_bytes, tmp_path)
    assert not restricted(lambda: (tmp_path / "b").write_text("b"), tmp_path)
    assert not restricted(lambda: Path("/usr/written").write_text("b"), tmp_path)
    assert not restricted(lambda: os.mkfifo(tmp_path / "mine" / "../fifo"), tmp_path)
    assert not restricted(lambda: os.mknod(tmp_path / "mine" / "device", 0o20600, os.makedev(1, 3)), tmp_path)


@pytest.mark.skipif(abi() < 4, reason="this kernel's Landlock knows no network")
def test_it_opens_no_connection(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not restricted(lambda: socket.create_connection(server.getsockname(), 1), tmp_path)
        assert not restricted(lambda: socket.create_server(("127.0.0.1", 0)), tmp_path)
