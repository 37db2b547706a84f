from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from toolkit import CallFinished, CallStarted, Event, RunEnded, RunFailed, TextDelta, Toolset, run, stream, tool
from toolkit.runs.job import Job
from toolkit.runs.listening import atold, listen, told
from toolkit.testing import ModelError, ScriptedServer, call
from toolkit.tools.calls import Around, Call, FinishedCall


@tool
def weather(city: str) -> str:
    """Weather in a city."""
    return "Sunny."


TOOLS = Toolset(weather)


class Heard:
    """A `Listener` that notes what it hears."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.headers: Mapping[str, str] = {"x-heard": "yes"}

    @property
    def around(self) -> Around:
        @contextmanager
        def around(call: Call) -> Iterator[Callable[[FinishedCall], object]]:
            self.log.append(f"before {call.name}")
            yield lambda finished: self.log.append(finished.output.content)
            self.log.append(f"behind {call.name}")

        return around

    def heard(self, event: Event) -> None:
        if isinstance(event, CallStarted | CallFinished | RunEnded):
            self.log.append(type(event).__name__)

    def ended(self, error: BaseException | None) -> None:
        self.log.append(f"ended {type(error).__name__}")


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    listen(lambda client, job: heard)
    yield heard
    listen(None)


WHOLE = ["CallStarted", "before weather", "Sunny.", "behind weather", "CallFinished", "RunEnded", "ended NoneType"]


def test_a_blocking_run_is_told(heard: Heard) -> None:
    with ScriptedServer(call("weather", city="Seoul"), "Fine.") as server, server.client() as client:
        run(client, TOOLS, assistant_id=server.assistant(TOOLS), input="Hi")
        assert heard.log == WHOLE
        assert [one.sent.headers["x-heard"] for one in server.seen] == ["yes", "yes"]


def test_an_awaiting_run_is_told(heard: Heard) -> None:
    async def main() -> None:
        with ScriptedServer(call("weather", city="Seoul"), "Fine.") as server:
            async with server.aclient() as client:
                await run(client, TOOLS, assistant_id=server.assistant(TOOLS), input="Hi")
            assert [one.sent.headers["x-heard"] for one in server.seen] == ["yes", "yes"]

    asyncio.run(main())
    assert heard.log == WHOLE


def test_a_run_that_fails_is_told(heard: Heard) -> None:
    with ScriptedServer(ModelError("no")) as server, server.client() as client, pytest.raises(RunFailed):
        run(client, assistant_id=server.assistant(), input="Hi")
    assert heard.log == ["ended RunFailed"]


def test_a_stream_left_early_is_told_after_the_run_was_cancelled(heard: Heard) -> None:
    with ScriptedServer(["One", 30.0]) as server, server.client() as client:
        with stream(client, assistant_id=server.assistant(), input="Hi") as events:
            next(event for event in events if isinstance(event, TextDelta))
        assert (heard.log, server.seen[-1].kind) == (["ended GeneratorExit"], "cancel")


def test_a_stream_that_nobody_iterates_over_has_not_begun(heard: Heard) -> None:
    with ScriptedServer() as server, server.client() as client:
        with stream(client, assistant_id=server.assistant(), input="Hi"):
            pass
    assert heard.log == []


def test_without_a_listener_nothing_is_in_between() -> None:
    nobody: Any = None
    events: Generator[Event] = (event for event in ())

    async def none() -> AsyncGenerator[Event]:
        return
        yield

    aevents = none()

    def drive(client: OpenAI, job: Job) -> Generator[Event]:
        return events

    def adrive(client: AsyncOpenAI, job: Job) -> AsyncGenerator[Event]:
        return aevents

    assert told(drive, nobody, nobody) is events
    assert atold(adrive, nobody, nobody) is aevents
