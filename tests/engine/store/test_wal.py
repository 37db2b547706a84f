from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.faults import Outage
from toolkit.engine.store.lane import Lane
from toolkit.engine.store.opening import opened
from toolkit.engine.store.wal import Wal

MIB = 2**20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def lane(path: Path) -> Iterator[Lane]:
    address = SQLiteAddress(path)
    [connection] = opened(address, 1)
    lane = Lane(address, connection, "BEGIN IMMEDIATE", Outage("Writing to the store"), Wal(path))
    yield lane
    lane.close()


def grow(lane: Lane, path: Path, mib: int) -> int:
    """Write so much, and give the largest size of the WAL on the way."""
    wal, largest = Path(f"{path}-wal"), 0
    for number in range(mib * 4):

        def work(tx: Tx, number: int = number) -> None:
            tx.run("kept.put", project="p", key=str(number), request="r", created_at=1, answer="x" * (MIB // 4))

        lane.do(work)
        largest = max(largest, wal.stat().st_size)
    return largest


def begin(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM thread").fetchone()


@contextmanager
def overlapping_readers(path: Path) -> Iterator[None]:
    """Read so that there is a reader at every moment, as many clients do together."""
    over = threading.Event()

    def read() -> None:
        with closing(connect(path)) as one, closing(connect(path)) as other:
            begin(one)
            while not over.wait(0.001):
                begin(other)
                one.execute("COMMIT")
                one, other = other, one

    thread = threading.Thread(target=read)
    thread.start()
    yield
    over.set()
    thread.join()


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def test_readers_who_are_always_there_do_not_make_it_grow_for_ever(lane: Lane, path: Path) -> None:
    with overlapping_readers(path):
        assert grow(lane, path, 160) < 80 * MIB


def test_a_reader_who_stays_is_left_in_peace_and_its_growth_taken_back(lane: Lane, path: Path) -> None:
    with closing(connect(path)) as reader:
        begin(reader)
        assert grow(lane, path, 40) > 35 * MIB
        assert reader.execute("SELECT count(*) FROM kept_answer").fetchone() == (0,)
        reader.execute("COMMIT")
    grow(lane, path, 8)
    assert Path(f"{path}-wal").stat().st_size <= 16 * MIB
