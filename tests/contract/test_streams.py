"""Streams, by the helpers of the official client: handlers, their callbacks and what they give at the end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler

from tests.contract.talk import BOTH, FLIGHTS, TOOLS, WEATHER, Talk
from tests.engine.scripted import answer, ask
from toolkit.engine.model import ModelError, Text

CALLBACKS = [name for name in vars(AssistantEventHandler) if name.startswith("on_") and name != "on_event"]


def recorder(door: str) -> Any:
    """Make a handler, of the kind the door's client takes, that notes each callback with its first argument."""
    seen: list[tuple[str, Any]] = []

    def noting(name: str) -> Any:
        def note(self: Any, *arguments: Any) -> None:
            seen.append((name, arguments[0].model_copy(deep=True) if arguments else None))

        async def anote(self: Any, *arguments: Any) -> None:
            note(self, *arguments)

        return anote if "awaiting" in door else note

    kind = AsyncAssistantEventHandler if "awaiting" in door else AssistantEventHandler
    handler: Any = type("Recorder", (kind,), {name: noting(name) for name in CALLBACKS})()
    handler.seen = seen
    return handler


def test_every_callback_of_a_handler_comes_in_order(start: Any, door: str) -> None:
    talk: Talk = start(ask(WEATHER, FLIGHTS, say=["Let me ", "look."]), answer("Sunny."))
    handler = recorder(door)
    with talk.stream(event_handler=handler) as stream:
        stream.until_done()
    assert [name for name, _ in handler.seen] == [
        "on_run_step_created",
        "on_message_created",
        "on_text_created",
        "on_text_delta",
        "on_message_delta",
        "on_text_delta",
        "on_message_delta",
        "on_text_done",
        "on_message_done",
        "on_run_step_done",
        "on_run_step_created",
        "on_tool_call_created",
        "on_run_step_delta",
        "on_tool_call_delta",
        "on_run_step_delta",
        "on_tool_call_done",
        "on_tool_call_created",
        "on_run_step_delta",
        "on_tool_call_delta",
        "on_run_step_delta",
        "on_tool_call_done",
        "on_end",
    ]
    told = [value for name, value in handler.seen if name == "on_tool_call_done"]
    assert [(call.id, call.function.name, call.function.arguments) for call in told] == [
        (call.id, call.name, call.arguments) for call in (WEATHER, FLIGHTS)
    ]
    pieces = [value.function.arguments for name, value in handler.seen if name == "on_tool_call_delta"]
    assert "".join(pieces) == WEATHER.arguments + FLIGHTS.arguments, "the first delta of a call has no arguments"
    assert handler.current_run.status == "requires_action"


def test_a_stream_gives_its_texts_run_messages_and_steps(start: Any) -> None:
    talk = start(answer("Hi ", "there"))
    with talk.stream() as stream:
        assert "".join(stream.text_deltas) == "Hi there"
        run, [message], [step] = stream.get_final_run(), stream.get_final_messages(), stream.get_final_run_steps()
    assert (run.status, message.status) == ("completed", "completed")
    assert message.content[0].text.value == "Hi there"
    assert step.step_details.message_creation.message_id == message.id
    assert talk.runs.retrieve(run.id, thread_id=run.thread_id).to_dict() == run.to_dict()
    assert talk.threads.messages.retrieve(message.id, thread_id=run.thread_id).to_dict() == message.to_dict()
    assert talk.runs.steps.retrieve(step.id, thread_id=run.thread_id, run_id=run.id).status == "completed"


def test_create_and_stream_is_the_same(start: Any) -> None:
    talk = start(answer("Hi"))
    method = talk.runs.create_and_stream
    with method(thread_id=talk.thread_id, assistant_id=talk.assistant_id) as stream:
        assert stream.get_final_run().status == "completed"


def test_a_thread_made_along_comes_first(start: Any) -> None:
    talk = start(answer("Hi"))
    thread: Any = {"messages": [{"role": "user", "content": "hey"}]}
    with talk.threads.create_and_run_stream(assistant_id=talk.assistant_id, thread=thread) as stream:
        names = [event.event for event in stream]
        run = stream.get_final_run()
    assert names[:4] == ["thread.created", "thread.run.created", "thread.run.queued", "thread.run.in_progress"]
    assert names[-1] == "thread.run.completed"
    assert [message.role for message in talk.threads.messages.list(run.thread_id)] == ["assistant", "user"]


