from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import signal
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.engine.blobs import Blobs
from toolkit.engine.objects import files
from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.backup import Copied, backup
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import EngineError


def put(tx: Tx, key: str) -> int:
    return tx.run("kept.put", project="p", key=key, request="r", created_at=1, answer="x" * 2000)


def keys(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return sorted(int(key) for (key,) in connection.execute("SELECT key FROM kept_answer"))


@pytest.fixture
def address(tmp_path: Path) -> SQLiteAddress:
    """A store with ten rows, closed."""
    address = SQLiteAddress(tmp_path / "live" / "store.db")
    asyncio.run(fill(address, 10))
    return address


async def fill(address: SQLiteAddress, rows: int) -> None:
    store = SQLite(address)
    for number in range(rows):
        await store.write(lambda tx, number=number: put(tx, str(number)))
    await store.aclose()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_closed_store_is_copied_into_one_file(address: SQLiteAddress, tmp_path: Path) -> None:
    to = tmp_path / "a folder, made now" / "copy.db"
    copied = backup(address, to)
    assert copied == Copied(to.stat().st_size, 0, 0)
    assert copied.database > 20_000
    assert leftovers(to.parent) == ["copy.db"]
    assert keys(to) == list(range(10))


def test_the_copy_is_a_store(address: SQLiteAddress, tmp_path: Path) -> None:
    backup(address, tmp_path / "copy.db")
    asyncio.run(fill(SQLiteAddress(tmp_path / "copy.db"), 12))
    assert keys(tmp_path / "copy.db") == list(range(12))
    assert address.path is not None
    assert keys(address.path) == list(range(10))


def test_only_those_who_may_read_the_store_may_read_the_copy(address: SQLiteAddress, tmp_path: Path) -> None:
    assert address.path is not None
    address.path.chmod(0o640)
    backup(address, tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o640


@pytest.fixture
def writing(address: SQLiteAddress) -> Iterator[list[int]]:
    """Somebody who writes row after row while the test runs; the list has what is committed."""
    committed: list[int] = []
    over = threading.Event()

    async def write() -> None:
        store = SQLite(address)
        number = 1000
        while not over.is_set():
            await store.write(lambda tx, number=number: put(tx, str(number)))
            committed.append(number)
            number += 1
        await store.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(write()))
    thread.start()
    yield committed
    over.set()
    thread.join()


def test_a_live_store_is_copied_as_it_was_at_one_moment(
    address: SQLiteAddress, writing: list[int], tmp_path: Path
) -> None:
    asyncio.run(fill(address, 500))  # long enough a copy for writes to fall into it
    for turn in range(5):
        before = len(writing)
        backup(address, tmp_path / f"{turn}.db")
        after = len(writing)
        copied = keys(tmp_path / f"{turn}.db")
        assert copied[:500] == list(range(500))
        newer = copied[500:]
        assert newer == list(range(1000, 1000 + len(newer)))
        assert before <= len(newer) <= after + 1, "what was committed before is there, and nothing of later"


def test_writers_go_on_during_a_copy(address: SQLiteAddress, writing: list[int], tmp_path: Path) -> None:
    asyncio.run(fill(address, 2000))
    before = len(writing)
    for turn in range(5):
        backup(address, tmp_path / f"{turn}.db")
    assert len(writing) > before + 5


def _write_and_die(path: str) -> None:  # pragma: no cover - ends by a signal
    async def work() -> None:
        store = SQLite(SQLiteAddress(Path(path)))
        await store.write(lambda tx: put(tx, "7"))
        os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(work())


def test_a_store_that_was_left_by_a_kill_is_copied_with_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    worker = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(str(path),))
    worker.start()
    worker.join()
    assert Path(f"{path}-wal").stat().st_size > 0
    backup(SQLiteAddress(path), tmp_path / "copy.db")
    assert keys(tmp_path / "copy.db") == [7]


def test_what_is_there_is_only_overwritten_when_told(address: SQLiteAddress, tmp_path: Path) -> None:
    to = tmp_path / "copy.db"
    to.write_text("yesterday's")
    with pytest.raises(EngineError, match="there already"):
        backup(address, to)
    assert to.read_text() == "yesterday's"
    backup(address, to, overwrite=True)
    assert keys(to) == list(range(10))


def test_neither_the_store_itself_nor_another_one_in_use_is_overwritten(address: SQLiteAddress, tmp_path: Path) -> None:
    assert address.path is not None
    with pytest.raises(EngineError, match="Name another file"):
        backup(address, address.path, overwrite=True)
    other = SQLite(SQLiteAddress(tmp_path / "other.db"))
    with pytest.raises(EngineError, match="open as a store"):
        backup(address, tmp_path / "other.db", overwrite=True)
    asyncio.run(other.aclose())
    backup(address, tmp_path / "other.db", overwrite=True)
    assert keys(tmp_path / "other.db") == list(range(10))


