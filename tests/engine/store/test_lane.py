"""One thread's way through faults: each of them real, on a file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.faults import Outage
from toolkit.engine.store.lane import Lane
from toolkit.engine.store.opening import opened
from toolkit.engine.store.statements import migrations
from toolkit.errors import Refused, StoreUnavailable


def put(tx: Tx, key: str, size: int = 10) -> int:
    return tx.run("kept.put", project="p", key=key, request="r", created_at=1, answer="x" * size)


def has(tx: Tx, key: str) -> bool:
    return tx.one("kept.get", project="p", key=key, since=0) is not None


@pytest.fixture
def address(tmp_path: Path) -> SQLiteAddress:
    return SQLiteAddress(tmp_path / "store.db", busy_s=1)


def lane_on(connection: sqlite3.Connection, address: SQLiteAddress, begin: str = "BEGIN IMMEDIATE") -> Lane:
    return Lane(address, connection, begin, Outage("Working on the store"))


@pytest.fixture
def lane(address: SQLiteAddress) -> Iterator[Lane]:
    """A lane that writes, with the row `before` written."""
    [connection] = opened(address, 1)
    lane = lane_on(connection, address)
    lane.do(lambda tx: put(tx, "before"))
    yield lane
    lane.close()


def path_of(address: SQLiteAddress) -> Path:
    assert address.path is not None
    return address.path


@contextmanager
def another(address: SQLiteAddress) -> Iterator[sqlite3.Connection]:
    """Another program's connection."""
    with closing(sqlite3.connect(path_of(address), isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def test_a_lock_is_waited_for(address: SQLiteAddress) -> None:
    patient = replace(address, busy_s=10)
    [connection] = opened(patient, 1)
    lane = lane_on(connection, patient)
    with another(address) as other:
        other.execute("BEGIN EXCLUSIVE")
        ending = threading.Timer(0.1, lambda: other.execute("COMMIT"))
        ending.start()
        assert lane.do(lambda tx: put(tx, "a")) == 1
        ending.join()
    lane.close()


def test_a_lock_that_is_held_for_long_is_a_fault_until_it_ends(lane: Lane, address: SQLiteAddress) -> None:
    with another(address) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="locked by another program"):
            lane.do(lambda tx: put(tx, "a"))
        waits_s: list[float] = []
        while min(waits_s, default=1) > 0.28:  # who waits behind is told soon; the machine may be busy
            assert len(waits_s) < 10, waits_s
            began = time.monotonic()
            with pytest.raises(StoreUnavailable, match="locked by another program"):
                lane.do(lambda tx: put(tx, "a"))
            waits_s.append(time.monotonic() - began)
        other.execute("COMMIT")
        assert not lane.do(lambda tx: has(tx, "a"))
        other.execute("BEGIN EXCLUSIVE")
        ending = threading.Timer(0.2, lambda: other.execute("COMMIT"))
        ending.start()
        assert lane.do(lambda tx: put(tx, "a")) == 1, "the whole wait again"
        ending.join()


def test_a_queue_of_work_does_not_add_up_its_waits(lane: Lane, address: SQLiteAddress) -> None:
    with another(address) as other:
        other.execute("BEGIN EXCLUSIVE")
        asked_at = time.monotonic()
        for _ in range(101):
            with pytest.raises(StoreUnavailable, match="locked by another program"):
                lane.do(lambda tx: put(tx, "a"), asked_at)
        assert time.monotonic() - asked_at < 4, "it would be ten seconds, a tenth for each"
        with pytest.raises(StoreUnavailable, match="locked by another program"):
            lane.do(lambda tx: put(tx, "a"))
        other.execute("COMMIT")
        assert lane.do(lambda tx: put(tx, "a"), asked_at) == 1


@pytest.mark.parametrize("in_file", [True, False])
def test_a_transaction_that_cannot_be_taken_back_does_not_stay(address: SQLiteAddress, in_file: bool) -> None:
    address = address if in_file else replace(address, path=None)
    [connection] = opened(address, 1)
    lane = lane_on(connection, address)

    def refused(tx: Tx) -> None:
        put(tx, "a")

        def allow(action: int, what: str | None, *_: str | None) -> int:
            no = action == sqlite3.SQLITE_TRANSACTION and what == "ROLLBACK"
            return sqlite3.SQLITE_DENY if no else sqlite3.SQLITE_OK

        connection.set_authorizer(allow)
        raise Refused("on purpose")

    with pytest.raises(Refused, match="on purpose"):
        lane.do(refused)
    assert connection.in_transaction
    connection.set_authorizer(None)
    for key in "bc":
        assert lane.do(lambda tx, key=key: (has(tx, "a"), put(tx, key))) == (False, 1)  # type: ignore[misc]
    lane.close()


def test_a_transaction_that_finds_the_disk_full_leaves_nothing(address: SQLiteAddress) -> None:
    [connection] = opened(address, 1)
    lane = lane_on(connection, address)
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 5}")

    def work(tx: Tx) -> None:
        put(tx, "small")
        put(tx, "large", 100_000)

    with pytest.raises(StoreUnavailable, match="disk is full"):
        lane.do(work)
    assert not lane.do(lambda tx: has(tx, "small"))
    assert lane.do(lambda tx: put(tx, "small")) == 1, "what fits is taken"
    connection.execute("PRAGMA max_page_count = 1000")
    lane.do(work)
    assert lane.do(lambda tx: has(tx, "large"))
    lane.close()