def test_outputs_are_submitted_with_a_stream(start: Any) -> None:
    talk = start(ask(WEATHER, FLIGHTS), answer("Sunny, ", "no flights."))
    with talk.stream() as stream:
        run = stream.get_final_run()
    assert run.status == "requires_action"
    submit = talk.runs.submit_tool_outputs_stream
    with submit(run_id=run.id, thread_id=run.thread_id, tool_outputs=BOTH) as stream:
        names = [event.event for event in stream]
        assert stream.get_final_run().status == "completed"
    assert names[:3] == ["thread.run.step.completed", "thread.run.queued", "thread.run.in_progress"]
    assert names[-1] == "thread.run.completed"


@pytest.mark.parametrize("door", ["in process", "over a socket"], indirect=True)
def test_a_handler_submits_inside_on_event(start: Any) -> None:
    """The guides' way: the first stream is still open when its handler opens the second."""
    talk = start(ask(WEATHER, FLIGHTS), answer("Sunny, ", "no flights."))
    said: list[str] = []

    class Handler(AssistantEventHandler):
        def on_event(self, event: Any) -> None:
            if event.event == "thread.run.requires_action":
                self.answer(event.data)

        def answer(self, run: Any) -> None:
            calls = run.required_action.submit_tool_outputs.tool_calls
            outputs: Any = [{"tool_call_id": call.id, "output": call.function.name} for call in calls]
            submit = talk.runs.submit_tool_outputs_stream
            with submit(
                run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs, event_handler=Handler()
            ) as stream:
                said.extend(stream.text_deltas)

    with talk.stream(event_handler=Handler()) as stream:
        stream.until_done()
        assert stream.get_final_run().status == "requires_action"
    assert said == ["Sunny, ", "no flights."]


def test_an_awaiting_handler_submits_inside_on_event(talks: Any) -> None:
    talk: Talk = talks("in process", ask(WEATHER, FLIGHTS), answer("Sunny, ", "no flights."))
    client = talk.engine.aclient()
    said: list[str] = []

    class Handler(AsyncAssistantEventHandler):
        async def on_event(self, event: Any) -> None:
            if event.event == "thread.run.requires_action":
                run = event.data
                submit = client.beta.threads.runs.submit_tool_outputs_stream
                async with submit(run_id=run.id, thread_id=run.thread_id, tool_outputs=BOTH) as stream:  # type: ignore[arg-type]  # plain dicts
                    async for text in stream.text_deltas:
                        said.append(text)

    async def run() -> str:
        thread = await client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
        assistant = await client.beta.assistants.create(model="any", tools=TOOLS)
        stream = client.beta.threads.runs.stream(
            thread_id=thread.id, assistant_id=assistant.id, event_handler=Handler()
        )
        async with stream as events:
            await events.until_done()
        [run] = (await client.beta.threads.runs.list(thread.id)).data
        await client.close()
        return run.status

    assert asyncio.run(run()) == "completed"
    assert said == ["Sunny, ", "no flights."]


@pytest.mark.parametrize("stop_at", ["thread.run.created", "thread.run.step.created", "thread.message.delta"])
def test_a_client_may_leave_its_stream_anywhere(start: Any, stop_at: str) -> None:
    talk = start([Text("Hi "), 0.05, *answer("there")])
    with talk.stream() as stream:
        for event in stream:
            if event.event == stop_at:
                break
        run = stream.current_run
    assert talk.wait(run).status == "completed"


def test_a_failed_run_ends_its_stream(start: Any) -> None:
    talk = start([ModelError("no such model")])
    with talk.stream() as stream:
        names = [event.event for event in stream]
        assert stream.get_final_run().last_error.message == "no such model"
    assert names[-1] == "thread.run.failed"


def test_an_answer_begun_anew_is_told_as_a_message_of_its_own(start: Any, door: str) -> None:
    talk = start([Text("Half a "), ModelError("reset", retry=True, retry_after_s=0)], answer("Whole."))
    handler = recorder(door)
    with talk.stream(event_handler=handler) as stream:
        stream.until_done()
        messages = stream.get_final_messages()
    assert [message.status for message in messages] == ["incomplete", "completed"]
    assert [message.content[0].text.value for message in messages] == ["Half a ", "Whole."]
    assert handler.current_run.status == "completed"


def test_a_run_cancelled_meanwhile_ends_its_stream(start: Any) -> None:
    talk = start([Text("Half a "), 30.0, *answer("never")])
    with talk.stream() as stream:
        for event in stream:
            if event.event == "thread.message.delta":
                cancelled = talk.runs.cancel(stream.current_run.id, thread_id=talk.thread_id)
                assert cancelled.status == "cancelled"
        assert stream.get_final_run().to_dict() == cancelled.to_dict()
        [message] = stream.get_final_messages()
    assert (message.status, message.incomplete_details.reason) == ("incomplete", "run_cancelled")
