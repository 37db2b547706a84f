"""Two workers on one store, and what they do about each other's runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scripted import Script, Scripted, answer
from toolkit.engine import workers
from toolkit.engine.blobs import Blobs
from toolkit.engine.code.interpreting import Interpreting
from toolkit.engine.code.sessions import Sessions
from toolkit.engine.execute import Execution
from toolkit.engine.filing import Filing
from toolkit.engine.indexing import Indexing
from toolkit.engine.jsontext import id_of
from toolkit.engine.meter import Silent
from toolkit.engine.objects import assistants, files, threads, vector_stores
from toolkit.engine.objects.settings import CreateRun
from toolkit.engine.rooms import Rooms
from toolkit.engine.routing import Models
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.sqlite import SQLite
from toolkit.sandbox.walls import available

DAY_S = 24 * 3600


@dataclass
class Clock:
    """The clock of a machine, which somebody may set."""

    ahead_s: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


class Worker:
    """An execution on a store of its own connections, as another process has."""

    def __init__(self, path: Path, script: Script | None, ahead_s: float = 0) -> None:
        self.store = SQLite(SQLiteAddress(path))
        self.model = Scripted([script or []])
        self.clock = Clock(ahead_s)
        filing = Filing(self.store, Blobs(self.store.files))
        rooms = Rooms(
            store=self.store,
            filing=filing,
            models=Models(self.model if script is not None else None),
            interpreting=Interpreting(Sessions(available, memory_bytes=2**30), filing),
            clock=self.clock,
            meter=Silent(),
            context_tokens=None,
            max_turns=9,
        )
        self.indexing = Indexing(self.store, filing)
        self.execution = Execution(rooms, self.indexing, concurrency=1, run_expires_s=10 * DAY_S)

    async def begin(self) -> tuple[str, str]:
        """Start a run; its thread's and its own id."""
        now = int(self.clock())
        assistant = await self.store.write(
            lambda tx: assistants.create(tx, "p", assistants.CreateAssistant(model="m"), now)
        )
        content: Any = {"messages": [{"role": "user", "content": "hello"}]}
        request = threads.CreateThread.model_validate(content)
        thread = await self.store.write(lambda tx: threads.create(tx, "p", request, now))
        asked = CreateRun(assistant_id=id_of(assistant))
        return id_of(thread), id_of(await self.execution.create_run("p", id_of(thread), asked))

    async def status(self, thread_id: str, run_id: str) -> str:
        return (await self.execution.read_run("p", thread_id, run_id)).status

    async def until(self, run: tuple[str, str], status: str) -> None:
        async with asyncio.timeout(20):
            while await self.status(*run) != status:
                await asyncio.sleep(0.02)

    async def aclose(self) -> None:
        await self.execution.aclose()
        await self.store.aclose()


def together(main: Callable[..., Any], *made: Callable[[], Worker]) -> None:
    async def go() -> None:
        team = [make() for make in made]
        for one in team:
            await one.execution.start()
        try:
            await main(*team)
        finally:
            for one in team:
                await one.aclose()

    asyncio.run(go())


@pytest.mark.parametrize("ahead_s", [DAY_S, -DAY_S])
def test_a_clock_that_jumps_takes_no_run_from_its_worker(tmp_path: Path, ahead_s: float) -> None:
    async def main(one: Worker, other: Worker) -> None:
        run = await one.begin()
        await one.until(run, "in_progress")
        other.clock.ahead_s = ahead_s
        await asyncio.sleep(1.5)  # it looks meanwhile
        one.clock.ahead_s = ahead_s
        await asyncio.sleep(1.5)
        assert await one.status(*run) == "in_progress"
        assert (len(one.model.requests), len(other.model.requests)) == (1, 0)

    path = tmp_path / "store.db"
    together(main, lambda: Worker(path, [60.0]), lambda: Worker(path, answer("Hi")))


def test_a_worker_that_leaves_hands_its_runs_to_another(tmp_path: Path) -> None:
    async def main(one: Worker, other: Worker) -> None:
        under_way, waiting = await one.begin(), await one.begin()
        await one.until(under_way, "in_progress")
        assert (one.execution.working, one.execution.waiting) == (1, 1)
        await one.execution.aclose()
        assert one.execution.closing
        for run in (under_way, waiting):
            await other.until(run, "completed")
        assert len(other.model.requests) == 2
        assert await other.store.read(lambda tx: workers.others(tx, "")) != []

    path = tmp_path / "store.db"
    together(main, lambda: Worker(path, [60.0]), lambda: Worker(path, answer("Hi")))


def test_a_run_that_waits_here_and_is_taken_there_is_let_go_here(tmp_path: Path) -> None:
    async def main(one: Worker, other: Worker) -> None:
        await one.begin()
        waiting = await one.begin()
        await one.store.write(lambda tx: tx.run("run.let_wait", owner=one.execution._worker))
        await other.until(waiting, "completed")
        async with asyncio.timeout(10):
            while one.execution.waiting:
                await asyncio.sleep(0.02)
        assert (len(one.model.requests), len(other.model.requests)) == (1, 1)

    path = tmp_path / "store.db"
    together(main, lambda: Worker(path, [60.0]), lambda: Worker(path, answer("Hi")))


def test_files_whose_time_is_up_are_swept(tmp_path: Path) -> None:
    async def main() -> None:
        worker = Worker(tmp_path / "store.db", answer("Hi"))
        async with Blobs(worker.store.files).receive() as incoming:
            blob = await incoming.keep()
            after: Any = {"anchor": "created_at", "seconds": 3600}
            await worker.store.write(
                lambda tx: files.create(tx, "p", blob, 0, filename="a", purpose="vision", expires_after=after)
            )
        await worker.execution.start()
        async with asyncio.timeout(20):
            while list((tmp_path / "store.db-files").glob("??/*")):
                await asyncio.sleep(0.02)
        assert await worker.store.read(files.digests) == set()
        await worker.aclose()

    asyncio.run(main())


def test_a_worker_that_processes_files_shows_that_it_lives(tmp_path: Path) -> None:
    """Or another one, which sees it stand still, would begin them anew, and so on."""

    async def main() -> None:
        worker = Worker(tmp_path / "store.db", answer("Hi"))
        async with Blobs(worker.store.files).receive() as incoming:
            await incoming.write(b"many words " * 800_000)
            blob = await incoming.keep()
            made = await worker.store.write(
                lambda tx: files.create(tx, "p", blob, 0, filename="a", purpose="vision", expires_after=None)
            )
            await worker.store.write(lambda tx: vector_stores.new(tx, "p", 0, file_ids=[id_of(made)]))
        await worker.execution.start()

        async def beat() -> int:
            [one] = await worker.store.read(lambda tx: workers.others(tx, ""))
            assert one.busy
            assert worker.indexing.busy
            return one.beat

        async with asyncio.timeout(20):
            while not worker.indexing.busy:
                await asyncio.sleep(0.02)
        before = await beat()
        await asyncio.sleep(2.5)
        assert await beat() >= before + 2
        await worker.aclose()

    asyncio.run(main())


def test_a_run_whose_model_is_not_here_is_left_to_those_who_have_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def main(one: Worker, without: Worker) -> None:
        run = await one.begin()
        await one.until(run, "in_progress")
        await one.execution.aclose()
        await asyncio.sleep(1.5)  # the other one looks meanwhile
        assert await without.status(*run) == "in_progress"
        third = Worker(path, answer("Hi"))
        await third.execution.start()
        await third.until(run, "completed")
        await third.aclose()

    together(main, lambda: Worker(path, [60.0]), lambda: Worker(path, None))
