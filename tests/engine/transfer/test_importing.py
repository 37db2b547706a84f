from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.transfer.objects import assistant, line, message
from tests.engine.transfer.stores import in_store
from toolkit.engine.blobs import Blobs
from toolkit.engine.store import Store
from toolkit.engine.transfer.importing import Import
from toolkit.engine.transfer.lines import line_of
from toolkit.engine.transfer.taking import Options, Placed
from toolkit.errors import StoreUnavailable


def placed(value: Any) -> Placed:
    return Placed(line_of(value), "here")  # type: ignore[arg-type]


def test_lines_go_into_the_store_together(tmp_path: Path) -> None:
    async def work(store: Store, blobs: Blobs) -> None:
        into = Import(store, Options(), print)
        for number in range(100):
            await into.take(placed(line("message", message(f"msg_{number}", number))))
        count = len(
            await store.read(lambda tx: tx.all("transfer.messages", thread="thread_a", after_seq=-1, limit=999))
        )
        assert 0 < count < 100, "some wait for others"
        await into.finish()
        assert (into.tally.counts["message", "new"], into.tally.made) == (100, 1)

    in_store(work, tmp_path / "store.db")


def test_a_line_that_is_put_is_there() -> None:
    async def work(store: Store, blobs: Blobs) -> None:
        into = Import(store, Options(), print)
        await into.put(placed(line("assistant", assistant())))
        assert await store.read(lambda tx: tx.one("transfer.assistant", id="asst_a")) is not None

    in_store(work)


def test_the_store_is_left_to_those_who_work_on_it() -> None:
    """After each transaction, for as long as it took; so many small ones they are then."""

    async def work(store: Store, blobs: Blobs) -> list[int]:
        sizes: list[int] = []
        for others in (False, True):
            if others:
                await store.write(lambda tx: tx.run("worker.beat", id="a server"))
            into, pieces = Import(store, Options(), print), 0
            for number in range(2000):
                seen = into.tally.counts.total()
                await into.take(placed(line("message", message(f"msg_{others}{number}", number))))
                pieces += into.tally.counts.total() > seen
            sizes.append(pieces)
        return sizes

    alone, among_others = in_store(work)
    assert alone < among_others


def test_a_store_that_fails_is_told_and_nothing_is_half_there(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def work(store: Store, blobs: Blobs) -> None:
        into = Import(store, Options(), print)
        await into.put(placed(line("assistant", assistant())))
        path.rename(tmp_path / "elsewhere.db")
        with pytest.raises(StoreUnavailable):
            await into.put(placed(line("assistant", assistant("asst_b"))))
        (tmp_path / "elsewhere.db").rename(path)
        await into.put(placed(line("assistant", assistant("asst_b"))))
        assert into.tally.counts["assistant", "new"] == 2

    in_store(work, path)
