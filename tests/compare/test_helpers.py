"""What the SDK's own helpers for runs do: the cells of docs/compare.md about them."""

from __future__ import annotations

import httpx2
import openai
import pytest

from toolkit import Toolset, tool
from toolkit.testing import ScriptedServer, call


@tool
def weather(city: str) -> str:
    """Weather in a city."""
    raise AssertionError("nobody calls this")


TOOLS = Toolset(weather)
SEOUL = call("weather", city="Seoul")


def status(server: ScriptedServer, thread_id: str) -> str:
    """How the thread's run is now, seen from elsewhere."""
    [run] = server.engine.client().beta.threads.runs.list(thread_id).data
    return run.status


def test_functions_are_for_the_program_to_call() -> None:
    with ScriptedServer(SEOUL) as server, server.client() as client:
        thread_id = client.beta.threads.create(messages=[{"role": "user", "content": "Weather?"}]).id
        made = client.beta.threads.runs.create_and_poll(
            assistant_id=server.assistant(TOOLS), thread_id=thread_id, poll_interval_ms=1
        )
        assert made.status == "requires_action"


def test_a_stream_that_breaks_raises_and_the_run_goes_on_unseen() -> None:
    with ScriptedServer("Hi", faults={"create": "cut:2"}) as server, server.client() as client:
        thread_id = client.beta.threads.create(messages=[{"role": "user", "content": "Hi"}]).id
        with pytest.raises(httpx2.RemoteProtocolError):
            with client.beta.threads.runs.stream(assistant_id=server.assistant(), thread_id=thread_id) as events:
                events.until_done()
        assert server.count("read") == server.count("cancel") == 0
        assert status(server, thread_id) in ("in_progress", "completed")


def test_a_run_that_expires_is_given_back_as_it_is() -> None:
    with ScriptedServer(SEOUL, faults={"read": "expired"}) as server, server.client() as client:
        thread_id = client.beta.threads.create(messages=[{"role": "user", "content": "Weather?"}]).id
        made = client.beta.threads.runs.create_and_poll(
            assistant_id=server.assistant(TOOLS), thread_id=thread_id, poll_interval_ms=1
        )
        assert made.status == "expired"


def test_leaving_a_stream_early_leaves_the_run_going() -> None:
    with ScriptedServer(["One", 30.0]) as server, server.client() as client:
        thread_id = client.beta.threads.create(messages=[{"role": "user", "content": "Hi"}]).id
        with client.beta.threads.runs.stream(assistant_id=server.assistant(), thread_id=thread_id) as events:
            next(text for text in events.text_deltas)
        assert server.count("cancel") == 0
        assert status(server, thread_id) == "in_progress"


def test_a_busy_thread_is_refused_and_nobody_waits() -> None:
    with ScriptedServer(SEOUL) as server, server.client() as client:
        assistant_id = server.assistant(TOOLS)
        thread_id = client.beta.threads.create(messages=[{"role": "user", "content": "Weather?"}]).id
        client.beta.threads.runs.create_and_poll(assistant_id=assistant_id, thread_id=thread_id, poll_interval_ms=1)
        with pytest.raises(openai.BadRequestError, match="already has an active run"):
            client.beta.threads.runs.create_and_poll(assistant_id=assistant_id, thread_id=thread_id)
        assert server.count("create") == 2
