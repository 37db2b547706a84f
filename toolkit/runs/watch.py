"""Wake a blocking read that has waited long enough.

The time-out of a blocking socket starts anew with every read, and cannot be changed while an answer is read. So a
server that sends a byte now and then, or leaves an answer open behind its last word, would hold us far beyond any
limit. One daemon thread looks at the answers being read, and shuts the connection of one whose time is over: its read
then ends.
Awaiting code needs none of this.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from httpx2 import Response

__all__ = ["Watch", "watched"]

LOOK_S = 0.1
"""Seconds between two looks: how late a read may be woken."""
IDLE_LOOKS = 100
"""The thread ends when it has seen nothing to watch so often."""

_watches: set[Watch] = set()
_lock = threading.Lock()
_thread: threading.Thread | None = None


class Watch:
    """An answer being read, and when that must end (on the monotonic clock); `ends` may be changed at any time."""

    def __init__(self, response: Response, ends: float) -> None:
        self.ends = ends
        self._response = response

    def cut(self) -> None:
        """Shut the connection, if it is this answer's alone: others may share one of HTTP/2."""
        stream = self._response.extensions.get("network_stream")
        if stream is None or self._response.http_version == "HTTP/2":
            return
        with suppress(Exception):  # it may just have ended by itself
            stream.get_extra_info("socket").shutdown(SHUT_RDWR)


@contextmanager
def watched(response: Response, ends: float) -> Generator[Watch]:
    """Watch over the reading of an answer."""
    watch = Watch(response, ends)
    with _lock:
        _watches.add(watch)
        _begin()
    try:
        yield watch
    finally:
        with _lock:
            _watches.discard(watch)


def _begin() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():  # also in a forked child
        _thread = threading.Thread(target=_look_after, name="toolkit-watch", daemon=True)
        _thread.start()


def _look_after() -> None:
    global _thread
    idle = 0
    while True:
        time.sleep(LOOK_S)
        with _lock:
            now = time.monotonic()
            late = [watch for watch in _watches if watch.ends <= now]
            idle = 0 if _watches else idle + 1
            if idle > IDLE_LOOKS:
                _thread = None
                return
            for watch in late:
                _watches.discard(watch)
                watch.cut()
