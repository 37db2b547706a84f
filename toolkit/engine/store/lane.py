"""One thread's way into a SQLite store: transaction after transaction, through faults and out of them again."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from toolkit.engine.store import Row, Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.faults import Outage, fault_of, is_busy, is_suspect, moved, other_version
from toolkit.engine.store.opening import connect, transaction
from toolkit.engine.store.statements import migrations, statements
from toolkit.engine.store.wal import Wal
from toolkit.errors import StoreUnavailable

__all__ = ["Lane", "Transaction"]

T = TypeVar("T")

_IN_VAIN_MS: Final = 100
"""How long work waits for a lock, counted from when it was asked for, after a whole wait was in vain."""
_TRY_MS: Final = 1
"""How long it waits that has stood in line for as long already: a queue of work is not to add up its waits."""


class Lane:
    """A connection, and what keeps it working. For one thread at a time."""

    def __init__(
        self,
        address: SQLiteAddress,
        connection: sqlite3.Connection,
        begin: str,
        outage: Outage,
        wal: Wal | None = None,
    ) -> None:
        self._address = address
        self._begin = begin
        self._outage = outage
        self._known = len(migrations("sqlite"))
        self._file = _file_at(address.path) if address.path else None
        self._connection: sqlite3.Connection | None = connection
        self._tx = Transaction(connection)
        self._in_vain = False
        self._wal = wal

    def do(self, work: Callable[[Tx], T], asked_at: float | None = None) -> T:
        """Run `work` in one transaction. Raises what it raises, or StoreUnavailable: then nothing of it was written.

        `asked_at` (time.monotonic) is since when it waits; None is now.
        """
        if self._in_vain:
            stood_ms = 0.0 if asked_at is None else (time.monotonic() - asked_at) * 1000
            self._wait_for_locks(max(_TRY_MS, int(_IN_VAIN_MS - stood_ms)))
        try:
            done = self._transact(work)
        except sqlite3.Error as error:
            fault = fault_of(error)
            if fault is None:
                raise
            self._recover(error)
            self._outage.goes_on(fault)
            raise fault from error
        except StoreUnavailable as fault:
            self._outage.goes_on(fault)
            raise
        if self._outage.under_way:
            self._outage.over()
        if self._in_vain:
            self._in_vain = False
            self._wait_for_locks(self._busy_ms)
        if self._wal is not None and self._connection is not None:
            self._wal.written(self._connection, self._busy_ms)
        return done

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):  # what is committed is in the file or its WAL all the same
                self._connection.close()
            self._connection = None

    def _transact(self, work: Callable[[Tx], T]) -> T:
        if self._connection is not None and self._connection.in_transaction:
            self._leave_transaction(self._connection)
        connection = self._connection or self._reopened()
        with transaction(connection, self._begin):
            if self._address.path is not None:
                self._check(connection, self._address.path)
            return work(self._tx)

    def _leave_transaction(self, connection: sqlite3.Connection) -> None:
        """Get out of a transaction whose ROLLBACK failed, or every BEGIN after it would."""
        if self._address.path is None:
            connection.execute("ROLLBACK")  # in memory there is no other connection to the same store
        else:
            self.close()

    def _check(self, connection: sqlite3.Connection, path: Path) -> None:
        """Make sure that the file is still the one that was opened, with the schema that we know.

        SQLite itself would go on writing to a file that has no name any more.
        """
        if _file_at(path) != self._file:
            raise moved()
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != self._known:
            raise other_version(version, self._known)

    def _reopened(self) -> sqlite3.Connection:
        path = self._address.path
        if path is not None and _file_at(path) != self._file:
            raise moved()  # before the open, which would make a new file
        self._connection = connect(self._address)
        self._tx = Transaction(self._connection)
        return self._connection

    def _recover(self, error: sqlite3.Error) -> None:
        """See to it that the next transaction has a connection that can work, when the fault is over."""
        connection = self._connection
        if connection is None or self._address.path is None:
            return
        if is_suspect(error) or connection.in_transaction:
            self.close()
        elif is_busy(error):
            self._in_vain = True

    @property
    def _busy_ms(self) -> int:
        return int(self._address.busy_s * 1000)

    def _wait_for_locks(self, ms: int) -> None:
        if self._connection is not None:
            self._connection.execute(f"PRAGMA busy_timeout = {ms}")


class Transaction:
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


def _file_at(path: Path) -> tuple[int, int] | None:
    """Say which file has this name; None when none has."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
