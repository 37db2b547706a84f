from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress, parse, url_of
from toolkit.engine.store.opening import connect, opened, transaction
from toolkit.engine.store.sqlite import SQLite
from toolkit.engine.store.statements import migrations
from toolkit.errors import EngineError


def put(tx: Tx, key: str) -> int:
    return tx.run("kept.put", project="p", key=key, request="r", created_at=1, answer="{}")


def keys(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return sorted(key for (key,) in connection.execute("SELECT key FROM kept_answer"))


async def write(address: SQLiteAddress, *keys: str) -> None:
    store = SQLite(address)
    for key in keys:
        await store.write(lambda tx, key=key: put(tx, key))
    await store.aclose()


@pytest.mark.parametrize("name", ["a b.db", "Größe 木.db", "what?.db", "#1.db", "100%.db", "%41.db", "a?b=c&d#e%20.db"])
def test_a_store_may_have_any_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a folder?" / name
    address = parse(url_of(path))
    assert address.path == path
    asyncio.run(write(address, "a"))
    asyncio.run(write(address, "b"))
    assert keys(path) == ["a", "b"]
    assert [found.name for found in path.parent.iterdir()] == [name]


def test_messages_that_are_there_are_counted_when_a_store_is_upgraded(tmp_path: Path) -> None:
    """By migration 8; from then on each thread knows how many it has."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        for _, script in migrations("sqlite")[:7]:
            connection.executescript(script)
        for name, messages in (("a", 3), ("b", 0)):
            connection.execute(
                "INSERT INTO thread (id, project, created_at, body, last_at) VALUES (?, 'p', 1, '{}', 1)", (name,)
            )
            connection.executemany(
                "INSERT INTO message (id, project, thread, created_at, status, body) VALUES (?, 'p', ?, 1, 'x', '{}')",
                [(f"{name}{number}", name) for number in range(messages)],
            )
        connection.execute("PRAGMA user_version = 7")
        connection.commit()
    for connection in opened(parse(url_of(path)), 1):
        with closing(connection):
            assert [*map(tuple, connection.execute("SELECT id, messages FROM thread"))] == [("a", 3), ("b", 0)]


def test_a_store_in_memory_begins_as_one_in_a_file_does(tmp_path: Path) -> None:
    def told(connection: sqlite3.Connection) -> list[Any]:
        names = ("user_version", "foreign_keys", "synchronous", "temp_store", "encoding", "page_size")
        pragmas = [tuple(connection.execute(f"PRAGMA {name}").fetchone()) for name in names]
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
        return [*pragmas, *map(tuple, rows)]

    [one], [other] = (opened(parse(url), 1) for url in ("sqlite:///:memory:", url_of(tmp_path / "a.db")))
    with closing(one), closing(other):
        empty = told(other)
        assert told(one) == empty
        one.execute("CREATE TABLE more (x)")
    [again] = opened(parse("sqlite:///:memory:"), 1)
    with closing(again):
        assert told(again) == empty, "each is a store of its own"


def test_chunks_that_are_there_are_counted_when_a_store_is_upgraded(tmp_path: Path) -> None:
    """By migration 12, but those that are given up; from then on each vector store knows how many it has."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        for _, script in migrations("sqlite")[:11]:
            connection.executescript(script)
        for store in "ab":
            connection.execute(
                "INSERT INTO vector_store (id, project, created_at, last_active_at, about) VALUES (?, 'p', 1, 1, '{}')",
                (store,),
            )
        files = [(1, "a", "one"), (2, "a", "other"), (3, "b", "one")]
        connection.executemany(
            "INSERT INTO store_file (seq, store, id, project, created_at, status, chunking) "
            "VALUES (?, ?, ?, 'p', 1, 'completed', '{}')",
            files,
        )
        chunks = [(file, start) for file, count in ((1, 3), (2, 2), (3, 1)) for start in range(count)]
        connection.executemany("INSERT INTO chunk (store_file, start, text) VALUES (?, ?, 'x')", chunks)
        connection.execute("INSERT INTO chunk_gone (store_file) VALUES (3)")
        connection.execute("PRAGMA user_version = 11")
        connection.commit()
    for connection in opened(parse(url_of(path)), 1):
        with closing(connection):
            assert [*map(tuple, connection.execute("SELECT id, chunks FROM vector_store"))] == [("a", 5), ("b", 0)]
            assert [chunks for (chunks,) in connection.execute("SELECT chunks FROM store_file")] == [3, 2, 0]


@pytest.mark.parametrize(("query", "synchronous"), [("", 1), ("?synchronous=normal", 1), ("?synchronous=full", 2)])
def test_a_connection_is_set_to_what_the_store_needs(query: str, synchronous: int, tmp_path: Path) -> None:
    for connection in opened(parse(url_of(tmp_path / "store.db") + query), 2):
        with closing(connection):
            settings = {
                name: connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
            }
        assert settings == {
            "synchronous": synchronous, "journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000,
        }  # fmt: skip


def test_a_store_that_is_locked_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    asyncio.run(write(SQLiteAddress(path), "a"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(EngineError, match=r"cannot be used: The store is locked by another program\. "):
            opened(SQLiteAddress(path, busy_s=0.1), 1)
        assert time.monotonic() - began < 5
        other.execute("COMMIT")
    asyncio.run(write(SQLiteAddress(path), "b"))
    assert keys(path) == ["a", "b"]


def test_a_damaged_store_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    asyncio.run(write(SQLiteAddress(path), "a"))
    with path.open("r+b") as file:
        file.seek(100)  # the root of the schema
        file.write(b"\xff" * 3000)
    with pytest.raises(EngineError, match=r"cannot be used: The store's file is damaged.*backup"):
        opened(SQLiteAddress(path), 1)


def test_a_wal_that_was_cut_off_is_read_up_to_the_last_whole_transaction(tmp_path: Path) -> None:
    """So a power cut leaves it: the newest transactions may be missing, and none is there by half."""
    path = tmp_path / "store.db"
    address = SQLiteAddress(path)
    first, second = opened(address, 2)  # two, so that closing the first leaves the WAL
    first.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    sizes: list[int] = []
    wal = Path(f"{path}-wal")
    for number in range(20):
        with transaction(first, "BEGIN IMMEDIATE"):
            for half in ("a", "b"):
                values = {"id": f"asst_{number}{half}", "body": "x" * 3000}
                first.execute(
                    "INSERT INTO assistant (id, project, created_at, body) VALUES (:id, 'p', 1, :body)", values
                )
        sizes.append(wal.stat().st_size)
    for name in ("cut", "cut-wal"):
        source = str(path) + name.removeprefix("cut")
        subprocess.run(["cp", source, str(tmp_path / name)], check=True)
    first.close()
    second.close()
    os.truncate(tmp_path / "cut-wal", sizes[12] + 5000)
    [recovered] = opened(SQLiteAddress(tmp_path / "cut"), 1)
    rows = [row[0] for row in recovered.execute("SELECT id FROM assistant ORDER BY seq")]
    recovered.close()
    assert rows == [f"asst_{number}{half}" for number in range(13) for half in ("a", "b")]


OPEN_AS_NOBODY = """
import asyncio, os, sys
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    store = SQLite(parse(sys.argv[1]))
except Exception as error:
    print(type(error).__name__, error)
else:
    print("opened")
    asyncio.run(store.aclose())
"""


def open_as_nobody(path: Path) -> str:
    """Open a store as a user who is not root, and give what comes of it."""
    command = [sys.executable, "-c", OPEN_AS_NOBODY, url_of(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="rights are another matter here")
def test_a_store_that_may_not_be_written_is_said_to_be(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o111)
    place = tmp_path / "open to all"
    place.mkdir()
    path = place / "store.db"
    asyncio.run(write(SQLiteAddress(path), "a"))
    place.chmod(0o777)
    path.chmod(0o444)
    cannot = f"EngineError Store {path} cannot be used: "
    assert open_as_nobody(path).startswith(f"{cannot}The store cannot be written. Make its file")
    for left in place.glob("store.db-*"):
        left.unlink()
    path.chmod(0o666)
    assert open_as_nobody(path) == "opened\n"
    assert keys(path) == ["a"]
    place.chmod(0o555)
    assert open_as_nobody(path).startswith(cannot)
    place.chmod(0o777)
    assert keys(path) == ["a"]


def test_what_went_wrong_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    connect(SQLiteAddress(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(20):
        with pytest.raises(EngineError):
            opened(SQLiteAddress(path), 3)
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after <= before
