"""The store on SQLite: one writer thread, a few reader threads, WAL.

SQLite has one writer at a time, so there is one thread that writes, and a write waits in its queue instead of in a busy
loop. Readers have connections of their own and see the last commit; they neither wait for the writer nor hold it up.
Other processes may use the same file: `BEGIN IMMEDIATE` with a busy time-out takes turns with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.faults import Outage
from toolkit.engine.store.lane import Lane
from toolkit.engine.store.opening import opened
from toolkit.engine.store.presence import Presence
from toolkit.engine.store.wal import Wal
from toolkit.errors import EngineError

__all__ = ["SQLite"]

T = TypeVar("T")
_Job = tuple[Callable[[Tx], Any] | None, asyncio.AbstractEventLoop, "asyncio.Future[Any]", float]
"""Work, who waits for it and since when; no work means that it is over."""

_READERS: Final = 2


class SQLite:
    """A `Store` in a SQLite file, or in memory. Raises EngineError when the file cannot be used.

    What fails later for a reason outside (a full disk, a lock, a damaged file) is StoreUnavailable; when the reason is
    gone, the same store goes on working.
    """

    def __init__(self, address: SQLiteAddress) -> None:
        if address.path is not None:  # it means the same file after an os.chdir
            address = replace(address, path=address.path.absolute())
        in_file = address.path is not None
        writer, *readers = opened(address, 1 + _READERS if in_file else 1)
        writing, reading = (Outage(f"{kind} store {address.path}") for kind in ("Writing to", "Reading from"))
        self._writes: SimpleQueue[_Job] = SimpleQueue()
        self._reads: SimpleQueue[_Job] = SimpleQueue() if in_file else self._writes
        wal = Wal(address.path) if address.path else None
        closing = threading.Lock()
        lane = Lane(address, writer, "BEGIN IMMEDIATE", writing, wal)
        self._threads = [_serving("store-writer", self._writes, lane, closing)]
        for number, reader in enumerate(readers):
            lane = Lane(address, reader, "BEGIN", reading)
            self._threads.append(_serving(f"store-reader-{number}", self._reads, lane, closing))
        self._presence = Presence(address.path) if address.path else None
        self._files = Path(f"{address.path}-files") if address.path else None
        self._closed = False
        self._gate = threading.Lock()
        """Nothing gets into a queue behind its end, where nobody would find it."""
        self._process = os.getpid()
        """A fork has none of the threads."""

    @property
    def files(self) -> Path | None:
        """The folder for the bytes of files."""
        return self._files

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction of its own; committed when this returns.

        Work that nobody waits for any more is not begun; what was begun goes to its end.
        """
        return await self._do(self._writes, work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on one consistent snapshot."""
        return await self._do(self._reads, work)

    def appear(self, worker: str) -> None:
        """Show others on the same file that a worker lives."""
        if self._presence:
            self._presence.appear(worker)

    def disappear(self, worker: str) -> None:
        """Take the sign of a worker away."""
        if self._presence:
            self._presence.disappear(worker)

    def is_gone(self, worker: str) -> bool:
        """Say whether a worker is known to live no more."""
        return self._presence is not None and self._presence.is_gone(worker)

    async def _do(self, queue: SimpleQueue[_Job], work: Callable[[Tx], T]) -> T:
        if self._process != os.getpid():  # first: a fork may have taken the gate along shut
            raise EngineError("The store was opened before a fork. Make a new Engine in the new process.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._gate:
            if self._closed:
                raise EngineError("The store is closed.")
            queue.put((work, loop, future, time.monotonic()))
        return await future

    async def aclose(self) -> None:
        """Finish what is queued, then close every connection."""
        loop = asyncio.get_running_loop()
        ends: list[asyncio.Future[None]] = []
        with self._gate:
            if self._closed:
                return
            self._closed = True
            for queue in (self._writes, *[self._reads] * (len(self._threads) - 1)):
                ends.append(loop.create_future())
                queue.put((None, loop, ends[-1], 0.0))
        await asyncio.gather(*ends)


def _serving(name: str, queue: SimpleQueue[_Job], lane: Lane, closing: threading.Lock) -> threading.Thread:
    thread = threading.Thread(target=_serve, args=(queue, lane, closing), name=name, daemon=True)
    thread.start()
    return thread


def _serve(queue: SimpleQueue[_Job], lane: Lane, closing: threading.Lock) -> None:
    while True:
        work, loop, future, asked_at = queue.get()
        if work is None:
            with closing:  # of two that close at once neither is the last, which carries the WAL into the file
                lane.close()
            loop.call_soon_threadsafe(_deliver, future, None, None)
            return
        result: Any = None
        error: BaseException | None = None
        try:
            if not future.cancelled():
                result = lane.do(partial(_if_wanted, work, future), asked_at)
        except BaseException as raised:  # whatever it was belongs to the caller, and this thread goes on
            error = raised
        with contextlib.suppress(RuntimeError):  # the caller's loop is closed: nobody waits for this any more
            loop.call_soon_threadsafe(_deliver, future, result, error)
        del work, future, result, error  # nothing is kept alive while waiting for more


def _if_wanted(work: Callable[[Tx], T], future: asyncio.Future[T], tx: Tx) -> T:
    """Do work, unless nobody waits for it any more: who left while it waited for a lock may be asking again."""
    if future.cancelled():
        raise asyncio.CancelledError
    return work(tx)


def _deliver(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # the waiting task was cancelled; what is committed stays committed
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
