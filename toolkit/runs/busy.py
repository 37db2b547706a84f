"""A thread has one active run: what to do when it is not ours.

Nothing is asked beforehand. Only when the creation was refused do we look who is in the way.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from toolkit.errors import ThreadBusy
from toolkit.runs.asking import ask, insist, pauses, rest, watch
from toolkit.runs.effects import Effect, Json, Reply, Request
from toolkit.runs.hosts import Host
from toolkit.runs.progress import Progress
from toolkit.runs.result import Result

__all__ = ["Place", "make_way"]

_ACTIVE = ("working", "waiting")

_lines: dict[str, list[Place]] = {}
_lock = threading.Lock()


def make_way(progress: Progress, reply: Reply, tries: Iterator[float]) -> Generator[Effect, Reply, None]:
    """Get ready to send a creation again. Raises when that makes no sense, and ThreadBusy when it is not wanted."""
    host, threads = progress.host, progress.host.threads
    if threads is None or not threads.is_kept_out(reply):
        yield from rest(progress, reply, tries)
        return
    other = threads.newest((yield from insist(progress, threads.look())))
    if other is None or host.turn(other).status not in _ACTIVE:  # it has just ended
        yield from rest(progress, replace(reply, status=None), tries)
        return
    if threads.on_active == "fail":
        text = f'{_in_the_way(other)}, or say on_active="wait", "queue" or "replace".'
        raise ThreadBusy(text, result=Result((), 0, other, ())) from reply.error
    if threads.on_active == "replace":
        yield from _cancel(progress, threads.cancel(other))
    progress.waits_for = f"{_in_the_way(other)}."
    yield from watch(progress, lambda: replace(threads.read(other), is_ours=False), _ACTIVE)
    progress.waits_for = ""


def _cancel(progress: Progress, request: Request) -> Generator[Effect, Reply, None]:
    """Cancel another run; should that be refused, it has just ended."""
    tries = pauses(progress)
    while True:
        reply = yield from ask(progress, replace(request, is_ours=False))
        if reply.status == 200 or reply.refused:
            return
        yield from rest(progress, reply, tries)


def _in_the_way(run: Json) -> str:
    when = ""
    if run.get("expires_at") is not None:
        when = f", expires at {datetime.fromtimestamp(run['expires_at'], UTC):%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"Thread {run['thread_id']} has an active run: {run['id']}, {run['status']}{when}. Cancel it with "
        f"client.beta.threads.runs.cancel({run['id']!r}, thread_id={run['thread_id']!r})"
    )


class Place:
    """A place in the line before a thread, for runs of this process that queue; those of others are not in it."""

    def __init__(self, host: Host) -> None:
        threads = host.threads
        self._thread_id = threads.thread_id if threads is not None and threads.on_active == "queue" else None
        self._pause_s = 0.01

    def __enter__(self) -> Self:
        if self._thread_id is not None:
            with _lock:
                _lines.setdefault(self._thread_id, []).append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread_id is not None:
            with _lock:
                line = _lines[self._thread_id]
                line.remove(self)
                if not line:
                    del _lines[self._thread_id]

    @property
    def is_taken(self) -> bool:
        """Whether somebody came before us, and has not begun yet."""
        return self._thread_id is not None and _lines[self._thread_id][0] is not self

    @property
    def pause_s(self) -> float:
        """How long to wait before the next look: growing, since whoever is first may wait for minutes."""
        self._pause_s = min(2 * self._pause_s, 0.25)
        return self._pause_s
