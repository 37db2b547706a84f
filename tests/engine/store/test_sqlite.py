from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from toolkit.engine.store import Store, Tx
from toolkit.engine.store.address import SQLiteAddress, parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import EngineError


def put(tx: Tx, key: str, answer: str = "{}") -> int:
    return tx.run("kept.put", project="p", key=key, request="r", created_at=1, answer=answer)


def has(tx: Tx, key: str) -> bool:
    return tx.one("kept.get", project="p", key=key, since=0) is not None


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "sqlite:///:memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/folder/store.db"


async def opened(url: str) -> AsyncIterator[Store]:
    store = SQLite(parse(url))
    try:
        yield store
    finally:
        await store.aclose()


def test_a_write_is_seen_by_the_next_read(url: str) -> None:
    async def main() -> None:
        async for store in opened(url):
            assert await store.write(lambda tx: put(tx, "a")) == 1
            assert await store.read(lambda tx: has(tx, "a"))
            assert not await store.read(lambda tx: has(tx, "b"))

    asyncio.run(main())


def test_work_that_raises_leaves_nothing(url: str) -> None:
    async def main() -> None:
        async for store in opened(url):

            def work(tx: Tx) -> None:
                put(tx, "a")
                raise KeyError("on purpose")

            with pytest.raises(KeyError, match="on purpose"):
                await store.write(work)
            assert not await store.read(lambda tx: has(tx, "a"))
            assert await store.write(lambda tx: put(tx, "a")) == 1

    asyncio.run(main())


def test_writes_take_turns(url: str) -> None:
    async def main() -> None:
        async for store in opened(url):

            def count(tx: Tx) -> None:
                row = tx.one("kept.get", project="p", key="n", since=0)
                put(tx, "n", str(int(row["answer"]) + 1 if row else 1))

            await asyncio.gather(*(store.write(count) for _ in range(200)))
            row = await store.read(lambda tx: tx.one("kept.get", project="p", key="n", since=0))
            assert row is not None
            assert row["answer"] == "200"

    asyncio.run(main())


def test_what_nobody_waits_for_is_not_begun_and_what_is_begun_goes_to_its_end(url: str) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        begun.set()
        assert go_on.wait(30)
        put(tx, "begun")

    async def main() -> None:
        async for store in opened(url):
            first = asyncio.create_task(store.write(slow))
            await asyncio.to_thread(begun.wait, 30)
            behind = asyncio.create_task(store.write(lambda tx: put(tx, "in line")))
            await asyncio.sleep(0)
            for task in (first, behind):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            go_on.set()
            assert await store.write(lambda tx: (has(tx, "begun"), has(tx, "in line"))) == (True, False)

    asyncio.run(main())


def test_what_waits_for_a_lock_is_not_done_for_who_left(tmp_path: Path) -> None:
    async def main() -> None:
        async for store in opened(f"sqlite:///{tmp_path}/store.db"):
            with contextlib.closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                task = asyncio.create_task(store.write(lambda tx: put(tx, "a")))
                await asyncio.sleep(0.2)
                task.cancel()
                await asyncio.wait([task])
                other.execute("COMMIT")
            assert await store.write(lambda tx: (has(tx, "a"), put(tx, "b"))) == (False, 1)

    asyncio.run(main())


def test_whoever_comes_while_it_is_closed_is_answered(url: str) -> None:
    """On another thread than the one that closes."""
    coming, closed = threading.Event(), threading.Event()

    class Slow(asyncio.SelectorEventLoop):
        """A loop that takes its time at each step of a request."""

        def create_future(self) -> asyncio.Future[Any]:
            coming.set()
            closed.wait(30)
            return super().create_future()

    async def come(store: SQLite) -> None:
        with pytest.raises(EngineError, match="closed"):
            async with asyncio.timeout(10):
                await store.write(lambda tx: put(tx, "a"))

    async def close(store: SQLite) -> None:
        await store.aclose()

    store = SQLite(parse(url))
    with ThreadPoolExecutor(1) as other, closing(Slow()) as loop:
        left = other.submit(loop.run_until_complete, come(store))
        assert coming.wait(30)
        asyncio.run(close(store))
        closed.set()
        left.result(30)


def test_a_closed_store_says_so(url: str) -> None:
    async def main() -> None:
        store = SQLite(parse(url))
        await store.aclose()
        await store.aclose()
        with pytest.raises(EngineError, match="closed"):
            await store.read(lambda tx: has(tx, "a"))

    asyncio.run(main())


def test_it_runs_in_wal_and_is_found_again(tmp_path: Path) -> None:
    async def main() -> None:
        url = f"sqlite:///{tmp_path}/store.db"
        async for store in opened(url):
            await store.write(lambda tx: put(tx, "a"))
        async for store in opened(url):
            assert await store.read(lambda tx: has(tx, "a"))
        connection = sqlite3.connect(tmp_path / "store.db")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()

    asyncio.run(main())