def test_a_file_without_its_name_is_not_written(lane: Lane, address: SQLiteAddress, tmp_path: Path) -> None:
    path = path_of(address)
    path.rename(tmp_path / "elsewhere.db")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="deleted, moved or replaced"):
            lane.do(lambda tx: put(tx, "a"))
    assert not path.exists(), "no empty store in its place"
    (tmp_path / "elsewhere.db").rename(path)
    assert lane.do(lambda tx: (has(tx, "before"), has(tx, "a"), put(tx, "b"))) == (True, False, 1)


def test_a_file_that_took_its_place_is_not_written(lane: Lane, address: SQLiteAddress, tmp_path: Path) -> None:
    [other] = opened(replace(address, path=tmp_path / "other.db"), 1)
    other.close()
    size = (tmp_path / "other.db").stat().st_size
    os.replace(tmp_path / "other.db", path_of(address))
    with pytest.raises(StoreUnavailable, match="start again"):
        lane.do(lambda tx: put(tx, "a", 100_000))
    lane.close()
    with pytest.raises(StoreUnavailable, match="start again"):
        lane.do(lambda tx: put(tx, "a"))
    assert path_of(address).stat().st_size == size


def test_a_store_that_is_upgraded_meanwhile_is_left_alone(lane: Lane, address: SQLiteAddress) -> None:
    newest = len(migrations("sqlite"))
    with another(address) as other:
        other.execute(f"PRAGMA user_version = {newest + 1}")
        with pytest.raises(StoreUnavailable, match=f"schema {newest + 1}, this one knows {newest}"):
            lane.do(lambda tx: put(tx, "a"))
        other.execute(f"PRAGMA user_version = {newest}")
    assert lane.do(lambda tx: (has(tx, "a"), put(tx, "a"))) == (False, 1)


def copied(source: Path, to: Path, place: int) -> None:
    """Copy a page by another process: to close the file in this one would let go of SQLite's locks."""
    page = ["bs=4096", "count=1", f"skip={place}", f"seek={place}", "conv=notrunc", "status=none"]
    subprocess.run(["dd", f"if={source}", f"of={to}", *page], check=True)


def test_what_is_damaged_works_again_when_it_is_mended(address: SQLiteAddress, tmp_path: Path) -> None:
    writer, reader = opened(address, 2)
    writing, reading = lane_on(writer, address), lane_on(reader, address, "BEGIN")
    for number in range(50):
        writing.do(lambda tx, number=number: put(tx, str(number), 2000))
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    [root] = writer.execute("SELECT rootpage FROM sqlite_master WHERE name = 'kept_answer'").fetchone()
    path, whole, noise = path_of(address), tmp_path / "whole", tmp_path / "noise"
    copied(path, whole, root - 1)
    noise.write_bytes(b"\xff" * 4096 * root)
    copied(noise, path, root - 1)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="damaged"):
            reading.do(lambda tx: has(tx, "7"))
    copied(whole, path, root - 1)
    assert reading.do(lambda tx: [has(tx, str(number)) for number in range(50)]) == [True] * 50
    assert writing.do(lambda tx: put(tx, "50")) == 1
    assert reading.do(lambda tx: has(tx, "50"))
    writing.close()
    reading.close()


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(os.devnull) as lowest_free:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free.fileno(), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_without_a_descriptor_what_is_open_works_on(lane: Lane) -> None:
    with no_descriptor_left():
        for number in range(300):
            assert lane.do(lambda tx, number=number: put(tx, str(number), 20_000)) == 1
    assert lane.do(lambda tx: has(tx, "299"))


def test_a_connection_that_cannot_be_opened_again_is_opened_later(lane: Lane) -> None:
    lane.close()  # as after a damaged page
    with no_descriptor_left():
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="cannot be opened"):
                lane.do(lambda tx: put(tx, "a"))
    assert lane.do(lambda tx: (has(tx, "before"), put(tx, "a"))) == (True, 1)
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):  # with all that a connection is set to
        lane.do(lambda tx: tx.run("call.add", run="run_none", id="call_a"))


def test_a_wal_that_is_cut_off_under_way_is_a_fault(address: SQLiteAddress) -> None:
    """SQLite only notices where it reads what is gone; a new start finds what is whole."""
    writer, reader = opened(address, 2)
    reading = lane_on(reader, address, "BEGIN")
    lane_on(writer, address).do(lambda tx: put(tx, "a"))
    wal = Path(f"{path_of(address)}-wal")
    subprocess.run(["truncate", "--size=100", str(wal)], check=True)
    with pytest.raises(StoreUnavailable, match="does not read or write"):
        reading.do(lambda tx: has(tx, "a"))
    reading.close()
    writer.close()


def test_a_bug_stays_a_bug_and_the_lane_goes_on(lane: Lane) -> None:
    with pytest.raises(KeyError, match="no such statement"):
        lane.do(lambda tx: tx.one("no such statement"))
    with pytest.raises(sqlite3.ProgrammingError):
        lane.do(lambda tx: tx.one("kept.get", project="p"))

    def twice(tx: Tx) -> None:
        for _ in range(2):
            tx.run("assistant.insert", id="asst_a", project="p", created_at=1, body="{}")

    with pytest.raises(sqlite3.IntegrityError):
        lane.do(twice)
    assert lane.do(lambda tx: tx.one("assistant.get", id="asst_a", project="p")) is None


def test_a_store_in_memory_keeps_its_one_connection() -> None:
    address = SQLiteAddress(None)
    [connection] = opened(address, 1)
    lane = lane_on(connection, address)
    lane.do(lambda tx: put(tx, "a"))
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="disk is full"):
        lane.do(lambda tx: put(tx, "b", 100_000))
    assert lane.do(lambda tx: (has(tx, "a"), has(tx, "b"))) == (True, False)
    lane.close()
