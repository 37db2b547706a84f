"""A thread of ten thousand messages costs what a short one does, counted in steps of the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.engine.scripted import Scripted, answer
from toolkit.engine import Engine
from toolkit.engine.objects import threads
from toolkit.engine.objects.messages import CreateMessage
from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.faults import Outage
from toolkit.engine.store.lane import Lane
from toolkit.engine.store.opening import opened
from toolkit.server.inprocess import LoopThread

T = TypeVar("T")


class Counted:
    """A `Store` with one connection, that counts the steps of the machine behind its statements."""

    def __init__(self, path: Path) -> None:
        address = SQLiteAddress(path)
        [connection] = opened(address, 1)
        self._lane = Lane(address, connection, "BEGIN IMMEDIATE", Outage("Working on the store"))
        self.steps = 0
        connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.steps += 1
        return 0

    @property
    def files(self) -> None:
        return None

    async def write(self, work: Callable[[Tx], T]) -> T:
        return self._lane.do(work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        return self._lane.do(work)

    def appear(self, worker: str) -> None:
        pass

    def disappear(self, worker: str) -> None:
        pass

    def is_gone(self, worker: str) -> bool:
        return False

    async def aclose(self) -> None:
        self._lane.close()


@pytest.fixture
def store(tmp_path: Path) -> Counted:
    return Counted(tmp_path / "store.db")


@pytest.fixture
def engine(store: Counted) -> Iterator[Engine]:
    with Engine(store, model=Scripted([answer("Done.")]), context_tokens=2000) as engine:
        yield engine


def thread_of(store: Counted, length: int) -> str:
    """Make a thread with so many messages, before the engine begins to work."""
    message = CreateMessage.model_validate({"role": "user", "content": "What is new? " * 20})
    thread = threads.CreateThread.model_validate({"messages": [message.model_dump()]})

    def work(tx: Tx) -> str:
        made = threads.create(tx, "default", thread, 1000)
        thread_id: str = json.loads(made)["id"]
        threads.append(tx, "default", thread_id, [message] * (length - 1), 1000)
        return thread_id

    loop = LoopThread()
    made = loop.run(store.write(work))
    loop.stop()
    return made


def costs(engine: Engine, store: Counted, thread_id: str) -> dict[str, int]:
    """Count the steps of what is done most."""
    beta = engine.client().beta
    messages = beta.threads.messages
    assistant = beta.assistants.create(model="any")
    newest = messages.list(thread_id, limit=1).data[0].id
    asked: dict[str, Callable[[], Any]] = {
        "page": lambda: messages.list(thread_id),
        "next page": lambda: messages.list(thread_id, after=newest),
        "read": lambda: messages.retrieve(newest, thread_id=thread_id),
        "append": lambda: messages.create(thread_id, role="user", content="And now?"),
        "run": lambda: list(beta.threads.runs.create(thread_id, assistant_id=assistant.id, stream=True)),
    }
    return {name: min(_steps(store, ask) for _ in range(3)) for name, ask in asked.items()}


def _steps(store: Counted, ask: Callable[[], Any]) -> int:
    """Count the steps of a request; of several the least, since a look after the runs may fall into one."""
    before = store.steps
    ask()
    return store.steps - before


def test_a_long_thread_costs_what_a_short_one_does(engine: Engine, store: Counted) -> None:
    """The short one is longer than what is read of a thread at once."""
    threads = [thread_of(store, length) for length in (300, 10_000)]
    short, long = (costs(engine, store, thread_id) for thread_id in threads)
    assert {name: (short[name], count) for name, count in long.items() if count > short[name] * 1.1 + 20} == {}
    assert max(long.values()) < 8000
