"""The two halves together: the loop on the engine, in process and over a socket, blocking and awaiting."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.scripted import answer, ask, asked
from tests.runs.engines import Start, World
from toolkit import (
    CallFinished,
    CallStarted,
    LimitReached,
    Limits,
    Result,
    Retry,
    RunContext,
    RunEnded,
    RunExpired,
    RunFailed,
    ServerEvent,
    TextDelta,
    Toolset,
    ToolsMissing,
    tool,
)
from toolkit.engine.model import ModelCall, ModelError, Text

WEATHER = ModelCall("call_a", "get_weather", '{"city":"Seoul"}')
FLIGHTS = ModelCall("call_b", "find_flights", '{"to":"Paris"}')


@tool
def get_weather(city: str) -> dict[str, Any]:
    """Weather in a city."""
    return {"city": city, "sky": "clear"}


@tool
async def find_flights(to: str) -> list[str]:
    """Flights to a city."""
    await asyncio.sleep(0)
    return [f"KE 93 to {to}"]


TOOLS = Toolset(get_weather, find_flights)


@pytest.fixture
def tools() -> Toolset:
    return TOOLS


def test_two_calls_in_parallel_and_the_answer(start: Start) -> None:
    world, model = start(ask(WEATHER, FLIGHTS, say=["Let me look."]), answer("Clear, ", "one flight."))
    result = world.run(input="Seoul and Paris?")
    assert (result.status, result.text, result.turns) == ("completed", "Clear, one flight.", 1)
    assert [finished.output.content for finished in result.calls] == [
        '{"city":"Seoul","sky":"clear"}',
        '["KE 93 to Paris"]',
    ]
    assert len(result.messages) == 2
    assert result.usage is not None
    assert result.usage.total_tokens == 30
    assert result.run.status == "completed"
    told = [chat["content"] for chat in asked(model.requests[1])]
    assert told == ["Seoul and Paris?", "Let me look.", *(finished.output.content for finished in result.calls)]


def test_one_stream_over_all_rounds(start: Start) -> None:
    world, _ = start(ask(WEATHER), ask(FLIGHTS), answer("Done ", "now."))
    events = world.events(input="Seoul and Paris?")
    kinds = [type(event) for event in events if isinstance(event, (TextDelta, CallStarted, CallFinished, RunEnded))]
    assert kinds == [CallStarted, CallFinished, CallStarted, CallFinished, TextDelta, TextDelta, RunEnded]
    assert events[-1].result.text == "Done now."
    assert events[-1].result.turns == 2


def test_a_thread_goes_on_with_what_was_said(start: Start) -> None:
    world, model = start(answer("Hello Ann."), answer("Ann."))
    first = world.run(input="I am Ann.")
    again = world.run(thread_id=first.thread_id, input="Who am I?")
    assert again.text == "Ann."
    assert [chat["content"] for chat in asked(model.requests[1])] == ["I am Ann.", "Hello Ann.", "Who am I?"]


def test_bad_calls_are_told_to_the_model_and_the_run_goes_on(start: Start) -> None:
    calls = [
        ModelCall("call_1", "get_weather", "{not json"),
        ModelCall("call_2", "get_weather", '{"town":"Seoul"}'),
        ModelCall("call_3", "nobody", "{}"),
        FLIGHTS,
    ]
    world, model = start(ask(*calls), answer("Sorry."))
    result = world.run(input="x")
    told = [chat["content"] for chat in asked(model.requests[1]) if chat["role"] == "tool"]
    assert [finished.output.ok for finished in result.calls] == [False, False, False, True]
    assert "JSON" in told[0]
    assert "city" in told[1]
    assert "get_weather" in told[2]
    assert told[3] == '["KE 93 to Paris"]'
    assert result.text == "Sorry."


def test_a_tool_may_ask_to_be_called_again(start: Start) -> None:
    seen: list[str] = []

    @tool
    def get_weather(city: str, ctx: RunContext[dict[str, int]]) -> str:
        """Weather."""
        seen.append(f"{city} {ctx.deps['n']} {ctx.call_id}")
        if len(seen) == 1:
            raise Retry("name a city in Korea")
        return "clear"

    other = ModelCall("call_c", "get_weather", '{"city":"Busan"}')
    world, model = start(ask(WEATHER), ask(other), answer("Clear."))
    result = world.run(Toolset(get_weather), input="x", deps={"n": 7}, missing="tell")
    assert seen == ["Seoul 7 call_a", "Busan 7 call_c"]
    assert "name a city in Korea" in asked(model.requests[1])[-1]["content"]
    assert result.text == "Clear."


def test_a_run_that_fails_is_an_exception_with_the_run(start: Start) -> None:
    world, _ = start([ModelError("no such model; set --model")])
    with pytest.raises(RunFailed, match="no such model") as error:
        world.run(input="x")
    assert error.value.code == "server_error"
    assert error.value.run is not None
    assert error.value.run.status == "failed"


def test_a_run_that_expires_is_an_exception_with_the_run(start: Start) -> None:
    world, _ = start([30.0, *answer("never")], run_expires_s=1)
    with pytest.raises(RunExpired) as error:
        world.run(input="x")
    assert error.value.run is not None


def test_a_limit_ends_the_run_here_and_there(start: Start) -> None:
    world, model = start([Text("Half"), 30.0, *answer("never")])
    began = time.monotonic()
    with pytest.raises(LimitReached, match="seconds") as error:
        world.run(input="x", limits=Limits(seconds=0.5))
    assert time.monotonic() - began < 5
    assert error.value.result is not None
    _until(lambda: _status(world, error.value.result) == "cancelled")
    _until(lambda: model.aborted == 1)


def test_a_limit_holds_in_the_middle_of_a_read(start: Start) -> None:
    world, _ = start([1.8, Text("Half"), 30.0, *answer("never")])
    began = time.monotonic()
    with pytest.raises(LimitReached, match="seconds"):
        world.run(input="x", limits=Limits(seconds=2))
    assert time.monotonic() - began < 3.5, "a time-out that begins anew with every read would take 3.8 s"


def test_leaving_the_stream_cancels_the_run(start: Start) -> None:
    world, model = start([Text("Half"), 30.0, *answer("never")])
    world.events(input="x", leave=lambda event: isinstance(event, TextDelta))
    _until(lambda: model.aborted == 1)


def test_a_run_is_picked_up(start: Start) -> None:
    world, _ = start(ask(WEATHER), answer("Clear."))
    thread = world.here.beta.threads.create(messages=[{"role": "user", "content": "x"}])
    waiting = world.here.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=world.assistant_id)
    assert waiting.status == "requires_action"
    result = world.run(thread_id=thread.id, run_id=waiting.id)
    assert (result.text, len(result.calls)) == ("Clear.", 1)


def test_functions_that_the_toolset_lacks_end_the_run_before_its_model_has_said_anything(start: Start) -> None:
    world, model = start([0.2, *ask(FLIGHTS)], answer("Hello."))
    thread = world.here.beta.threads.create()
    with pytest.raises(ToolsMissing, match=r"the toolset lacks: find_flights\. Add them") as error:
        world.run(TOOLS.only("get_weather"), thread_id=thread.id, input="x")
    assert error.value.names == ("find_flights",)
    _until(lambda: _status(world, error.value.result) == "cancelled")
    assert error.value.run is not None
    assert error.value.run.id == error.value.result.run_id  # type: ignore[union-attr]  # it has a run
    _until(lambda: model.aborted == 1)
    assert world.run(thread_id=thread.id, input="y").text == "Hello."  # the thread is free


def test_functions_that_the_toolset_lacks_end_a_stream_before_its_first_word(start: Start) -> None:
    world, _ = start([0.2, *answer("Hello.")])
    seen: list[Any] = []
    with pytest.raises(ToolsMissing):
        world.events(Toolset(), lambda event: seen.append(event) or False, input="x")  # type: ignore[func-returns-value]
    assert [event.name for event in seen if isinstance(event, ServerEvent)] in ([], ["thread.created"])


def test_functions_that_the_toolset_lacks_may_be_told_to_the_model(start: Start) -> None:
    world, model = start(ask(FLIGHTS), answer("Then not."))
    result = world.run(TOOLS.only("get_weather"), input="x", missing="tell")
    assert result.text == "Then not."
    told = "There is no tool 'find_flights'. The tools are: get_weather."
    assert asked(model.requests[1])[-1]["content"] == told


def test_what_counts_are_the_functions_of_the_run(start: Start) -> None:
    world, _ = start(answer("Hello."), answer("Hello."))
    weather = TOOLS.only("get_weather")
    assert world.run(weather, input="x", override_tools=weather.definitions).text == "Hello."
    with pytest.raises(ToolsMissing):
        world.run(weather, input="x", override_tools=TOOLS.definitions)


def test_a_run_picked_up_without_its_functions_is_left_to_others(start: Start) -> None:
    world, _ = start(ask(WEATHER), answer("Clear."))
    thread = world.here.beta.threads.create(messages=[{"role": "user", "content": "x"}])
    waiting = world.here.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=world.assistant_id)
    with pytest.raises(ToolsMissing, match="get_weather, find_flights"):
        world.run(None, thread_id=thread.id, run_id=waiting.id)
    assert world.run(thread_id=thread.id, run_id=waiting.id).text == "Clear."


def test_slow_tools_run_at_the_same_time(start: Start) -> None:
    together = threading.Barrier(3, timeout=10)

    @tool
    def meet(who: int) -> int:
        """Wait for the others."""
        together.wait()
        return who

    calls = [ModelCall(f"call_{who}", "meet", f'{{"who":{who}}}') for who in range(3)]
    world, _ = start(ask(*calls), answer("Met."))
    result = world.run(Toolset(meet), input="x", missing="tell")
    assert [finished.output.content for finished in result.calls] == ["0", "1", "2"]


def _status(world: World, result: Result | None) -> str:
    assert result is not None
    return world.here.beta.threads.runs.retrieve(result.run_id, thread_id=result.thread_id).status


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
