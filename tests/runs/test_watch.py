from __future__ import annotations

import math
import socket
import threading
import time

import httpx2

from toolkit.runs.watch import watched


class Connection(httpx2.SyncByteStream):
    """What httpx2 says of its network stream."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def get_extra_info(self, name: str) -> object:
        return self._connection if name == "socket" else None


def answer(connection: socket.socket, version: bytes = b"HTTP/1.1") -> httpx2.Response:
    return httpx2.Response(200, extensions={"network_stream": Connection(connection), "http_version": version})


def test_a_read_is_woken_when_its_time_is_over() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, watched(answer(ours), time.monotonic() + 0.05):
        ours.settimeout(10)
        assert ours.recv(1) == b""


def test_the_time_can_be_brought_forward() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, watched(answer(ours), math.inf) as watch:
        ours.settimeout(10)
        watch.ends = 0
        assert ours.recv(1) == b""


def test_nothing_is_cut_that_is_in_time_or_over_or_shared() -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    with watched(answer(pairs[0][0]), math.inf), watched(answer(pairs[1][0], b"HTTP/2"), 0):
        with watched(answer(pairs[2][0]), time.monotonic() + 0.05):
            pass
        with watched(httpx2.Response(200), 0):  # in this process: there is no connection
            time.sleep(0.25)
    for ours, theirs in pairs:
        with ours, theirs:
            theirs.send(b"x")
            ours.settimeout(10)
            assert ours.recv(1) == b"x"


def test_one_thread_looks_after_all() -> None:
    with watched(httpx2.Response(200), math.inf), watched(httpx2.Response(200), math.inf):
        names = [thread.name for thread in threading.enumerate()]
    assert names.count("toolkit-watch") == 1
