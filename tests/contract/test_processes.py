"""Engines in processes of their own on one file: killed, paused, forked; and clients see one API."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI, Stream

from tests.benchmarks.servers import ROOT, environment
from tests.contract.obedient import TOOLS
from tests.contract.servers import Server, raced, texts
from tests.contract.talk import until

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


class Listener:
    """Hears a streamed run, on a thread of its own."""

    def __init__(self, client: OpenAI, path: str, body: Any, key: str) -> None:
        self.events: list[tuple[str, Any]] = []
        self._key, self._thread = key, threading.Thread(target=self._listen, args=(client, path, body))
        self._thread.start()

    def heard(self, name: str) -> bool:
        return any(told == name for told, _ in self.events)

    def end(self) -> Any:
        """Wait for the end of the stream, and give the run as it was told last."""
        self._thread.join(30)
        assert not self._thread.is_alive(), "the stream ends"
        return [data for _, data in self.events if data["object"] == "thread.run"][-1]

    def _listen(self, client: OpenAI, path: str, body: Any) -> None:
        options: Any = {"headers": {"Idempotency-Key": self._key}}
        events: Any = client.post(
            path, body={**body, "stream": True}, cast_to=object, stream=True, stream_cls=Stream[Any], options=options
        )
        for event in events:
            self.events.append((event["event"], event["data"]))


class Broken(Listener):
    """Hears a stream that will break off."""

    def _listen(self, client: OpenAI, path: str, body: Any) -> None:
        with pytest.raises(Exception, match=r"peer closed|Connection"):
            super()._listen(client, path, body)


class Pair:
    """Two servers on one file."""

    def __init__(self, one: Server, other: Server) -> None:
        self.one, self.other = one, other
        self.assistant_id: str = one.client.beta.assistants.create(model="m", tools=TOOLS).id

    def thread(self, question: str) -> str:
        return self.one.client.beta.threads.create(messages=[{"role": "user", "content": question}]).id

    def start(self, thread_id: str) -> Any:
        return self.one.client.beta.threads.runs.create(thread_id, assistant_id=self.assistant_id)

    def listen(self, server: Server, thread_id: str, key: str = "") -> Listener:
        return Listener(
            server.client, f"/threads/{thread_id}/runs", {"assistant_id": self.assistant_id}, key or thread_id
        )

    def is_free(self, thread_id: str) -> None:
        client = self.other.client
        client.beta.threads.messages.create(thread_id, role="user", content="And now?")
        run = client.beta.threads.runs.create_and_poll(thread_id=thread_id, assistant_id=self.assistant_id)
        assert run.status == "completed"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """The first has a model that stalls where it is told to; that of the second always answers in full."""
    store = f"sqlite:///{tmp_path_factory.mktemp('shared')}/shared.db"
    one, other = Server(store), Server(store)
    raced(one.start, partial(other.start, whole=True))
    yield one, other
    for server in (one, other):
        server.close()
    assert one.inspector.problems + other.inspector.problems == []


@pytest.fixture
def pair(servers: tuple[Server, Server]) -> Pair:
    return Pair(*servers)


@pytest.fixture
def doomed(pair: Pair) -> Iterator[Pair]:
    """The first of them will be killed."""
    yield pair
    pair.one.start()


def test_a_server_that_is_killed_is_followed_by_the_other(doomed: Pair) -> None:
    thread_id = doomed.thread("stall")
    run = doomed.start(thread_id)
    runs = doomed.other.client.beta.threads.runs
    until(lambda: runs.retrieve(run.id, thread_id=thread_id).status == "in_progress")
    doomed.one.kill()
    began = time.monotonic()
    assert runs.poll(run.id, thread_id=thread_id).status == "completed"
    assert time.monotonic() - began < 5, "it looks once a second"
    assert texts(doomed.other.client, thread_id) == [("stall", "completed"), ("Answer to stall", "completed")]
    doomed.is_free(thread_id)


def test_a_streamed_run_of_a_killed_server_is_heard_at_the_other(doomed: Pair) -> None:
    thread_id = doomed.thread("stall")
    first = Broken(doomed.one.client, f"/threads/{thread_id}/runs", {"assistant_id": doomed.assistant_id}, thread_id)
    until(lambda: first.heard("thread.message.delta"))
    again = doomed.listen(doomed.other, thread_id)
    time.sleep(0.3)  # what is said is stored a moment later
    doomed.one.kill()
    assert again.end()["status"] == "completed"
    said = texts(doomed.other.client, thread_id)
    assert said == [("stall", "completed"), ("Half of ", "incomplete"), ("Answer to stall", "completed")]
    doomed.is_free(thread_id)


@pytest.mark.slow
@pytest.mark.parametrize("streamed", [False, True])
def test_a_server_that_stands_still_loses_its_runs_and_writes_no_more(pair: Pair, streamed: bool) -> None:
    """It is stopped in the middle of a run until the other has done it; then it goes on, and finds it done."""
    thread_id = pair.thread("wait=1")
    listeners = [pair.listen(server, thread_id) for server in ([pair.one, pair.other] if streamed else [])]
    if streamed:
        until(lambda: listeners[0].heard("thread.run.in_progress"))
        [run] = pair.other.client.beta.threads.runs.list(thread_id).data
    else:
        run = pair.start(thread_id)
        runs = pair.other.client.beta.threads.runs
        until(lambda: runs.retrieve(run.id, thread_id=thread_id).status == "in_progress")
    pair.one.send(signal.SIGSTOP)
    assert pair.other.client.beta.threads.runs.poll(run.id, thread_id=thread_id).status == "completed"
    done = pair.other.client.beta.threads.runs.retrieve(run.id, thread_id=thread_id)
    pair.one.send(signal.SIGCONT)
    for listener in listeners:
        assert listener.end()["status"] == "completed"
    until(lambda: pair.one.client.beta.threads.runs.retrieve(run.id, thread_id=thread_id) == done)
    pair.is_free(thread_id)
    assert texts(pair.one.client, thread_id) == [
        ("wait=1", "completed"),
        ("Answer to wait=1", "completed"),
        ("And now?", "completed"),
        ("Answer to And now?", "completed"),
    ]
    steps = pair.one.client.beta.threads.runs.steps.list(run.id, thread_id=thread_id).data
    assert [step.status for step in steps] == ["completed"]


def test_a_cancel_at_the_other_server_ends_the_stream(pair: Pair) -> None:
    thread_id = pair.thread("stall")
    listener = pair.listen(pair.one, thread_id)
    until(lambda: listener.heard("thread.message.delta"))
    [run] = pair.other.client.beta.threads.runs.list(thread_id).data
    began = time.monotonic()
    assert pair.other.client.beta.threads.runs.cancel(run.id, thread_id=thread_id).status == "cancelled"
    assert listener.end()["status"] == "cancelled"
    assert time.monotonic() - began < 5
    pair.is_free(thread_id)


def test_outputs_go_to_the_other_server(pair: Pair) -> None:
    """Asked by one, answered at the other, streamed there; who still waits at the first one is told."""
    thread_id = pair.thread("calls=1 wait=0.1")
    run = pair.one.client.beta.threads.runs.create_and_poll(thread_id=thread_id, assistant_id=pair.assistant_id)
    [call] = run.required_action.submit_tool_outputs.tool_calls
    path = f"/threads/{thread_id}/runs/{run.id}/submit_tool_outputs"
    body = {"tool_outputs": [{"tool_call_id": call.id, "output": "given"}]}
    listener = Listener(pair.other.client, path, body, "outputs")
    until(lambda: listener.heard("thread.run.queued"))
    assert pair.one.client.beta.threads.runs.poll(run.id, thread_id=thread_id).status == "completed"
    assert listener.end()["status"] == "completed"
    assert [name for name, _ in listener.events][:3] == [
        "thread.run.step.completed",
        "thread.run.queued",
        "thread.run.in_progress",
    ]
    pair.is_free(thread_id)


def test_a_read_is_held_for_a_run_of_the_other_server(pair: Pair) -> None:
    run = pair.start(pair.thread("wait=0.6"))
    path = f"/threads/{run.thread_id}/runs/{run.id}"
    options: Any = {"headers": {"X-Stainless-Poll-Helper": "true"}}
    reads = 0
    began = time.monotonic()
    while pair.other.client.get(path, cast_to=dict, options=options)["status"] != "completed":
        reads += 1
        assert time.monotonic() - began < 30
    assert reads <= (time.monotonic() - began) / 0.2, "each is held for as long as nothing is new"


def test_a_streamed_request_repeated_at_the_other_server(pair: Pair) -> None:
    thread_id = pair.thread("wait=0.3")
    first = pair.listen(pair.one, thread_id)
    until(lambda: first.heard("thread.run.created"))
    again = pair.listen(pair.other, thread_id)
    assert first.end() == again.end()
    ends = [[name for name, _ in listener.events if "delta" not in name] for listener in (first, again)]
    assert ends[0] == ends[1]
    assert len(texts(pair.one.client, thread_id)) == 2


def test_a_run_beside_a_server(tmp_path: Path) -> None:
    """`toolkit run` and `toolkit serve` on one file: each sees what the other makes, while both are at work."""
    store = f"sqlite:///{tmp_path}/shared.db"
    toolkit = [sys.executable, "-c", "import sys; from toolkit.cli import main; sys.exit(main())"]
    serve = [*toolkit, "serve", "--port", "0", "--store", store]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        try:
            client = OpenAI(base_url=process.stdout.readline().strip(), api_key="none", max_retries=0)
            assistant = client.beta.assistants.create(model="offline")
            asked = "What's the weather in San Francisco today and the likelihood it'll rain?"
            run = [*toolkit, "run", "examples/weather_assistant.py", asked, "--store", store]
            with subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment()) as beside:
                while beside.poll() is None:
                    body: Any = {"messages": [{"role": "user", "content": "hello"}]}
                    mine = client.beta.threads.create_and_run_poll(assistant_id=assistant.id, thread=body)
                    assert mine.status == "completed"
                    time.sleep(0.1)  # a page of threads holds a hundred
                told = beside.communicate()[0]
            assert beside.returncode == 0, told
            threads: Any = client.get("/threads?limit=100", cast_to=dict)
            [theirs] = [one["id"] for one in threads["data"] if texts(client, one["id"])[0][0] == asked]
            [ended] = client.beta.threads.runs.list(theirs).data
            assert ended.status == "completed"
            assert texts(client, theirs)[-1][0].splitlines()[-1] in told
            client.close()
        finally:
            process.kill()


FORKED = """
import os, sys, time, warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
from functools import partial
from tests.contract.obedient import obey
from tests.engine.scripted import Scripted
from toolkit.engine import Engine
store = sys.argv[1]
model = Scripted(obey)
engine = Engine(store, model=model)
client = engine.client(max_retries=0)
assistant = client.beta.assistants.create(model="m")

