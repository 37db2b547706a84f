"""The store fails under runs that are on their way: nothing is lost or doubled, and all goes on when the fault is over.

Every fault is the real thing: a disk without room, another program's lock, a file that is gone, an upgrade beside us.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import InternalServerError, OpenAI

from tests.contract.talk import BOTH, FLIGHTS, WEATHER, Talk, until
from tests.engine.scripted import Script, answer, ask, asked
from toolkit.engine.model import ModelRequest, Text
from toolkit.engine.store.address import url_of
from toolkit.engine.store.statements import migrations

Fault = Callable[[Path], Callable[[], None]]
"""Begins at the store at a path, and gives what ends it."""


def full(store: Path) -> Callable[[], None]:
    """Fill the disk to the last byte."""
    ballast = store.parent / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return ballast.unlink


class Other:
    """Another program with the store open, that does as it is told."""

    CODE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    connection.execute(line)
    print("done", flush=True)
"""

    def __init__(self, store: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.CODE, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def do(self, sql: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{sql}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def end(self) -> None:
        self._process.communicate(timeout=30)


def locked(store: Path) -> Callable[[], None]:
    """Hold the lock for longer than anyone waits."""
    other = Other(store)
    other.do("BEGIN EXCLUSIVE")
    return other.end


def upgraded(store: Path) -> Callable[[], None]:
    """Do what a newer version does that is started beside this one."""
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        [version] = connection.execute("PRAGMA user_version").fetchone()
    other = Other(store)
    other.do(f"PRAGMA user_version = {version + 1}")

    def end() -> None:
        other.do(f"PRAGMA user_version = {version}")
        other.end()

    return end


def moved(store: Path) -> Callable[[], None]:
    """Take the file away."""
    elsewhere = store.with_name("elsewhere.db")
    store.rename(elsewhere)
    return lambda: os.rename(elsewhere, store)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        done = False
    if not done:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the store of a fault is."""
    return request.getfixturevalue("small_disk") if request.param is full else tmp_path


PATIENT: Any = {"role": "user", "content": "patient"}


class Gate:
    """A model that asks for tools on "tool", waits in the middle of its answer on "slow", and else just answers."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.passed = threading.Event()

    def __call__(self, request: ModelRequest) -> Script:
        chats = asked(request)
        [*_, last] = [str(chat["content"]) for chat in chats if chat["role"] == "user"]
        if last == "tool" and chats[-1]["role"] != "tool":
            return ask(WEATHER, FLIGHTS)
        return self._held() if last == "slow" else answer(f"To {last}.")

    def _held(self) -> Iterator[Any]:
        _, *rest = answer("Half ", "and whole.")
        yield Text("Half ")
        while not self.opened.is_set():
            yield 0.02
        self.passed.set()
        yield from rest


class Underway:
    """Three threads: a run that waits for outputs, one in the middle of its answer that is listened to, and none."""

    def __init__(self, talk: Talk, gate: Gate) -> None:
        self.talk, self.gate = talk, gate
        self.hasty = talk.client.with_options(max_retries=0).beta.threads
        self.waiting, self.slow, self.idle = (
            talk.threads.create(messages=[{"role": "user", "content": text}]).id for text in ("tool", "slow", "hello")
        )
        self.asking = talk.runs.create_and_poll(thread_id=self.waiting, assistant_id=talk.assistant_id)
        assert self.asking.status == "requires_action"
        self.events: list[Any] = []
        self._heard = threading.Event()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()
        assert self._heard.wait(20)

    def _listen(self) -> None:
        for event in self.talk.runs.create(self.slow, assistant_id=self.talk.assistant_id, stream=True):
            self.events.append(event)
            if event.event == "thread.message.delta":
                self._heard.set()

    def refused(self) -> None:
        """What is sent now is refused, in the API's shape, and may be sent again."""
        attempts = (
            lambda: self.hasty.messages.create(self.idle, role="user", content="never kept"),
            lambda: self.hasty.runs.create(self.idle, assistant_id=self.talk.assistant_id),
            lambda: self.hasty.runs.submit_tool_outputs(self.asking.id, thread_id=self.waiting, tool_outputs=BOTH),
            lambda: self.hasty.create(),
        )
        for attempt in attempts:
            with pytest.raises(InternalServerError) as error:
                attempt()
            assert error.value.status_code == 503
            assert (error.value.type, error.value.code) == ("server_error", "store_unavailable")
            assert error.value.response.headers["retry-after"] == "1"

    def all_goes_on(self) -> None:
        """Nothing is lost, nothing stands twice, and nobody was asked twice."""
        talk = self.talk
        self._listener.join(30)
        assert not self._listener.is_alive()
        assert self.events[-1].event == "thread.run.completed"
        submitted = talk.runs.submit_tool_outputs(self.asking.id, thread_id=self.waiting, tool_outputs=BOTH)
        assert talk.wait(submitted).status == "completed"
        run = talk.runs.create_and_poll(thread_id=self.idle, assistant_id=talk.assistant_id)
        assert run.status == "completed"
        assert self._texts(self.slow) == ["slow", "Half and whole."]
        assert self._texts(self.waiting) == ["tool", "To tool."]
        assert self._texts(self.idle) == ["hello", "patient", "To patient."]
        for thread, kinds in ((self.slow, ["message_creation"]), (self.waiting, ["tool_calls", "message_creation"])):
            [run] = talk.runs.list(thread)
            assert [step.type for step in talk.steps(run)] == kinds
        assert len(talk.model.requests) == 4

    def _texts(self, thread_id: str) -> list[str]:
        messages = self.talk.threads.messages.list(thread_id, order="asc")
        assert all(message.status == "completed" for message in messages)
        return [message.content[0].text.value for message in messages]


@pytest.mark.parametrize("door", ["over a socket", "in process"])
@pytest.mark.parametrize(
    ("fault", "place", "reads"),
    [(full, full, True), (locked, locked, True), (upgraded, upgraded, False), (moved, moved, False)],
    indirect=["place"],
)
def test_runs_get_over_a_fault(
    fault: Fault, place: Path, reads: bool, door: str, talks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    talk = talks(door, gate, store=f"{url_of(place / 'store.db')}?busy_s=0.2")
    there = Underway(talk, gate)
    end = fault(place / "store.db")
    try:
        there.refused()
        gate.opened.set()
        assert gate.passed.wait(20), "the model is done in the middle of it"
        if reads:
            assert there._texts(there.idle) == ["hello"]
        else:
            with pytest.raises(InternalServerError, match="store"):
                there.hasty.messages.list(there.idle)
        patient = threading.Thread(target=talk.threads.messages.create, args=(there.idle,), kwargs=PATIENT)
        patient.start()  # the SDK itself sends again, twice
        time.sleep(0.2)
    finally:
        end()
    patient.join(30)
    there.all_goes_on()
    faults = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert 1 <= len(faults) <= 2, "once for writing, once for reading"
    assert not any(record.exc_info for record in caplog.records)


def test_a_lock_of_a_second_is_only_a_wait(begin: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    talk = begin(answer("Done."), store=url_of(tmp_path / "store.db"))
    assert talk.poll().status == "completed"
    other = Other(tmp_path / "store.db")
    other.do("BEGIN EXCLUSIVE")
    ending = threading.Timer(1, other.end)
    ending.start()
    began = time.monotonic()
    hasty = talk.client.with_options(max_retries=0).beta.threads
    hasty.messages.create(talk.thread_id, role="user", content="once more")
    assert time.monotonic() - began > 0.8
    ending.join()
    assert talk.poll().status == "completed"
    assert talk.texts() == ["hello", "Done.", "once more", "Done."]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_damaged_page_spoils_what_is_on_it_and_no_more(begin: Any, tmp_path: Path) -> None:
    """And when it is mended, under the running engine, that is there again."""
    store = tmp_path / "store.db"
    talk = begin(answer("Done."), store=url_of(store))
    assert talk.poll().status == "completed"
    other = Other(store)
    other.do("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(store)) as connection:
        [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'message'").fetchone()
    noise, whole = tmp_path / "noise", tmp_path / "whole"
    noise.write_bytes(b"\xff" * 4096 * root)
    copy_page(store, whole, root - 1)
    copy_page(noise, store, root - 1)
    other.do("PRAGMA user_version = 1")  # any change: what is kept in memory is read again
    other.do(f"PRAGMA user_version = {len(migrations('sqlite'))}")
    hasty = talk.client.with_options(max_retries=0).beta
    for _ in range(3):
        with pytest.raises(InternalServerError, match="store"):
            hasty.threads.messages.list(talk.thread_id)
    assert hasty.threads.retrieve(talk.thread_id).id == talk.thread_id
    assert hasty.assistants.retrieve(talk.assistant_id).id == talk.assistant_id
    copy_page(whole, store, root - 1)
    assert talk.texts() == ["hello", "Done."]
    assert talk.poll().status == "completed"
    assert talk.texts() == ["hello", "Done.", "Done."]
    other.end()


def copy_page(source: Path, to: Path, number: int) -> None:
    """Copy a page by another process: to close the file in this one would let go of SQLite's locks."""
    page = ["bs=4096", "count=1", f"skip={number}", f"seek={number}", "conv=notrunc", "status=none"]
    subprocess.run(["dd", f"if={source}", f"of={to}", *page], check=True)


@contextmanager
def cramped(store: Path, descriptors: int) -> Iterator[str]:
    """Serve a store with few file descriptors, as its own program."""
    resource = pytest.importorskip("resource")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    toolkit = str(Path(sys.executable).with_name("toolkit"))
    command = [toolkit, "serve", "--store", url_of(store), "--port", str(port)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)),
    )
    address = f"http://127.0.0.1:{port}"

    def up() -> bool:
        with suppress(httpx2.TransportError):
            return httpx2.get(f"{address}/healthz", timeout=5).status_code == 200
        return False

    try:
        until(up, 30)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def test_clients_that_use_up_the_descriptors_harm_only_themselves(tmp_path: Path) -> None:
    """The store needs no descriptor that it does not have: who is connected goes on, who is not waits."""
    with cramped(tmp_path / "store.db", 48) as address, httpx2.Client(verify=False) as http:
        client = OpenAI(base_url=f"{address}/v1", api_key="none", http_client=http, max_retries=0)
        with pytest.warns(DeprecationWarning):
            thread = client.beta.threads.create()
            assistant = client.beta.assistants.create(model="offline")
        port = int(address.rpartition(":")[2])
        hogs = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
        try:
            with pytest.raises(httpx2.TransportError):  # not accepted, or shut at once
                httpx2.get(f"{address}/healthz", timeout=0.5)
            warnings.simplefilter("ignore", DeprecationWarning)
            for number in range(20):
                client.beta.threads.messages.create(thread.id, role="user", content=f"{number}: " + "x" * 20_000)
            run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
            assert run.status == "completed"
        finally:
            for hog in hogs:
                hog.close()
        until(lambda: httpx2.get(f"{address}/healthz", timeout=10).status_code == 200, 30)
        assert len(list(client.beta.threads.messages.list(thread.id, limit=100))) == 21
