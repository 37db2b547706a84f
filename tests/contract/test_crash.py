"""kill -9 of a server in the middle of runs, and a new one on the same file."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import APIConnectionError, OpenAI

from tests.contract.inspection import Inspector

TOOL: Any = {"type": "function", "function": {"name": "get_weather"}}
ROOT = Path(__file__).parents[2]


class Server:
    """A server on one file and port, started anew as often as it is killed."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._store = f"sqlite:///{folder}/assistants.db"
        self._process: subprocess.Popen[str] | None = None

    def start(self, *, stalls: bool) -> None:
        """Serve; with `stalls` the model stops in the middle of its answers."""
        command = [sys.executable, "-m", "tests.contract.crash_server", self._store, str(self.port), str(int(stalls))]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_runs_go_on_after_kill_9(server: Server) -> None:
    """Three runs at once: one waits for outputs, one is being answered, one is being answered after its outputs."""
    inspector = Inspector()
    hooks: Any = {"response": [inspector.hook]}
    http = httpx2.Client(event_hooks=hooks, verify=False)
    client = OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", http_client=http, max_retries=0)
    runs = client.beta.threads.runs
    server.start(stalls=True)
    assistant = client.beta.assistants.create(model="m", tools=[TOOL])
    plain, waiting, submitted = (
        client.beta.threads.create(messages=[{"role": "user", "content": text}])
        for text in ("hello", "use the tool", "use the tool")
    )
    asked = {
        thread.id: runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        for thread in (waiting, submitted)
    }
    assert {run.status for run in asked.values()} == {"requires_action"}
    outputs: Any = [{"tool_call_id": "call_a", "output": "sunny"}]
    runs.submit_tool_outputs(asked[submitted.id].id, thread_id=submitted.id, tool_outputs=outputs)
    heard = threading.Event()

    def listen() -> None:
        with contextlib.suppress(APIConnectionError, httpx2.TransportError):
            for event in runs.create(plain.id, assistant_id=assistant.id, stream=True):
                if event.event == "thread.message.delta":
                    heard.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert heard.wait(10), "the model is half through its answer"
    time.sleep(0.3)  # what is heard is kept a moment later
    server.kill()
    listener.join(10)

    server.start(stalls=False)
    [answered] = runs.list(plain.id).data
    assert answered.status in ("in_progress", "completed"), "it goes on at once"
    assert runs.retrieve(asked[waiting.id].id, thread_id=waiting.id).to_dict() == asked[waiting.id].to_dict()
    runs.submit_tool_outputs(asked[waiting.id].id, thread_id=waiting.id, tool_outputs=outputs)
    for thread, run in ((plain, answered), (waiting, asked[waiting.id]), (submitted, asked[submitted.id])):
        assert runs.poll(run.id, thread_id=thread.id).status == "completed"
    assert texts(client, plain.id) == [
        ("hello", "completed"),
        ("Half ", "incomplete"),
        ("Whole, after ['user'].", "completed"),
    ]
    for thread in (waiting, submitted):
        assert texts(client, thread.id) == [
            ("use the tool", "completed"),
            ("Whole, after ['user', 'assistant', 'tool'].", "completed"),
        ], "the outputs went to the model once"
        steps = runs.steps.list(asked[thread.id].id, thread_id=thread.id, order="asc").data
        assert [(step.type, step.status) for step in steps] == [
            ("tool_calls", "completed"),
            ("message_creation", "completed"),
        ]
    for thread in (plain, waiting, submitted):
        assert runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id).status in (
            "completed",
            "requires_action",
        ), "the thread is free"
    http.close()
    assert inspector.problems == []


def texts(client: Any, thread_id: str) -> list[tuple[str, str]]:
    messages = client.beta.threads.messages.list(thread_id, order="asc")
    return [("".join(part.text.value for part in message.content), message.status) for message in messages]
