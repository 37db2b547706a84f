"""Clients that do not wait for their answer, at each door of an engine."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from openai import APITimeoutError

from tests.contract.doors import DOORS, client_at
from tests.contract.talk import until
from tests.engine.scripted import Scripted, answer
from toolkit.engine import Engine
from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.sqlite import SQLite

T = TypeVar("T")


class NoHooks:
    @staticmethod
    def hook(response: Any) -> None:
        pass

    @staticmethod
    async def ahook(response: Any) -> None:
        pass


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("COMMIT")


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_what_a_client_asked_for_that_has_left_is_not_done(tmp_path: Path, door: str) -> None:
    """Each attempt that timed out would make a message of its own."""
    with Engine(f"sqlite:///{tmp_path}/a.db") as engine, client_at(door, engine, NoHooks) as client:
        messages = client.beta.threads.messages
        thread = client.beta.threads.create()
        hasty = client.with_options(timeout=0.6, max_retries=1)
        with locked(tmp_path / "a.db"):
            with pytest.raises(APITimeoutError):
                hasty.beta.threads.messages.create(thread.id, role="user", content="pay 10 euro")
            with pytest.raises(APITimeoutError):
                hasty.files.create(file=("a.txt", b"pay 10 euro"), purpose="assistants")
            time.sleep(0.3)  # the server hears of it a moment later
        messages.create(thread.id, role="user", content="done")
        assert [message.content[0].text.value for message in messages.list(thread.id)] == ["done"]
        assert list(client.files.list()) == []
        assert [path for path in (tmp_path / "a.db-files").glob("??/*") if path.is_file()] == []


def test_who_waits_for_longer_is_answered(tmp_path: Path, door: str) -> None:
    with Engine(f"sqlite:///{tmp_path}/a.db") as engine, client_at(door, engine, NoHooks) as client:
        thread = client.beta.threads.create()
        made: list[Any] = []

        def ask() -> None:
            made.append(client.beta.threads.messages.create(thread.id, role="user", content="x"))
            made.append(client.files.create(file=("a.txt", b"x"), purpose="assistants"))

        with locked(tmp_path / "a.db"):
            asking = threading.Thread(target=ask)
            asking.start()
            time.sleep(0.6)  # so long that the server listens whether the client is there
        asking.join(30)
        assert [one.object for one in made] == ["thread.message", "file"]


class Slow(SQLite):
    """A store that tells once much too late that a run is made."""

    late = False

    async def write(self, work: Callable[[Tx], T]) -> T:
        done = await super().write(work)
        if self.late and '"object":"thread.run"' in getattr(done, "text", ""):
            self.late = False
            await asyncio.sleep(60)
        return done


@pytest.mark.parametrize("streamed", [False, True])
def test_a_run_whose_client_left_after_it_was_committed_goes_on(tmp_path: Path, door: str, streamed: bool) -> None:
    """What sets it going comes after the commit and is cancelled; within a second it is found as one that we hold."""
    store = Slow(SQLiteAddress(tmp_path / "a.db"))
    with (
        Engine(store, model=Scripted([answer("hello")])) as engine,
        client_at(door, engine, NoHooks) as client,
    ):
        assistant = client.beta.assistants.create(model="m")
        thread = client.beta.threads.create()
        store.late = True
        hasty = client.with_options(timeout=0.6, max_retries=0)
        with pytest.raises(APITimeoutError):
            hasty.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=streamed)
        until(lambda: [run.status for run in client.beta.threads.runs.list(thread.id)] == ["completed"])
        assert not store.late
