"""Files that were processed before are copied, and are as if they had been processed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_indexing import LARGE, Desk, together
from toolkit.engine.objects import resources, store_files
from toolkit.engine.objects.store_files import CreateStoreFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def contents(desk: Desk, store_id: str, file_id: str) -> list[tuple[Any, ...]]:
    """Read the chunks of a file, with their words."""

    def work(tx: Any) -> list[tuple[Any, ...]]:
        rows = tx._connection.execute(
            "SELECT start, text, place, words FROM chunk JOIN chunk_words ON chunk_words.rowid = chunk.seq "
            "JOIN store_file ON store_file.seq = chunk.store_file "
            "WHERE store_file.store = ? AND store_file.id = ? ORDER BY start",
            (store_id, file_id),
        )
        return [tuple(row) for row in rows]

    return await desk.store.read(work)


async def again(desk: Desk, file_id: str, **settings: Any) -> str:
    """Add a file to another store."""
    store_id = await desk.made(**settings)
    request = CreateStoreFile(file_id=file_id)
    await desk.store.write(lambda tx: store_files.create(tx, "p", store_id, request, 1_800_000_000))
    desk.indexing.wake()
    assert (await desk.ended(store_id, file_id))["status"] == "completed"
    return store_id


def test_the_same_file_in_another_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        file_id = await desk.put(store_id, LARGE)
        first = await desk.ended(store_id, file_id)
        monkeypatch.setattr("toolkit.engine.indexing.text_of", None)  # nothing is read any more
        other = await again(desk, file_id)
        assert await contents(desk, other, file_id) == await contents(desk, store_id, file_id)
        assert (await desk.get(other, file_id))["usage_bytes"] == first["usage_bytes"]
        assert len(await desk.found(other, "fox")) == len(await desk.found(store_id, "fox")) > 0

    together(main, path, "one")


def test_the_same_bytes_in_another_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        await desk.ended(store_id, await desk.put(store_id, b"cats purr"))
        monkeypatch.setattr("toolkit.engine.indexing.text_of", None)
        file_id = await desk.put(store_id, b"cats purr")
        assert (await desk.ended(store_id, file_id))["status"] == "completed"
        assert await desk.found(store_id, "cats") == ["cats purr"] * 2

    together(main, path, "one")


def test_what_is_to_be_cut_otherwise_is_read_again(path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        file_id = await desk.put(store_id, LARGE)
        await desk.ended(store_id, file_id)
        other = await again(desk, file_id, chunking=None)
        assert 0 < len(await contents(desk, other, file_id)) < len(await contents(desk, store_id, file_id))

    together(main, path, "one")


def test_a_twin_that_goes_away_meanwhile(path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        file_id = await desk.put(store_id, LARGE)
        await desk.ended(store_id, file_id)
        wanted = await contents(desk, store_id, file_id)
        other = await desk.made()
        desk.gate.shut_at = desk.gate.writes + 4
        request = CreateStoreFile(file_id=file_id)
        await desk.store.write(lambda tx: store_files.create(tx, "p", other, request, 1_800_000_000))
        desk.indexing.wake()
        await desk.gate.shut.wait()
        assert 0 < len(await contents(desk, other, file_id)) < len(wanted)
        await desk.store.write(lambda tx: resources.delete_store(tx, "p", store_id))
        desk.gate.open()
        assert (await desk.ended(other, file_id))["status"] == "completed"
        assert await contents(desk, other, file_id) == wanted

    together(main, path, "one")


def test_a_file_that_is_another_worker_s_by_now_is_left_alone(path: Path) -> None:
    """Copying stops where it is, and takes nothing away of what the other one has written."""

    async def main(desk: Desk, other: Desk) -> None:
        desk.start()
        store_id = await desk.made()
        file_id = await desk.put(store_id, LARGE)
        await desk.ended(store_id, file_id)
        wanted = await contents(desk, store_id, file_id)
        again_in = await desk.made()
        desk.gate.shut_at = desk.gate.writes + 4
        request = CreateStoreFile(file_id=file_id)
        await desk.store.write(lambda tx: store_files.create(tx, "p", again_in, request, 1_800_000_000))
        desk.indexing.wake()
        await desk.gate.shut.wait()
        await other.store.write(lambda tx: tx.run("store_file.let_go", owner="one"))  # it was thought to be dead
        other.start()
        assert (await other.ended(again_in, file_id))["status"] == "completed"
        desk.gate.open()
        await desk.until(lambda tx: not desk.indexing.busy)
        assert await contents(desk, again_in, file_id) == wanted

    together(main, path, "one", "two")
