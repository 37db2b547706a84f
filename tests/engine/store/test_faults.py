from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from toolkit.engine.store.faults import Outage, fault_of, is_busy, is_misnamed, is_suspect
from toolkit.errors import StoreUnavailable

Provoke = Callable[[Path], object]


def made(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY, v TEXT NOT NULL)")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def full(path: Path) -> None:
    with closing(made(path)) as connection:
        connection.execute("PRAGMA max_page_count = 3")
        connection.execute("INSERT INTO t (v) VALUES (zeroblob(100000))")


def locked(path: Path) -> None:
    with closing(made(path)) as connection, closing(made(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        connection.execute("BEGIN IMMEDIATE")


def read_only(path: Path) -> None:
    made(path).close()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("INSERT INTO t (v) VALUES ('x')")


def damaged(path: Path) -> None:
    made(path).close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM t").fetchall()


def no_database(path: Path) -> None:
    path.write_text("no database, but long enough to be read as one" * 50)
    made(path)


def not_there(path: Path) -> None:
    made(path / "folder" / "file.db")


@pytest.mark.parametrize(
    ("provoke", "remedy", "kinds"),
    [
        (full, "Make room", ""),
        (locked, "by itself", "busy"),
        (read_only, "writable", ""),
        (damaged, "backup", "suspect"),
        (no_database, "backup", "suspect misnamed"),
        (not_there, "ulimit", "misnamed"),
    ],
)
def test_a_fault_of_the_world_names_its_remedy(provoke: Provoke, remedy: str, kinds: str, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error) as caught:
        provoke(tmp_path / "a store.db")
    fault = fault_of(caught.value)
    assert isinstance(fault, StoreUnavailable)
    assert remedy in str(fault)
    assert str(tmp_path) not in str(fault)
    said = {"busy": is_busy, "misnamed": is_misnamed, "suspect": is_suspect}
    assert {kind for kind, is_so in said.items() if is_so(caught.value)} == set(kinds.split())


@pytest.mark.parametrize(
    "sql", ["SELEC 1", "SELECT * FROM nowhere", "INSERT INTO t VALUES (1, NULL)", "SELECT ?", "SELECT 1; SELECT 2"]
)
def test_a_bug_of_ours_is_left_as_it_is(sql: str, tmp_path: Path) -> None:
    with closing(made(tmp_path / "store.db")) as connection, pytest.raises(sqlite3.Error) as caught:
        connection.execute(sql)
    assert fault_of(caught.value) is None
    assert not any(is_so(caught.value) for is_so in (is_busy, is_misnamed, is_suspect))


def test_an_outage_is_two_lines_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outage, why = Outage("Writing to store a.db"), StoreUnavailable("The disk is full.")
    for _ in range(1000):
        outage.goes_on(why)
    assert outage.under_way
    outage.over()
    assert not outage.under_way
    begun, over = (record.getMessage() for record in caplog.records)
    assert begun == "Writing to store a.db fails: The disk is full."
    assert over.startswith("Writing to store a.db works again, after 0.")
    assert all(record.exc_info is None for record in caplog.records)


def test_what_fails_by_turns_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("Reading from store a.db")
    for _ in range(100):
        outage.goes_on(StoreUnavailable("Damaged."))
        outage.over()
    assert len(caplog.records) == 2