def test_what_cannot_be_copied_is_said(address: SQLiteAddress, tmp_path: Path) -> None:
    to = tmp_path / "copies" / "copy.db"
    with pytest.raises(EngineError, match="in memory"):
        backup(SQLiteAddress(None), to)
    with pytest.raises(EngineError, match="There is no store"):
        backup(SQLiteAddress(tmp_path / "none.db"), to)
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no database, but long enough to be taken for one" * 50)
    with pytest.raises(EngineError, match="No backup was made"):
        backup(SQLiteAddress(tmp_path / "text.db"), to)
    with contextlib.closing(sqlite3.connect(tmp_path / "theirs.db")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(EngineError, match="not a store of assistants-toolkit"):
        backup(SQLiteAddress(tmp_path / "theirs.db"), to)
    assert leftovers(to.parent) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="cannot be written"):
        backup(address, tmp_path / "file" / "copy.db")


def test_a_damaged_store_is_not_taken_for_a_backup(address: SQLiteAddress, tmp_path: Path) -> None:
    assert address.path is not None
    with contextlib.closing(sqlite3.connect(address.path)) as connection:
        [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'kept_answer'").fetchone()
    with address.path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(EngineError, match=r"damaged|malformed"):
        backup(address, tmp_path / "copies" / "copy.db")
    assert leftovers(tmp_path / "copies") == []


def with_files(address: SQLiteAddress, *contents: bytes) -> list[str]:
    """Add files to a store; gives their digests."""

    async def main() -> list[str]:
        store, digests = SQLite(address), []
        blobs = Blobs(store.files)
        for number, content in enumerate(contents):
            async with blobs.receive() as incoming:
                await incoming.write(content)
                blob = await incoming.keep()
                await store.write(
                    lambda tx, blob=blob, number=number: files.create(  # type: ignore[misc]
                        tx, "p", blob, 1000 + number, filename="a", purpose="assistants", expires_after=None
                    )
                )
                digests.append(blob.sha256)
        await store.aclose()
        blobs.close()
        return digests

    return asyncio.run(main())


def bytes_in(database: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(f"{database}-files").glob("??/*")}


def test_the_bytes_of_files_are_copied_that_the_copy_names(address: SQLiteAddress, tmp_path: Path) -> None:
    assert address.path is not None
    first, second = with_files(address, b"one", b"second")
    orphan = "ab" * 32
    (Path(f"{address.path}-files") / "ab").mkdir(exist_ok=True)
    (Path(f"{address.path}-files") / "ab" / orphan).write_bytes(b"nobody's")
    to = tmp_path / "copies" / "copy.db"
    assert backup(address, to) == Copied(to.stat().st_size, 9, 0)
    assert bytes_in(to) == {first: b"one", second: b"second"}
    assert leftovers(to.parent) == ["copy.db", "copy.db-files"]
    shutil.rmtree(f"{address.path}-files")
    assert bytes_in(to) == {first: b"one", second: b"second"}, "a copy, whatever becomes of the store"


def test_a_copy_that_is_made_anew_has_what_it_needs_and_no_more(address: SQLiteAddress, tmp_path: Path) -> None:
    assert address.path is not None
    first, second = with_files(address, b"one", b"second")
    to = tmp_path / "copy.db"
    backup(address, to)
    cut, mine = tmp_path / "copy.db-files" / second[:2] / second, tmp_path / "copy.db-files" / "notes.txt"
    cut.unlink()
    cut.write_bytes(b"sec")
    mine.write_text("mine")
    with contextlib.closing(sqlite3.connect(address.path)) as connection:
        connection.execute("DELETE FROM file WHERE sha256 = ?", [first])
        connection.commit()
    assert backup(address, to, overwrite=True).files == 6
    assert bytes_in(to) == {second: b"second"}
    assert mine.read_text() == "mine"


def test_bytes_that_the_store_lacks_are_counted(address: SQLiteAddress, tmp_path: Path) -> None:
    first, second = with_files(address, b"one", b"second")
    (Path(f"{address.path}-files") / first[:2] / first).write_bytes(b"on")
    copied = backup(address, tmp_path / "copy.db")
    assert (copied.files, copied.missing) == (6, 1)
    assert bytes_in(tmp_path / "copy.db") == {second: b"second"}


def test_bytes_are_copied_to_another_file_system(address: SQLiteAddress) -> None:
    here, there = os.stat(address.path or "").st_dev, Path("/dev/shm")
    if not there.is_dir() or there.stat().st_dev == here:
        pytest.skip("there is no other file system here")
    [first] = with_files(address, b"one")
    with tempfile.TemporaryDirectory(dir=there) as folder:
        backup(address, Path(folder) / "copy.db")
        assert bytes_in(Path(folder) / "copy.db") == {first: b"one"}
