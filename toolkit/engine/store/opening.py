"""Open a SQLite file as a store: its folder, WAL, and the migrations up to the newest schema."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Generator, Iterator
from functools import cache

from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.faults import fault_of, is_misnamed
from toolkit.engine.store.statements import migrations
from toolkit.engine.store.wal import LARGE
from toolkit.errors import EngineError

__all__ = ["connect", "opened", "transaction"]


def opened(address: SQLiteAddress, connections: int) -> list[sqlite3.Connection]:
    """Open a store, made or migrated where need be, as often as asked. Raises EngineError."""
    made: list[sqlite3.Connection] = []
    try:
        if address.path is not None:
            address.path.parent.mkdir(parents=True, exist_ok=True)
        made.append(connect(address))
        if address.path is None and hasattr(made[0], "deserialize"):  # which came with SQLite 3.36
            _begin(made[0])
        else:
            _migrate(made[0], address)
        made += [connect(address) for _ in range(connections - 1)]
    except BaseException as error:
        for connection in made:
            connection.close()
        if isinstance(error, (sqlite3.Error, OSError)):
            raise EngineError(_unusable(address, error)) from error
        raise
    return made


def connect(address: SQLiteAddress) -> sqlite3.Connection:
    """Open a connection. It holds every descriptor that it will ever need. Raises sqlite3.Error."""
    place = ":memory:" if address.path is None else str(address.path)
    connection = sqlite3.connect(
        place, timeout=address.busy_s, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        _to_wal(connection, address.busy_s)
        connection.execute(f"PRAGMA synchronous = {address.synchronous}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA journal_size_limit = {LARGE}")  # of a WAL that had grown, when it starts over
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, begin: str) -> Generator[None, None, None]:
    """Commit when the block ends and roll back when it raises."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
                connection.execute("ROLLBACK")
        raise


def _to_wal(connection: sqlite3.Connection, busy_s: float) -> None:
    """Switch to WAL. Of several processes that open a new file at once one gets to do it, and the others try again."""
    deadline = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin(connection: sqlite3.Connection) -> None:
    """Make a store in memory what an empty one is: a copy of one takes a tenth of the time of all migrations."""
    with contextlib.closing(sqlite3.connect(":memory:")) as empty:
        empty.deserialize(_empty())
        empty.backup(connection)


@cache
def _empty() -> bytes:
    address = SQLiteAddress(None)
    with contextlib.closing(connect(address)) as connection:
        _migrate(connection, address)
        return connection.serialize()


def _migrate(connection: sqlite3.Connection, address: SQLiteAddress) -> None:
    """Bring the file to the newest schema, each migration in a transaction of its own."""
    known = migrations("sqlite")
    for number, script in known:
        with transaction(connection, "BEGIN IMMEDIATE"):
            version = _version(connection, address, len(known))
            if version < number:
                for statement in _split(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {max(version, number)}")  # who may not write is told here


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


def _unusable(address: SQLiteAddress, error: sqlite3.Error | OSError) -> str:
    fault = fault_of(error) if isinstance(error, sqlite3.Error) and not is_misnamed(error) else None
    said = f"{error}. Name a file that can be written (sqlite:///PATH)." if fault is None else str(fault)
    return f"Store {address.path} cannot be used: {said}"