def _open_and_put(path: str, number: int) -> None:
    async def main() -> None:
        async for store in opened(f"sqlite:///{path}"):
            for turn in range(20):
                await store.write(lambda tx, turn=turn: put(tx, f"{number}-{turn}"))

    asyncio.run(main())


def test_what_is_closed_is_one_file_again(tmp_path: Path) -> None:
    async def main() -> None:
        for round in range(4):
            stores = [SQLite(SQLiteAddress(tmp_path / f"{round}-{number}.db")) for number in range(8)]
            await asyncio.gather(*[store.write(lambda _: None) for store in stores])
            await asyncio.gather(*[store.aclose() for store in stores])

    asyncio.run(main())
    assert not list(tmp_path.glob("*-wal"))


def test_processes_that_open_a_new_file_at_once_share_it(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    path = str(tmp_path / "store.db")
    workers = [spawn.Process(target=_open_and_put, args=(path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM kept_answer").fetchone() == (60,)
    connection.close()


def _put_for_ever(path: str, told: multiprocessing.SimpleQueue[int]) -> None:
    async def main() -> None:
        async for store in opened(f"sqlite:///{path}"):
            number = 0
            while True:
                await store.write(lambda tx, number=number: put(tx, str(number)))
                told.put(number)
                number += 1

    asyncio.run(main())


def test_kill_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    path = str(tmp_path / "store.db")
    told: multiprocessing.SimpleQueue[int] = spawn.SimpleQueue()
    worker = spawn.Process(target=_put_for_ever, args=(path, told))
    worker.start()
    last = 0
    while last < 200:
        last = told.get()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    while not told.empty():
        last = told.get()

    async def main() -> None:
        async for store in opened(f"sqlite:///{path}"):
            assert all(await store.read(lambda tx: [has(tx, str(number)) for number in range(last + 1)]))

    asyncio.run(main())


def test_a_relative_place_stays_where_it_was(tmp_path: Path) -> None:
    async def main() -> None:
        async for store in opened("sqlite:///store.db"):
            os.chdir("elsewhere")
            assert await store.write(lambda tx: put(tx, "a")) == 1
            assert await store.read(lambda tx: has(tx, "a"))
            assert store.files == tmp_path / "store.db-files"
            store.appear("w")
            assert (tmp_path / "store.db-worker-w").exists()
            store.disappear("w")

    (tmp_path / "elsewhere").mkdir()
    with contextlib.chdir(tmp_path):
        asyncio.run(main())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    with pytest.raises(EngineError, match="newer version"):
        SQLite(parse(f"sqlite:///{tmp_path}/store.db"))


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(EngineError, match="another program"):
        SQLite(parse(f"sqlite:///{tmp_path}/store.db"))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database, but long enough to be read as one" * 50)
    with pytest.raises(EngineError, match="cannot be used"):
        SQLite(parse(f"sqlite:///{tmp_path}/store.db"))


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match=r"cannot be used.*can be written"):
        SQLite(parse(f"sqlite:///{tmp_path}/file/store.db"))
    with pytest.raises(EngineError, match="cannot be used"):
        SQLite(parse(f"sqlite:///{tmp_path}"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_it_says_what_to_do() -> None:
    code = """
import asyncio, os
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite
store = SQLite(parse("sqlite:///:memory:"))
if child := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    asyncio.run(asyncio.wait_for(store.read(lambda tx: None), 5))
except BaseException as error:
    os._exit(3 if "Make a new Engine" in str(error) else 4)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, check=False)
    assert done.returncode == 3


NO_ROOM = """
import asyncio, os, resource, sys
from pathlib import Path
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import StoreUnavailable

def allow(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main(path):
    store, kept = SQLite(SQLiteAddress(path)), []
    async def write(number):
        def work(tx):
            for half in "ab":
                tx.run("kept.put", project="p", key=f"{number}{half}", request="r", created_at=1, answer="x" * 20000)
        try:
            await store.write(work)
        except StoreUnavailable as error:
            print(error)
            return False
        kept.append(number)
        return True
    for number in range(10):
        assert await write(number)
    allow(Path(f"{path}-wal").stat().st_size + 100_000)
    done = [await write(number) for number in range(100, 110)]
    assert done[0] and not any(done[2:]), done
    assert await store.read(lambda tx: tx.one("kept.get", project="p", key="3a", since=0))
    allow(resource.RLIM_INFINITY)
    for number in range(200, 210):
        assert await write(number)
    await store.aclose()
    print(kept)

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits here")
def test_where_there_is_no_room_nothing_is_half_written_and_it_goes_on_when_there_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    command = [sys.executable, "-W", "error", "-c", NO_ROOM, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    *said, kept = done.stdout.splitlines()
    assert set(said) == {"The store's disk does not read or write. Look at the disk, its room and the quota."}
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = {key for (key,) in connection.execute("SELECT key FROM kept_answer")}
    connection.close()
    assert rows == {f"{number}{half}" for number in json.loads(kept) for half in "ab"}
