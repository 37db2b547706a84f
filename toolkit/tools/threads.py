"""Daemon threads for sync tools, and one background event loop for async tools that sync code calls.

Python's own thread pool joins its threads when the program ends, so one stuck tool would keep a program alive for ever:
these threads are never joined. They are used again while there is work and end after a time without any. What begins
together is done in a line by one of them for as long as that is quick.

Async tools called from sync code all run on one loop that stays, so that a client they share (an HTTP pool, a database)
goes on working from one turn to the next. A loop that a tool blocks is left behind for a new one.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from concurrent.futures import Future

__all__ = ["BackgroundLoop", "Line", "background_loop", "start", "wait_for"]

T = TypeVar("T")

IDLE_S = 10.0
"""How long a thread without work stays."""
BRISK_S = 0.002
"""How long a line may take before what still waits in it gets threads of its own."""
ANSWER_S = 0.05
"""A loop that has not cancelled a task for so long is held by a tool that blocks."""

_idle: list[SimpleQueue[Callable[[], object]]] = []
_loop: BackgroundLoop | None = None
_lock = threading.Lock()


def start(work: Callable[[], object]) -> None:
    """Run `work` in a daemon thread, with the caller's context variables. It must not raise."""
    _give(partial(contextvars.copy_context().run, work))


def _give(work: Callable[[], object]) -> None:
    """Give work to a thread."""
    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = SimpleQueue[Callable[[], object]]()
        threading.Thread(target=_serve, args=(inbox,), name="toolkit-tool", daemon=True).start()
    inbox.put(work)


def _serve(inbox: SimpleQueue[Callable[[], object]], idle_s: float = IDLE_S) -> None:
    """Work, offer oneself for more, and end after a time without any."""
    while True:
        try:
            inbox.get(timeout=idle_s)()
        except Empty:
            try:
                _idle.remove(inbox)
            except ValueError:  # somebody has just taken this thread: work is on its way
                continue
            return
        _idle.append(inbox)


class Line:
    """Work that one thread does piece by piece, for waking a thread costs more than most tools do.

    Somebody must look after a line soon, and `spread` it: a piece may take long, or wait for one that stands behind it.
    """

    def __init__(self, ring: Callable[[], object]) -> None:
        """Take what tells that nothing is left to begin, and what was begun is done; it is rung too often at times."""
        self._ring = ring
        self._waiting: deque[Callable[[], object]] = deque()
        self._inside = contextvars.copy_context()

    def add(self, works: Iterable[Callable[[], object]]) -> None:
        """Do these too, each with a copy of the maker's context variables. They must not raise."""
        more = list(works)
        if more:
            self._waiting.extend(more)
            _give(self._serve)

    def look_s(self, wait_s: float | None) -> float | None:
        """Say how long to wait before looking after the line, when there is other cause to look after `wait_s`."""
        if not self._waiting:
            return wait_s
        return BRISK_S if wait_s is None else min(BRISK_S, wait_s)

    def spread(self) -> None:
        """Begin what still waits, each piece in a thread of its own."""
        while (work := self._next()) is not None:
            _give(partial(self._alone, work))

    def drop(self) -> None:
        """Forget what still waits."""
        self._waiting.clear()

    def _next(self) -> Callable[[], object] | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _serve(self) -> None:
        while (work := self._next()) is not None:
            self._inside.copy().run(work)
        self._ring()

    def _alone(self, work: Callable[[], object]) -> None:
        self._inside.copy().run(work)
        self._ring()


class BackgroundLoop:
    """An event loop in a daemon thread of its own."""

    def __init__(self) -> None:
        import asyncio  # here, since defining a tool is to stay cheap

        self.loop: AbstractEventLoop = asyncio.new_event_loop()
        self._unanswered_since: float | None = None
        self._thread = threading.Thread(target=self.loop.run_forever, name="toolkit-loop", daemon=True)
        self._thread.start()

    @property
    def is_stuck(self) -> bool:
        """Whether the loop does not answer: a tool on it blocks without awaiting."""
        since = self._unanswered_since
        return since is not None and time.monotonic() - since > ANSWER_S

    @property
    def is_here(self) -> bool:
        """Whether the asking code runs on this very loop, and would wait for itself."""
        return threading.current_thread() is self._thread

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Future[None]:
        """Run a coroutine as a task, with the caller's context variables. It must not raise: that may end the loop."""
        import asyncio

        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def cancel(self, running: Future[None]) -> None:
        """Cancel what `start` gave, and watch whether the loop still answers."""
        if self._unanswered_since is None:
            self._unanswered_since = time.monotonic()
        running.cancel()
        self.loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._unanswered_since = None


def background_loop() -> BackgroundLoop:
    """Give the loop of this process, a new one where there is none, or where the last one is blocked."""
    global _loop
    with _lock:
        if _loop is None or _loop.is_stuck:
            _loop = BackgroundLoop()
        return _loop


def wait_for(awaitable: Awaitable[T]) -> T:
    """Await something from sync code and give its result. Raises what it raises."""
    answer: SimpleQueue[Callable[[], T]] = SimpleQueue()

    async def awaited() -> None:
        try:
            value = await awaitable
        except BaseException as error:
            answer.put(partial(_raise, error))
        else:
            answer.put(lambda: value)

    background = background_loop()
    if background.is_here:  # an async tool calls sync code that calls an async tool: waiting here would wait for ever
        import asyncio

        start(lambda: asyncio.run(awaited()))
        return answer.get()()
    running = background.start(awaited())
    try:
        give = answer.get()
    except BaseException:
        background.cancel(running)
        raise
    return give()


def _raise(error: BaseException) -> NoReturn:
    raise error


def _forget() -> None:
    """Begin anew in a forked child, where no thread of the parent goes on."""
    global _loop, _lock
    _idle.clear()
    _loop, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)