def ask(client, text):
    body = {"messages": [{"role": "user", "content": text}]}
    return client.beta.threads.create_and_run(assistant_id=assistant.id, thread=body)

def poll(client, run):
    return client.beta.threads.runs.poll(run.id, thread_id=run.thread_id).status

mine = ask(client, "wait=1.5")
while client.beta.threads.runs.retrieve(mine.id, thread_id=mine.thread_id).status == "queued":
    time.sleep(0.01)
child = os.fork()
if child == 0:
    try:
        engine.client()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
    with Engine(store, model=model) as new:
        inside = new.client(max_retries=0)
        for number in range(5):
            assert poll(inside, ask(inside, f"child {number}")) == "completed"
        print("child done")
    sys.exit(0)  # with all the parent's objects still in its hands
for number in range(5):
    assert poll(client, ask(client, f"parent {number}")) == "completed"
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert poll(client, mine) == "completed"
assert poll(client, ask(client, "after")) == "completed"
steps = client.beta.threads.runs.steps.list(mine.id, thread_id=mine.thread_id).data
assert [step.status for step in steps] == ["completed"], "the child left it alone"
assert sum(request.messages[-1].count("wait=1.5") for request in model.requests) == 1
engine.close()
print("parent done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_with_an_engine_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "forked.db"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED, f"sqlite:///{path}"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "EngineError: This Engine was made before a fork. Make a new one in the new process.",
        "child done",
        "parent done",
    ]
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("SELECT status, count(*) FROM run GROUP BY status").fetchall() == [("completed", 12)]
    database.close()
