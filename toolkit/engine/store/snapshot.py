"""A store as it is at one moment, to be read for as long as it takes.

It is a read transaction on a connection of its own. In WAL mode it keeps no writer waiting; what they write meanwhile
stays in the WAL, which grows for that time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.faults import fault_of
from toolkit.engine.store.lane import Transaction
from toolkit.engine.store.opening import opened, transaction

__all__ = ["snapshot"]


@contextmanager
def snapshot(address: SQLiteAddress) -> Generator[Tx, None, None]:
    """Hold a store as it is now; blocking, for a command. Raises EngineError, and StoreUnavailable while it is read."""
    [connection] = opened(address, 1)
    try:
        with transaction(connection, "BEGIN"):
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # the first read takes the snapshot
            yield Transaction(connection)
    except sqlite3.Error as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise fault from error
    finally:
        connection.close()
