"""A machine that is worth attacking: a secret, a process to kill, addresses that listen."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import toolkit

__all__ = ["MARK", "attacked"]

MARK = "the-secret-of-the-host"


@contextmanager
def attacked(folder: Path) -> Iterator[dict[str, Any]]:
    """Put up what there is outside to be reached, and look at the end whether it was."""
    (folder / "secret").write_text(MARK)
    (folder / "secret").chmod(0o644)
    victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={"SECRET": MARK})
    os.environ["A_SECRET_OF_TESTS"] = MARK
    path, abstract = str(folder / "unix"), f"\0{folder}"
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as by_path,
        socket.socket(socket.AF_UNIX) as by_name,
    ):
        udp.bind(("127.0.0.1", 0))
        by_path.bind(path)
        by_name.bind(abstract)
        for listening in (tcp, by_path, by_name):
            listening.listen()
        for each in (tcp, udp, by_path, by_name):
            each.setblocking(False)
        packages = Path(toolkit.__file__).parent.parent
        yield {
            "secret": str(folder / "secret"),
            "mark": MARK,
            "victim": victim.pid,
            "engine": os.getpid(),
            "code": toolkit.__file__,
            "packages": str(packages),
            "tcp": tcp.getsockname(),
            "udp": udp.getsockname(),
            "unix": path,
            "abstract": abstract,
        }
        assert victim.poll() is None
        for listening in (tcp, by_path, by_name):
            with pytest.raises(BlockingIOError):
                listening.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(10)
    del os.environ["A_SECRET_OF_TESTS"]
    victim.communicate(b"\n")
