"""kill -9 of a server in the middle of several runs at once, and a new one on the same file."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import APIConnectionError, BadRequestError

from tests.contract.obedient import TOOLS
from tests.contract.servers import Server, texts


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(f"sqlite:///{tmp_path}/assistants.db")
    yield server
    server.close()
    assert server.inspector.problems == []


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_runs_go_on_after_kill_9(server: Server) -> None:
    """Three runs at once: one waits for outputs, one is being answered, one is being answered after its outputs."""
    threads = server.client.beta.threads
    server.start()
    assistant: Any = server.client.beta.assistants.create(model="m", tools=TOOLS)
    plain, waiting, submitted = (
        threads.create(messages=[{"role": "user", "content": text}])
        for text in ("stall", "calls=1 stall", "calls=1 stall too")
    )
    asked = {
        thread.id: threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        for thread in (waiting, submitted)
    }
    assert {run.status for run in asked.values()} == {"requires_action"}

    def submit(run: Any) -> None:
        [call] = run.required_action.submit_tool_outputs.tool_calls
        outputs: Any = [{"tool_call_id": call.id, "output": "given"}]
        threads.runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=outputs)

    submit(asked[submitted.id])
    heard = threading.Event()

    def listen() -> None:
        with contextlib.suppress(APIConnectionError, httpx2.TransportError):
            for event in threads.runs.create(plain.id, assistant_id=assistant.id, stream=True):
                if event.event == "thread.message.delta":
                    heard.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert heard.wait(10), "the model is half through its answer"
    server.kill()
    listener.join(10)

    server.start()  # which stalls again, so that it can be seen what is under way
    [answered] = threads.runs.list(plain.id).data
    assert answered.status == "in_progress"
    with pytest.raises(BadRequestError, match="already has an active run"):
        threads.runs.create(plain.id, assistant_id=assistant.id)
    assert threads.runs.retrieve(asked[waiting.id].id, thread_id=waiting.id) == asked[waiting.id]
    server.kill()

    server.start(whole=True)
    submit(asked[waiting.id])
    for thread, run in ((plain, answered), (waiting, asked[waiting.id]), (submitted, asked[submitted.id])):
        assert threads.runs.poll(run.id, thread_id=thread.id).status == "completed"
    said = texts(server.client, plain.id)
    assert (said[0], said[-1]) == (("stall", "completed"), ("Answer to stall", "completed"))
    assert {status for _, status in said[1:-1]} == {"incomplete"}, "of the answers that were heard in part"
    for thread, text in ((waiting, "calls=1 stall"), (submitted, "calls=1 stall too")):
        assert texts(server.client, thread.id) == [(text, "completed"), (f"Answer to {text}", "completed")]
        steps = threads.runs.steps.list(asked[thread.id].id, thread_id=thread.id, order="asc").data
        assert [(step.type, step.status) for step in steps] == [
            ("tool_calls", "completed"),
            ("message_creation", "completed"),
        ]
    for thread in (plain, waiting, submitted):
        ended = threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert ended.status in ("completed", "requires_action"), "the thread is free"
