"""Runs, their steps and models, by the official client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError

from tests.contract.talk import BOTH, FLIGHTS, TOOLS, WEATHER, until
from tests.engine.scripted import answer, ask, asked
from toolkit.engine.model import ModelError, Text, Usage

OVERRIDES: dict[str, Any] = {
    "model": "gpt-4o",
    "instructions": "Be kind.",
    "tools": [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": False}},
    ],
    "metadata": {"key": "value"},
    "temperature": 0.5,
    "top_p": 0.25,
    "max_prompt_tokens": 10_000,
    "max_completion_tokens": 500,
    "truncation_strategy": {"type": "last_messages", "last_messages": 7},
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False,
    "response_format": {"type": "json_object"},
}


def test_a_polled_run(start: Any) -> None:
    talk = start(answer("Hi ", "there", usage=Usage(7, 3, {"cached_tokens": 2}, {"reasoning_tokens": 1})))
    run = talk.poll()
    assert run.status == "completed"
    assert run.usage.to_dict() == {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
        "prompt_token_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    assert (run.expires_at, run.required_action, run.last_error, run.incomplete_details) == (None, None, None, None)
    assert run.completed_at >= run.started_at
    newest, _ = talk.threads.messages.list(talk.thread_id)
    assert (newest.role, newest.run_id, newest.assistant_id) == ("assistant", run.id, talk.assistant_id)
    assert newest.content[0].text.value == "Hi there"


def test_a_run_keeps_every_override(start: Any) -> None:
    talk = start(answer("{}"))
    run = talk.create(**OVERRIDES, reasoning_effort="low")
    assert {name: run.to_dict()[name] for name in OVERRIDES} == OVERRIDES
    assert run.to_dict()["reasoning_effort"] == "low"
    assert run.status == "queued"
    assert run.expires_at == run.created_at + 600
    talk.wait(run)
    [request] = talk.model.requests
    assert request.model == "gpt-4o"
    assert [tool["function"]["name"] for tool in json.loads(request.tools)] == ["f"]
    assert asked(request)[0] == {"role": "system", "content": "Be kind."}
    assert dict(request.options) == {
        "temperature": 0.5,
        "top_p": 0.25,
        "max_completion_tokens": 500,
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_object"},
        "reasoning_effort": "low",
    }


def test_a_run_without_overrides_takes_its_assistants_settings(start: Any) -> None:
    talk = start(answer("{}"))
    settings: dict[str, Any] = {"temperature": 0.1, "top_p": 0.9, "response_format": {"type": "json_object"}}
    assistant = talk.beta.assistants.create(model="m", instructions="Be brief.", tools=TOOLS, **settings)
    run = talk.runs.create(talk.thread_id, assistant_id=assistant.id)
    shown = run.to_dict()
    assert {name: shown[name] for name in settings} == settings
    assert (shown["model"], shown["instructions"]) == ("m", "Be brief.")
    assert [tool["function"]["name"] for tool in shown["tools"]] == ["get_weather", "find_flights"]
    assert (shown["tool_choice"], shown["parallel_tool_calls"]) == ("auto", True)
    assert shown["truncation_strategy"] == {"type": "auto", "last_messages": None}
    assert (shown["max_prompt_tokens"], shown["max_completion_tokens"]) == (None, None)
    talk.wait(run)


def test_additional_instructions_and_messages_are_added(start: Any) -> None:
    talk = start(answer("Hi"))
    more: list[Any] = [{"role": "assistant", "content": "what?"}, {"role": "user", "content": "this"}]
    run = talk.poll(instructions="One.", additional_instructions="Two.", additional_messages=more)
    assert run.instructions == "One.\n\nTwo."
    assert talk.texts() == ["hello", "what?", "this", "Hi"]
    assert [chat["content"] for chat in asked(talk.model.requests[0])] == ["One.\n\nTwo.", "hello", "what?", "this"]


@pytest.mark.parametrize("choice", ["none", "auto", "required", {"type": "function", "function": {"name": "f"}}])
def test_every_tool_choice_is_kept(begin: Any, choice: Any) -> None:
    talk = begin(answer("Hi"))
    run = talk.poll(tools=OVERRIDES["tools"], tool_choice=choice)
    assert run.to_dict()["tool_choice"] == choice
    assert talk.model.requests[0].options.get("tool_choice", "auto") == choice


def test_calls_are_answered_by_polling(start: Any) -> None:
    talk = start(ask(WEATHER, FLIGHTS), answer("Sunny, no flights."))
    run = talk.poll(poll_interval_ms=10)
    assert run.status == "requires_action"
    assert run.required_action.to_dict() == {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in (WEATHER, FLIGHTS)
            ]
        },
    }
    done = talk.runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=run.thread_id, tool_outputs=BOTH, poll_interval_ms=10
    )
    assert (done.status, done.required_action) == ("completed", None)
    assert talk.texts()[-1] == "Sunny, no flights."


def test_a_thread_is_made_and_run_in_one_request(start: Any) -> None:
    talk = start(answer("Hi"))
    thread: Any = {"messages": [{"role": "user", "content": "hey"}], "metadata": {"k": "v"}, "tool_resources": {}}
    overrides = {**OVERRIDES, "response_format": "auto"}
    run = talk.threads.create_and_run_poll(assistant_id=talk.assistant_id, thread=thread, **overrides)
    assert run.status == "completed"
    assert {name: run.to_dict()[name] for name in overrides} == overrides
    assert talk.threads.retrieve(run.thread_id).metadata == {"k": "v"}
    assert [message.role for message in talk.threads.messages.list(run.thread_id, order="asc")] == ["user", "assistant"]
    bare = talk.threads.create_and_run(assistant_id=talk.assistant_id)
    assert talk.wait(bare).status == "completed"


def test_runs_are_retrieved_listed_and_given_metadata(start: Any) -> None:
    talk = start(answer("Hi"))
    runs = [talk.poll(metadata={"number": str(number)}) for number in range(3)]
    assert [run.id for run in talk.runs.list(talk.thread_id)] == [run.id for run in runs[::-1]]
    assert [run.id for run in talk.runs.list(talk.thread_id, order="asc", limit=2)] == [run.id for run in runs]
    changed = talk.runs.update(runs[0].id, thread_id=talk.thread_id, metadata={"other": "x"})
    assert changed.to_dict() == {**runs[0].to_dict(), "metadata": {"other": "x"}}
    assert talk.runs.retrieve(runs[0].id, thread_id=talk.thread_id).to_dict() == changed.to_dict()
    assert talk.runs.update(runs[0].id, thread_id=talk.thread_id, metadata=None).metadata == {}


def test_metadata_of_a_run_changes_while_it_waits_and_stays(start: Any) -> None:
    talk = start(ask(WEATHER), answer("Done."))
    run = talk.poll(metadata={"a": "1"})
    assert talk.runs.update(run.id, thread_id=run.thread_id, metadata={"b": "2"}).status == "requires_action"
    done = talk.wait(talk.submit(run, BOTH[:1]))
    assert (done.status, done.metadata) == ("completed", {"b": "2"})


def test_steps_are_listed_and_retrieved(start: Any) -> None:
    talk = start(ask(WEATHER, say=["Let me look."]), answer("Sunny."))
    run = talk.poll()
    done = talk.wait(talk.submit(run, BOTH[:1]))
    first, calls, last = talk.steps(done)
    assert [step.type for step in (first, calls, last)] == ["message_creation", "tool_calls", "message_creation"]
    assert [step.status for step in (first, calls, last)] == ["completed"] * 3
    assert first.completed_at <= calls.completed_at <= last.completed_at
    assert calls.step_details.to_dict() == {
        "type": "tool_calls",
        "tool_calls": [
            {
                "id": "call_a",
                "type": "function",
                "function": {"name": "get_weather", "arguments": WEATHER.arguments, "output": "sunny"},
            }
        ],
    }
    assert done.usage.total_tokens == sum(step.usage.total_tokens for step in (first, calls, last))
    again = talk.runs.steps.retrieve(calls.id, thread_id=run.thread_id, run_id=run.id)
    assert again.to_dict() == calls.to_dict()
    included = talk.runs.steps.list(
        run.id,
        thread_id=run.thread_id,
        include=["step_details.tool_calls[*].file_search.results[*].content"],
        order="asc",
        after=first.id,
        limit=1,
    )
    assert [step.id for step in included.data] == [calls.id]
    message = talk.threads.messages.retrieve(last.step_details.message_creation.message_id, thread_id=run.thread_id)
    assert message.content[0].text.value == "Sunny."


def test_messages_of_a_run_are_listed_by_its_id(start: Any) -> None:
    talk = start(ask(WEATHER, say=["Let me look."]), answer("Sunny."), answer("Again."))
    run = talk.wait(talk.submit(talk.poll(), BOTH[:1]))
    other = talk.poll()
    listed = talk.threads.messages.list(talk.thread_id, run_id=run.id, order="asc")
    assert [message.content[0].text.value for message in listed] == ["Let me look.", "Sunny."]
    assert [message.run_id for message in talk.threads.messages.list(talk.thread_id, run_id=other.id)] == [other.id]


def test_a_cancelled_run(start: Any) -> None:
    talk = start(ask(WEATHER), answer("Hi"))
    run = talk.poll()
    cancelled = talk.runs.cancel(run.id, thread_id=run.thread_id)
    assert (cancelled.status, cancelled.required_action, cancelled.expires_at) == ("cancelled", None, None)
    assert cancelled.cancelled_at >= run.started_at
    [step] = talk.steps(run)
    assert (step.status, step.cancelled_at is not None) == ("cancelled", True)
    with pytest.raises(BadRequestError, match=r"Cannot cancel run with status 'cancelled'."):
        talk.runs.cancel(run.id, thread_id=run.thread_id)
    assert talk.poll().status == "completed"


def test_a_failed_run_tells_why(start: Any) -> None:
    talk = start([ModelError("Slow down, try again in 3 seconds.", code="rate_limit_exceeded")])
    run = talk.poll()
    assert (run.status, run.completed_at, run.failed_at is not None) == ("failed", None, True)
    assert run.last_error.to_dict() == {
        "code": "rate_limit_exceeded",
        "message": "Slow down, try again in 3 seconds.",
    }


def test_a_run_cut_short_is_incomplete(start: Any) -> None:
    talk = start(answer("Half an", reason="length"))
    run = talk.poll(max_completion_tokens=256)
    assert (run.status, run.incomplete_details.reason) == ("incomplete", "max_completion_tokens")
    [message, _] = talk.threads.messages.list(talk.thread_id)
    assert (message.status, message.incomplete_details.reason) == ("incomplete", "max_tokens")


def test_an_expired_run(start: Any) -> None:
    talk = start(ask(WEATHER), run_expires_s=1)
    run = talk.poll()
    until(lambda: talk.runs.retrieve(run.id, thread_id=run.thread_id).status == "expired")
    [step] = talk.steps(run)
    assert (step.status, step.expired_at is not None) == ("expired", True)


def test_a_run_is_found_in_its_own_thread_only(begin: Any) -> None:
    talk = begin(answer("Hi"))
    run = talk.poll()
    other = talk.threads.create()
    [step] = talk.steps(run)
    with pytest.raises(NotFoundError, match=f"No run found with id '{run.id}'."):
        talk.runs.retrieve(run.id, thread_id=other.id)
    with pytest.raises(NotFoundError):
        talk.runs.steps.list(run.id, thread_id=other.id)
    with pytest.raises(NotFoundError, match=r"No run step found with id 'step_x'."):
        talk.runs.steps.retrieve("step_x", thread_id=run.thread_id, run_id=run.id)
    assert talk.runs.steps.retrieve(step.id, thread_id=run.thread_id, run_id=run.id).id == step.id


def test_an_assistant_deleted_meanwhile_leaves_its_run_going(start: Any) -> None:
    talk = start(ask(WEATHER), answer("Done."))
    run = talk.poll()
    talk.beta.assistants.delete(talk.assistant_id)
    assert talk.wait(talk.submit(run, BOTH[:1])).status == "completed"


def test_a_thread_deleted_in_the_middle_of_a_stream_ends_it(start: Any) -> None:
    talk = start([Text("Half a "), 30.0, *answer("never")])
    with talk.stream() as stream:
        for event in stream:
            if event.event == "thread.message.delta":
                assert talk.threads.delete(talk.thread_id).deleted
        assert stream.get_final_run().status == "cancelled"


def test_models_are_listed_and_retrieved(start: Any) -> None:
    talk = start()
    assert [model.id for model in talk.client.models.list()] == ["scripted", "offline"]
    assert talk.client.models.retrieve("offline").owned_by == "toolkit"
    with pytest.raises(NotFoundError, match=r"The model 'a/b' does not exist.") as unknown:
        talk.client.models.retrieve("a/b")
    assert (unknown.value.param, unknown.value.code) == ("model", "model_not_found")
    with pytest.raises(BadRequestError):
        talk.client.models.delete("offline")
