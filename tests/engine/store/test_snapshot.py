from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.stored_runs import in_file
from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.snapshot import snapshot
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import EngineError, StoreUnavailable


def put(tx: Tx, key: str) -> int:
    return tx.run("kept.put", project="p", key=key, request="r", created_at=1, answer="x" * 2000)


def there(tx: Tx, key: str) -> bool:
    return tx.one("kept.get", project="p", key=key, since=0) is not None


def test_it_stays_as_it_was_and_keeps_no_writer_waiting(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    in_file(path, lambda tx: put(tx, "before"))
    with snapshot(SQLiteAddress(path)) as tx:
        assert (there(tx, "before"), there(tx, "0")) == (True, False)
        in_file(path, lambda tx: [put(tx, str(number)) for number in range(3000)])
        assert (there(tx, "before"), there(tx, "0"), there(tx, "2999")) == (True, False, False)
    with snapshot(SQLiteAddress(path)) as tx:
        assert there(tx, "2999")


def test_a_server_goes_on_while_it_is_held(tmp_path: Path) -> None:
    address = SQLiteAddress(tmp_path / "store.db", busy_s=0.5)

    async def work() -> None:
        store = SQLite(address)
        await store.write(lambda tx: put(tx, "before"))
        with snapshot(address) as tx:
            assert there(tx, "before")
            for number in range(300):
                await store.write(lambda tx, key=str(number): put(tx, key))
            assert not there(tx, "299")
        await store.aclose()

    asyncio.run(work())


def test_faults_are_said_as_those_of_the_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    in_file(path, lambda tx: [put(tx, str(number)) for number in range(500)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with pytest.raises(StoreUnavailable, match="damaged"), snapshot(SQLiteAddress(path)) as tx:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(4096 * 3)
            file.write(b"\xff" * (size - 4096 * 3))
        tx.all("upkeep.newest_runs", before=2**62, project=None, status=None, limit=9)
        for number in range(500):
            there(tx, str(number))
    path.write_bytes(b"no database at all, but a text that goes on for a while" * 40)
    with pytest.raises(EngineError), snapshot(SQLiteAddress(path)):
        pass
