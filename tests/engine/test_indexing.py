"""Workers that process files, on stores that are slow, in trouble, or shared with others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.engine.filled_stores import NOW, counts, search
from toolkit.engine import workers
from toolkit.engine.blobs import Blobs
from toolkit.engine.filing import Filing
from toolkit.engine.indexing import Indexing, is_needed
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import file_batches, files, resources, store_files, vector_stores
from toolkit.engine.objects.file_batches import CreateFileBatch
from toolkit.engine.objects.store_files import CreateStoreFile
from toolkit.engine.search.searching import Search
from toolkit.engine.store import Store, Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import StoreUnavailable

T = TypeVar("T")

SMALL: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
LINE = "The quick brown fox jumps over the lazy dog, and then it rests for a while.\n"
LARGE = (LINE * 4000).encode()
"""Some transactions of chunks."""
_MISCOUNTED = """
SELECT said, has FROM (
  SELECT vector_store.chunks AS said, (
    SELECT count(*) FROM store_file JOIN chunk ON chunk.store_file = store_file.seq
    WHERE store_file.store = vector_store.id AND store_file.seq NOT IN (SELECT store_file FROM chunk_gone)
  ) AS has
  FROM vector_store WHERE emptied = 0
) WHERE said <> has
"""


class Gate:
    """A `Store` on another one whose writes wait while it is shut; it counts them, and can be in trouble."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.writes = 0
        self.shut_at: int | None = None
        """Before which write it shuts."""
        self.in_trouble: Callable[[int], bool] = lambda write: False
        self.shut, self._open = asyncio.Event(), asyncio.Event()

    async def write(self, work: Callable[[Tx], T]) -> T:
        self.writes += 1
        if self.shut_at == self.writes:
            self.shut.set()
            await self._open.wait()
        if self.in_trouble(self.writes):
            raise StoreUnavailable("The disk is full.")
        return await self._inner.write(work)

    def open(self) -> None:
        self._open.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Desk:
    """A worker with connections of its own, as another process has."""

    def __init__(self, path: Path, worker: str = "worker") -> None:
        self.store = SQLite(SQLiteAddress(path))
        self.gate = Gate(self.store)
        self.worker = worker
        self.blobs = Blobs(self.store.files)
        self.indexing = Indexing(self.gate, Filing(self.store, self.blobs))
        self._standing: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._standing = asyncio.create_task(self.indexing.stand(self.worker))
        self.indexing.wake()

    async def stop(self) -> None:
        if self._standing is not None:
            self._standing.cancel()
            await asyncio.wait([self._standing])
            await self.store.write(lambda tx: workers.leave(tx, self.worker))
            self._standing = None

    async def aclose(self) -> None:
        await self.stop()
        await self.store.aclose()
        self.blobs.close()

    async def file(self, data: bytes) -> str:
        async with self.blobs.receive() as incoming:
            await incoming.write(data)
            blob = await incoming.keep()
            return id_of(
                await self.store.write(
                    lambda tx: files.create(tx, "p", blob, NOW, filename="a", purpose="assistants", expires_after=None)
                )
            )

    async def made(self, *file_ids: str, days: int | None = None, chunking: Any = SMALL) -> str:
        return await self.store.write(
            lambda tx: vector_stores.new(tx, "p", NOW, file_ids=file_ids, days=days, chunking=chunking)
        )

    async def put(self, store_id: str, data: bytes) -> str:
        request = CreateStoreFile(file_id=await self.file(data))
        await self.store.write(lambda tx: store_files.create(tx, "p", store_id, request, NOW))
        self.indexing.wake()
        return request.file_id

    async def get(self, store_id: str, file_id: str) -> Any:
        return json.loads(await self.store.read(lambda tx: store_files.get(tx, "p", store_id, file_id)))

    async def status(self, store_id: str, file_id: str) -> str:
        return str((await self.get(store_id, file_id))["status"])

    async def ended(self, store_id: str, file_id: str) -> Any:
        """Wait until a file is not in progress any more."""
        await self.until(lambda tx: '"status":"in_progress"' not in store_files.get(tx, "p", store_id, file_id))
        return await self.get(store_id, file_id)

    async def until(self, true: Callable[[Tx], bool], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not await self.store.read(true):
                await asyncio.sleep(0.01)

    async def content(self, store_id: str, file_id: str) -> str:
        text = await self.store.read(lambda tx: store_files.content(tx, "p", store_id, file_id, NOW))
        return "".join(item["text"] for item in json.loads(text)["data"])

    async def in_store(self, store_id: str) -> list[int]:
        return counts(await self.store.read(lambda tx: vector_stores.get(tx, "p", store_id, NOW)))

    async def found(self, store_id: str, query: str) -> list[str]:
        request = Search(query=query, max_num_results=50)
        text = await self.store.read(lambda tx: search(tx, "p", store_id, request, NOW))
        return [item["content"][0]["text"] for item in json.loads(text)["data"]]

    async def chunks(self) -> int:
        """Count the chunks; each has its words."""

        def work(tx: Any) -> int:
            execute = tx._connection.execute
            [[chunks]], [[words]] = (execute(f"SELECT count(*) FROM {table}") for table in ("chunk", "chunk_words"))
            assert chunks == words
            return int(chunks)

        return await self.store.read(work)

    async def counted(self, store_id: str) -> int:
        """Give how many chunks a store says that it has."""
        text = await self.store.read(lambda tx: vector_stores.get(tx, "p", store_id, NOW))
        return int(json.loads(text)["chunks"])

    async def miscounted(self) -> list[tuple[int, int]]:
        """List what stores whose time is not up say of their chunks, and what they have, where that differs."""

        def work(tx: Any) -> list[tuple[int, int]]:
            return list(map(tuple, tx._connection.execute(_MISCOUNTED)))

        return await self.store.read(work)

    async def wanted(self, data: bytes) -> int:
        """Process the same text undisturbed; how many chunks it has."""
        before = await self.chunks()
        store_id = await self.made()
        await self.ended(store_id, await self.put(store_id, data))
        return await self.chunks() - before


def together(main: Callable[..., Any], path: Path, *names: str) -> None:
    async def go() -> None:
        desks = [Desk(path, name) for name in names]
        try:
            await main(*desks)
            assert await desks[0].miscounted() == []
        finally:
            for desk in desks:
                desk.gate.open()
                await desk.aclose()

    asyncio.run(go())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


# What becomes of files


def test_a_file_is_read_cut_and_found(path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        text = LINE * 20 + "A zebra comes by.\n" + LINE * 20
        file_id = await desk.put(store_id, text.encode())
        done = await desk.ended(store_id, file_id)
        assert (done["status"], done["last_error"]) == ("completed", None)
        assert await desk.content(store_id, file_id) == text
        assert len(text) < done["usage_bytes"] < 2 * len(text), "chunks overlap"
        assert await desk.in_store(store_id) == [0, 1, 0, 0]
        assert "zebra" in (await desk.found(store_id, "zebras"))[0]
        assert not await desk.store.read(is_needed)

    together(main, path, "one")


def test_chunks_are_counted_as_they_are_written(path: Path) -> None:
    async def main(desk: Desk) -> None:
        wanted = await desk.wanted(LARGE)
        store_id = await desk.made()
        desk.gate.shut_at = desk.gate.writes + 4  # it is claimed, and two times some are written
        file_id = await desk.put(store_id, LARGE + b"Otherwise it is copied.")
        await desk.gate.shut.wait()
        assert await desk.status(store_id, file_id) == "in_progress"
        assert 0 < await desk.counted(store_id) < wanted
        assert await desk.miscounted() == []
        desk.gate.open()
        await desk.ended(store_id, file_id)
        assert wanted <= await desk.counted(store_id) <= wanted + 1
        await desk.store.write(lambda tx: store_files.delete(tx, "p", store_id, file_id))
        assert await desk.counted(store_id) == 0

    async def begun(desk: Desk) -> None:
        desk.start()
        await main(desk)

    together(begun, path, "one")


def test_files_that_cannot_be_read_fail_and_the_others_go_on(path: Path) -> None:
    too_long = b"word " * (2**22 + 1)
    long_in_utf_8 = ("東京 " * 2_900_000).encode("utf-16")

    async def main(desk: Desk) -> None:
        store_id = await desk.made(chunking=None)
        ids = [await desk.put(store_id, data) for data in (b"GIF89a\0", b"", too_long, long_in_utf_8, b"text")]
        desk.start()
        ends = [await desk.ended(store_id, file_id) for file_id in ids]
        assert [end["status"] for end in ends] == ["failed"] * 4 + ["completed"]
        assert [(end["last_error"] or {"code": None})["code"] for end in ends] == [
            "unsupported_file",
            *["invalid_file"] * 3,
            None,
        ]
        assert {end["last_error"]["message"] for end in ends[2:4]} == {"The file has more than 5,000,000 tokens."}
        assert await desk.in_store(store_id) == [0, 1, 4, 0]
        assert await desk.chunks() == 1

    together(main, path, "one")


def test_bytes_that_are_missing_fail_their_file_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main(desk: Desk) -> None:
        store_id = await desk.made()
        lost = await desk.put(store_id, b"lost")
        shutil.rmtree(desk.blobs.folder)
        kept = await desk.put(store_id, b"kept")
        desk.start()
        end = await desk.ended(store_id, lost)
        assert (end["status"], end["last_error"]["code"]) == ("failed", "server_error")
        assert (await desk.ended(store_id, kept))["status"] == "completed"
        assert lost in caplog.text

    together(main, path, "one")


def test_a_fault_of_ours_fails_the_file_and_is_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main(desk: Desk) -> None:
        store_id = await desk.made()
        file_id = await desk.put(store_id, b"secret text")
        await desk.store.write(
            lambda tx: tx._connection.execute("UPDATE store_file SET chunking = '{}'")  # type: ignore[attr-defined]
        )
        desk.start()
        end = await desk.store.read(lambda tx: tx.one("store_file.get", store=store_id, id=file_id, project="p"))
        await desk.until(lambda tx: not tx.all("store_file.under_way", store=store_id))
        end = await desk.store.read(lambda tx: tx.one("store_file.get", store=store_id, id=file_id, project="p"))
        assert end is not None
        assert json.loads(end["last_error"]) == {
            "code": "server_error",
            "message": "Something went wrong while the file was processed.",
        }
        assert file_id in caplog.text
        assert "secret" not in caplog.text

    together(main, path, "one")


# In turns


def test_a_large_file_is_written_a_little_at_a_time_and_counts_when_all_is_there(path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        file_id = await desk.put(store_id, LARGE)
        seen: set[int] = set()
        longest_s = 0.0

        def look(tx: Tx) -> tuple[bool, bool]:
            over = '"status":"completed"' in store_files.get(tx, "p", store_id, file_id)
            return over, '"data":[]' not in search(tx, "p", store_id, Search(query="fox"), NOW)

        while (looked := await desk.store.read(look)) == (False, False):
            began = time.monotonic()
            await desk.store.write(lambda tx: None)  # as a request does
            longest_s = max(longest_s, time.monotonic() - began)
            seen.add(await desk.chunks())
        assert looked == (True, True)
        assert len(seen) > 5
        assert longest_s < 1
        assert len(await desk.found(store_id, "fox")) == 50

    together(main, path, "one")


def test_stores_take_turns(path: Path) -> None:
    async def main(desk: Desk) -> None:
        many, few = await desk.made(), await desk.made()
        first = [await desk.put(many, LINE.encode() * 50) for _ in range(30)]
        late = await desk.put(few, b"a few words")
        desk.start()
        await desk.ended(few, late)
        done, *_ = await desk.store.read(
            lambda tx: [row["completed"] for row in tx.all("vector_store.page_asc", **ALL)]
        )
        assert done < 15
        for file_id in first:
            await desk.ended(many, file_id)

    together(main, path, "one")


ALL: Any = {"project": "p", "low_at": -1, "low_seq": -1, "high_at": 2**62, "high_seq": 2**62, "limit": 99}


def test_a_small_file_does_not_wait_for_a_large_one(path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        large = await desk.put(store_id, LARGE * 10)
        await desk.until(lambda tx: tx.one("chunk.count", words="words : fox")["count"] > 0)  # type: ignore[index]
        small = await desk.put(store_id, b"a few words")
        await desk.ended(store_id, small)
        assert await desk.status(store_id, large) == "in_progress"
        assert desk.indexing.busy

    together(main, path, "one")


# What others do meanwhile


def shut_after_some_chunks(desk: Desk) -> None:
    """Let a worker take a file and write some of it: the first write is the claim."""
    desk.gate.shut_at = desk.gate.writes + 4


async def half_way(desk: Desk) -> tuple[str, str]:
    """Have a large file written half."""
    store_id = await desk.made()
    shut_after_some_chunks(desk)
    file_id = await desk.put(store_id, LARGE)
    await asyncio.wait_for(desk.gate.shut.wait(), 30)
    assert await desk.chunks() > 0
    return store_id, file_id


def test_a_worker_that_lost_its_file_writes_nothing(path: Path) -> None:
    async def main(one: Desk, other: Desk) -> None:
        one.start()
        store_id, file_id = await half_way(one)
        await other.store.write(lambda tx: workers.leave(tx, "one"))  # it stood still for too long
        other.start()
        done = await other.ended(store_id, file_id)
        chunks = await other.chunks()
        one.gate.open()
        await one.until(lambda tx: not one.indexing.busy)
        assert await other.chunks() == chunks == await other.wanted(LARGE)
        assert await other.get(store_id, file_id) == done
        assert await other.content(store_id, file_id) == LARGE.decode()

    together(main, path, "one", "other")


def test_who_comes_back_to_a_file_that_another_has_begun_leaves_it_alone(path: Path) -> None:
    async def main(one: Desk, other: Desk) -> None:
        one.start()
        store_id, file_id = await half_way(one)
        await other.store.write(lambda tx: workers.leave(tx, "one"))
        shut_after_some_chunks(other)
        other.start()
        await asyncio.wait_for(other.gate.shut.wait(), 30)
        begun = await other.chunks()
        one.gate.open()
        await one.until(lambda tx: not one.indexing.busy)
        assert await other.chunks() == begun
        assert await other.status(store_id, file_id) == "in_progress"
        other.gate.open()
        await other.ended(store_id, file_id)
        assert await other.content(store_id, file_id) == LARGE.decode()

    together(main, path, "one", "other")


def cancel_batch(tx: Tx, store_id: str, file_id: str) -> None:
    batch = file_batches.create(tx, "p", store_id, CreateFileBatch(file_ids=[file_id]), NOW)
    file_batches.cancel(tx, "p", store_id, id_of(batch))


@pytest.mark.parametrize(
    ("do", "left"),
    [
        (cancel_batch, [0, 0, 0, 1]),
        (lambda tx, store_id, file_id: store_files.delete(tx, "p", store_id, file_id), [0, 0, 0, 0]),
        (lambda tx, store_id, file_id: files.delete(tx, "p", file_id, NOW), [0, 0, 0, 0]),
        (lambda tx, store_id, file_id: resources.delete_store(tx, "p", store_id), None),
    ],
    ids=["cancelled", "taken out", "deleted", "store deleted"],
)
def test_a_file_that_is_not_wanted_any_more_stops_and_its_chunks_go(
    path: Path, do: Callable[[Tx, str, str], object], left: list[int] | None
) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id, file_id = await half_way(desk)
        await desk.store.write(lambda tx: do(tx, store_id, file_id))
        desk.gate.open()
        desk.indexing.wake()
        await desk.until(lambda tx: not is_needed(tx))
        assert await desk.chunks() == 0
        if left is not None:
            assert await desk.in_store(store_id) == left

    together(main, path, "one")


def test_a_file_that_is_cut_anew_while_it_is_processed(path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id, file_id = await half_way(desk)
        request = CreateStoreFile(file_id=file_id, chunking_strategy={"type": "auto"})
        await desk.store.write(lambda tx: store_files.create(tx, "p", store_id, request, NOW))
        desk.gate.open()
        desk.indexing.wake()
        await desk.ended(store_id, file_id)
        await desk.until(lambda tx: not is_needed(tx))
        assert await desk.content(store_id, file_id) == LARGE.decode()
        assert await desk.chunks() < len(LARGE) / 1000, "larger ones, and none of the others"
        assert await desk.in_store(store_id) == [0, 1, 0, 0]

    together(main, path, "one")


def test_the_files_of_a_worker_that_died_are_begun_anew(path: Path) -> None:
    async def main(one: Desk, other: Desk) -> None:
        one.start()
        store_id, file_id = await half_way(one)
        other.start()
        await asyncio.sleep(0.2)
        assert not other.indexing.busy, "as long as it has it"
        [dead] = await other.store.read(lambda tx: workers.others(tx, "other"))
        assert dead.busy
        assert await other.store.write(lambda tx: workers.forget(tx, dead))
        other.indexing.wake()
        await other.ended(store_id, file_id)
        assert await other.chunks() == await other.wanted(LARGE)

    together(main, path, "one", "other")


def test_a_worker_that_leaves_hands_its_files_on(path: Path) -> None:
    async def main(one: Desk, other: Desk) -> None:
        one.start()
        store_id = await one.made()
        ids = [await one.put(store_id, LARGE) for _ in range(6)]
        await one.until(lambda tx: one.indexing.busy)
        await one.stop()
        other.start()
        for file_id in ids:
            assert (await other.ended(store_id, file_id))["status"] == "completed"
        assert await other.in_store(store_id) == [0, 6, 0, 0]
        assert await other.chunks() == 6 * await other.wanted(LARGE)

    together(main, path, "one", "other")


def test_workers_share_the_files_and_take_none_twice(path: Path) -> None:
    async def main(one: Desk, other: Desk) -> None:
        store_id = await one.made()
        ids = [await one.put(store_id, LINE.encode() * 100) for _ in range(40)]
        one.start()
        other.start()
        for file_id in ids:
            assert (await one.ended(store_id, file_id))["status"] == "completed"
        assert min(one.gate.writes, other.gate.writes) > 10
        assert await one.chunks() == 40 * await one.wanted(LINE.encode() * 100)

    together(main, path, "one", "other")


# A store in trouble


def troubles() -> Iterator[tuple[str, Callable[[int], bool]]]:
    for at in range(1, 8):
        yield f"once, at write {at}", lambda write, at=at: write == at  # type: ignore[misc]
    yield "for a while", lambda write: 3 <= write < 6
    yield "again and again", lambda write: write % 5 == 0


@pytest.mark.parametrize("in_trouble", [trouble for _, trouble in troubles()], ids=[name for name, _ in troubles()])
def test_a_store_in_trouble_is_waited_for(path: Path, in_trouble: Callable[[int], bool]) -> None:
    async def main(desk: Desk) -> None:
        store_id = await desk.made()
        ids = [await desk.put(store_id, data) for data in (LARGE[: len(LARGE) // 4], b"GIF89a\0", b"text")]
        desk.gate.in_trouble = in_trouble
        desk.start()
        assert [(await desk.ended(store_id, file_id))["status"] for file_id in ids] == [
            "completed",
            "failed",
            "completed",
        ]
        assert await desk.content(store_id, ids[0]) == LARGE[: len(LARGE) // 4].decode()
        desk.gate.in_trouble = lambda write: False
        desk.indexing.wake()
        await desk.until(lambda tx: not is_needed(tx))
        assert await desk.chunks() == 1 + await desk.wanted(LARGE[: len(LARGE) // 4])

    together(main, path, "one")


def test_chunks_that_fill_their_transactions_to_the_last(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.engine.indexing._WRITTEN_BYTES", 1)

    async def main(desk: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        file_id = await desk.put(store_id, LARGE[:1000])
        assert (await desk.ended(store_id, file_id))["status"] == "completed"
        assert await desk.content(store_id, file_id) == LARGE[:1000].decode()

    together(main, path, "one")


def test_a_worker_can_leave_while_the_store_is_in_trouble(path: Path) -> None:
    async def main(desk: Desk) -> None:
        store_id = await desk.made()
        await desk.put(store_id, LARGE)
        desk.gate.in_trouble = lambda write: write > 3
        desk.start()
        await desk.until(lambda tx: desk.gate.writes > 3)
        async with asyncio.timeout(5):
            await desk.stop()

    together(main, path, "one")


# What is not needed any more


def test_chunks_of_files_that_are_gone_are_removed_a_few_at_a_time(path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id, other = await desk.made(), await desk.made()
        stays = await desk.put(other, LARGE)
        for data in (LARGE, b"one", b"two"):
            await desk.ended(store_id, await desk.put(store_id, data))
        await desk.ended(other, stays)
        kept = await desk.wanted(LARGE) * 2
        before, writes = await desk.chunks(), desk.gate.writes
        await desk.store.write(lambda tx: resources.delete_store(tx, "p", store_id))
        desk.indexing.wake()
        await desk.until(lambda tx: not is_needed(tx))
        assert await desk.chunks() == kept
        assert desk.gate.writes - writes >= (before - kept) / 100
        assert await desk.content(other, stays) == LARGE.decode()
        assert len(await desk.found(other, "fox")) == 50

    together(main, path, "one")


def test_a_sweep_empties_stores_whose_time_is_up(path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        stores = [await desk.made(days=1) for _ in range(20)]
        for store_id in stores:
            await desk.ended(store_id, await desk.put(store_id, b"some text"))
        await desk.indexing.sweep(NOW + 86399)
        assert await desk.chunks() == 20
        store_id, waits = stores[0], await desk.file(b"never read")
        await desk.stop()
        request = CreateStoreFile(file_id=waits)
        await desk.store.write(lambda tx: store_files.create(tx, "p", store_id, request, NOW))
        await desk.indexing.sweep(NOW + 86400)
        assert await desk.status(store_id, waits) == "cancelled"
        desk.start()
        await desk.until(lambda tx: not is_needed(tx))
        assert await desk.chunks() == 0
        with contextlib.suppress(TimeoutError):
            await desk.until(lambda tx: desk.indexing.busy, 0.2)
        assert not desk.indexing.busy

    together(main, path, "one")
