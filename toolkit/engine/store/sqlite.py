"""The store on SQLite: one writer thread, a few reader threads, WAL.

SQLite has one writer at a time, so there is one thread that writes, and a write waits in its queue instead of in a busy
loop. Readers have connections of their own and see the last commit; they neither wait for the writer nor hold it up.
Other processes may use the same file: `BEGIN IMMEDIATE` with a busy time-out takes turns with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

from toolkit.engine.store import Row, Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.presence import Presence
from toolkit.engine.store.statements import migrations, statements
from toolkit.errors import EngineError

__all__ = ["SQLite"]

T = TypeVar("T")
_Job = tuple[Callable[[Tx], Any] | None, asyncio.AbstractEventLoop, "asyncio.Future[Any]"]
"""Work and who waits for it; no work means that it is over."""

_READERS = 2
_BUSY_S = 10.0


class SQLite:
    """A `Store` in a SQLite file, or in memory. Raises EngineError when the file cannot be used."""

    def __init__(self, address: SQLiteAddress) -> None:
        _make_folder(address)
        first = _connect(address)
        try:
            _migrate(first, address)
        except BaseException:
            first.close()
            raise
        self._writes: SimpleQueue[_Job] = SimpleQueue()
        self._reads: SimpleQueue[_Job] = SimpleQueue() if address.path else self._writes
        self._threads = [_serving("store-writer", self._writes, first, "BEGIN IMMEDIATE")]
        for number in range(_READERS if address.path else 0):
            self._threads.append(_serving(f"store-reader-{number}", self._reads, _connect(address), "BEGIN"))
        self._presence = Presence(address.path) if address.path else None
        self._closed = False
        self._process = os.getpid()
        """A fork has none of the threads."""

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction of its own; committed when this returns."""
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
        if self._closed:
            raise EngineError("The store is closed.")
        if self._process != os.getpid():
            raise EngineError("The store was opened before a fork. Make a new Engine in the new process.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        queue.put((work, loop, future))
        return await future

    async def aclose(self) -> None:
        """Finish what is queued, then close every connection."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        ends: list[asyncio.Future[None]] = []
        for queue in (self._writes, *[self._reads] * (len(self._threads) - 1)):
            ends.append(loop.create_future())
            queue.put((None, loop, ends[-1]))
        await asyncio.gather(*ends)


class _Transaction:
    """`Tx` on one connection."""

    __slots__ = ("_connection", "_sql")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sql: Mapping[str, str] = statements()

    def one(self, name: str, **values: Any) -> Row | None:
        cursor = self._connection.execute(self._sql[name], values)
        row: Row | None = cursor.fetchone()
        cursor.close()  # a RETURNING statement must be over before the commit
        return row

    def all(self, name: str, **values: Any) -> Sequence[Row]:
        return self._connection.execute(self._sql[name], values).fetchall()

    def run(self, name: str, **values: Any) -> int:
        return self._connection.execute(self._sql[name], values).rowcount


def _serving(name: str, queue: SimpleQueue[_Job], connection: sqlite3.Connection, begin: str) -> threading.Thread:
    thread = threading.Thread(target=_serve, args=(queue, connection, begin), name=name, daemon=True)
    thread.start()
    return thread


def _serve(queue: SimpleQueue[_Job], connection: sqlite3.Connection, begin: str) -> None:
    tx = _Transaction(connection)
    while True:
        work, loop, future = queue.get()
        if work is None:
            connection.close()
            loop.call_soon_threadsafe(_deliver, future, None, None)
            return
        result: Any = None
        error: BaseException | None = None
        try:
            with _transaction(connection, begin):
                result = work(tx)
        except BaseException as raised:  # whatever it was belongs to the caller, and this thread goes on
            error = raised
        with contextlib.suppress(RuntimeError):  # the caller's loop is closed: nobody waits for this any more
            loop.call_soon_threadsafe(_deliver, future, result, error)
        del work, future, result, error  # nothing is kept alive while waiting for more


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Generator[None, None, None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _deliver(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # the waiting task was cancelled; what is committed stays committed
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


def _make_folder(address: SQLiteAddress) -> None:
    if address.path is None:
        return
    try:
        address.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(address, error) from error


def _connect(address: SQLiteAddress) -> sqlite3.Connection:
    place = ":memory:" if address.path is None else str(address.path)
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            place, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        _to_wal(connection)
        connection.execute(f"PRAGMA synchronous = {address.synchronous}")
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise _unusable(address, error) from error
    return connection


def _to_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. Of several processes that open a new file at once one gets to do it, and the others try again."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _migrate(connection: sqlite3.Connection, address: SQLiteAddress) -> None:
    """Bring the file to the newest schema, each migration in a transaction of its own."""
    known = migrations("sqlite")
    try:
        for number, script in known:
            with _transaction(connection, "BEGIN IMMEDIATE"):
                version = _version(connection, address, len(known))
                if version < number:
                    for statement in _split(script):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {number}")
    except sqlite3.Error as error:
        raise _unusable(address, error) from error


def _version(connection: sqlite3.Connection, address: SQLiteAddress, newest: int) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > newest:
        raise EngineError(
            f"Store {address.path} was made by a newer version of assistants-toolkit "
            f"(schema {version}, this one knows {newest}). Upgrade, or use another store."
        )
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise EngineError(f"Store {address.path} is a database of another program. Use another file.")
    return version


def _split(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _unusable(address: SQLiteAddress, error: Exception) -> EngineError:
    return EngineError(
        f"Store {address.path} cannot be used: {error}. Name a file that can be written (sqlite:///PATH)."
    )
