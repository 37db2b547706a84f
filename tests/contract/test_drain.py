"""SIGTERM to a server with runs under way: they get on, or are handed on, and clients hear the truth."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.benchmarks.servers import ROOT, environment
from toolkit.engine import Engine

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

Serve = Callable[..., tuple[subprocess.Popen[str], OpenAI]]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/assistants.db"


@pytest.fixture
def serve(store: str) -> Iterator[Serve]:
    """Start `toolkit serve` on the file, with a model that answers `wait-MS` after so long."""
    processes: list[subprocess.Popen[str]] = []
    clients: list[OpenAI] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )
        processes.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    def serve(*options: str) -> tuple[subprocess.Popen[str], OpenAI]:
        _, model_url = start(str(ROOT / "tests" / "benchmarks" / "fake_model.py"))
        program = "import sys; from toolkit.cli import main; sys.exit(main())"
        flags = ["--port", "0", "--store", store, "--model-url", model_url, "--no-check-model", *options]
        process, url = start("-c", program, "serve", *flags)
        clients.append(OpenAI(base_url=url, api_key="none", max_retries=0))
        return process, clients[-1]

    yield serve
    for client in clients:
        client.close()
    for process in processes:
        process.kill()
        process.communicate()


def begin(client: OpenAI, model: str) -> Any:
    assistant = client.beta.assistants.create(model=model)
    thread: Any = {"messages": [{"role": "user", "content": "hello"}]}
    return client.beta.threads.create_and_run(assistant_id=assistant.id, thread=thread)


def until_it_works_on(client: OpenAI, run: Any) -> None:
    deadline = time.monotonic() + 20
    while client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id).status != "in_progress":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_that_needs_a_moment_more_gets_it(serve: Serve, store: str) -> None:
    process, client = serve()
    run = begin(client, "wait-700")
    until_it_works_on(client, run)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    with Engine(store) as engine:
        there: Any = engine.client().beta.threads
        ended = there.runs.retrieve(run.id, thread_id=run.thread_id)
        assert ended.status == "completed"
        [step] = there.runs.steps.list(run.id, thread_id=run.thread_id)
        assert step.status == "completed"


def test_a_stream_that_needs_a_moment_more_ends_well(serve: Serve) -> None:
    process, client = serve()
    assistant = client.beta.assistants.create(model="wait-700")
    heard: list[str] = []
    begun = threading.Event()

    def listen() -> None:
        thread: Any = {"messages": [{"role": "user", "content": "hello"}]}
        for event in client.beta.threads.create_and_run(assistant_id=assistant.id, thread=thread, stream=True):
            heard.append(event.event)
            begun.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert begun.wait(20)
    process.send_signal(signal.SIGTERM)
    listener.join(20)
    assert heard[-1] == "thread.run.completed"
    assert process.wait(20) == 0


def test_runs_that_would_take_too_long_are_handed_on(serve: Serve, store: str) -> None:
    process, client = serve("--concurrency", "1")
    under_way = begin(client, "wait-60000")
    until_it_works_on(client, under_way)
    waiting = begin(client, "wait-60000")
    other, there = serve("--model", "plain")
    process.send_signal(signal.SIGTERM)
    for run in (waiting, under_way):
        ended = there.beta.threads.runs.poll(run.id, thread_id=run.thread_id)
        assert ended.status == "completed"
        assert len(there.beta.threads.messages.list(run.thread_id).data) == 2
    assert process.wait(20) == 0
    other.send_signal(signal.SIGTERM)
    assert other.wait(20) == 0
