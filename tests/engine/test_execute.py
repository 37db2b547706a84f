"""Runs as clients see them: the official client on a real engine, with a model that says what it is told to."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openai import APIError, BadRequestError, NotFoundError, OpenAI

from tests.contract.official import assert_official, problems
from tests.engine.scripted import Script, Scripted, answer, ask, asked
from toolkit.engine import Engine
from toolkit.engine.model import (
    CallBegan,
    CallPiece,
    ContextExceeded,
    Delta,
    Ended,
    ModelCall,
    ModelError,
    ModelRequest,
    Text,
    Usage,
)

Start = Callable[..., "Talk"]

WEATHER = ModelCall("call_a", "get_weather", '{"city":"Seoul"}')
FLIGHTS = ModelCall("call_b", "find_flights", '{"to":"Paris"}')
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "get_weather"}},
    {"type": "function", "function": {"name": "find_flights"}},
]
BOTH = [{"tool_call_id": "call_a", "output": "sunny"}, {"tool_call_id": "call_b", "output": "none"}]


class Talk:
    """An assistant and a thread with a question, on an engine of its own."""

    def __init__(self, url: str, model: Scripted, **settings: Any) -> None:
        self.model, self.url = model, url
        self.engine = Engine(url, model=model, **settings)
        self.client: OpenAI = self.engine.client()
        self.assistant = self.client.beta.assistants.create(model="any", tools=TOOLS)
        self.thread_id = self.client.beta.threads.create(messages=[{"role": "user", "content": "hello"}]).id

    @property
    def runs(self) -> Any:
        return self.client.beta.threads.runs

    def create(self, **options: Any) -> Any:
        return self.runs.create(thread_id=self.thread_id, assistant_id=self.assistant.id, **options)

    def poll(self, **options: Any) -> Any:
        return self.runs.create_and_poll(thread_id=self.thread_id, assistant_id=self.assistant.id, **options)

    def wait(self, run: Any) -> Any:
        return self.runs.poll(run.id, thread_id=self.thread_id)

    def stream(self, **options: Any) -> list[Any]:
        return list(self.create(stream=True, **options))

    def submit(self, run: Any, outputs: list[Any] = BOTH, **options: Any) -> Any:
        return self.runs.submit_tool_outputs(run.id, thread_id=self.thread_id, tool_outputs=outputs, **options)

    def texts(self) -> list[str]:
        messages = self.client.beta.threads.messages.list(self.thread_id, order="asc")
        return [message.content[0].text.value if message.content else "" for message in messages]  # type: ignore[union-attr]  # only text here

    def steps(self, run: Any) -> list[Any]:
        return list(self.runs.steps.list(run.id, thread_id=self.thread_id, order="asc"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    talks: list[Talk] = []

    def start(*scripts: Script, model: Scripted | None = None, **settings: Any) -> Talk:
        talks.append(Talk(f"sqlite:///{tmp_path}/{len(talks)}.db", model or Scripted(scripts), **settings))
        return talks[-1]

    yield start
    for talk in talks:
        talk.engine.close()


def events(stream: list[Any]) -> list[str]:
    for event in stream:
        value = {"event": event.event, "data": event.data.to_dict()}
        assert problems("AssistantStreamEvent", value) == [], event.event
    return [event.event for event in stream]


def test_a_plain_run(start: Start) -> None:
    talk = start(answer("Hi ", "there"))
    run = talk.create()
    assert run.status == "queued"
    run = talk.wait(run)
    assert run.status == "completed"
    assert run.usage.to_dict()["total_tokens"] == 15
    assert talk.texts() == ["hello", "Hi there"]
    [step] = talk.steps(run)
    assert step.type == "message_creation"
    assert asked(talk.model.requests[0]) == [{"role": "user", "content": "hello"}]


def test_a_streamed_run_has_the_events_of_the_reference_in_order(start: Start) -> None:
    stream = start(answer("Hi ", "there")).stream()
    assert events(stream) == [
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
        "thread.message.delta",
        "thread.message.delta",
        "thread.message.completed",
        "thread.run.step.completed",
        "thread.run.completed",
    ]
    first, second = (event.data.delta.content[0].text for event in stream if event.event == "thread.message.delta")
    assert (first.value, first.annotations, second.value, second.annotations) == ("Hi ", [], "there", None)


def test_a_thread_and_its_run_in_one_request(start: Start) -> None:
    talk = start(answer("Hi"))
    thread: Any = {"messages": [{"role": "user", "content": "again"}], "metadata": {"k": "v"}}
    stream = list(talk.client.beta.threads.create_and_run(assistant_id=talk.assistant.id, thread=thread, stream=True))
    assert events(stream)[:2] == ["thread.created", "thread.run.created"]
    assert stream[0].data.to_dict()["metadata"] == {"k": "v"}
    assert asked(talk.model.requests[0]) == [{"role": "user", "content": "again"}]


def test_a_thread_is_not_made_when_its_run_is_refused(start: Start) -> None:
    talk = start(answer("Hi"))
    before = talk.client.get("/threads", cast_to=object)
    with pytest.raises(NotFoundError, match="No assistant found with id 'asst_none'"):
        talk.client.beta.threads.create_and_run(assistant_id="asst_none")
    assert talk.client.get("/threads", cast_to=object) == before


@pytest.mark.parametrize("say", [[], ["Let me ", "look."]])
def test_calls_in_parallel_streamed(start: Start, say: list[str]) -> None:
    talk = start(ask(WEATHER, FLIGHTS, say=say), answer("Sunny, no flights."))
    stream = talk.stream()
    text = [
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
        "thread.message.delta",
        "thread.message.delta",
        "thread.message.completed",
        "thread.run.step.completed",
    ]
    assert events(stream) == [
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        *(text if say else []),
        "thread.run.step.created",
        "thread.run.step.in_progress",
        *["thread.run.step.delta"] * (4 if say else 6),
        "thread.run.requires_action",
    ], "calls after text are told as a whole, when the text is complete"
    deltas = [event.data.delta.step_details.tool_calls[0] for event in stream if "step.delta" in event.event]
    assert [delta.index for delta in deltas] == ([0, 0, 1, 1] if say else [0, 0, 0, 1, 1, 1])
    assert deltas[0].to_dict() == {
        "index": 0,
        "id": "call_a",
        "type": "function",
        "function": {"name": "get_weather", "arguments": "", "output": None},
    }
    assert "".join(delta.function.arguments for delta in deltas if delta.index == 0) == WEATHER.arguments
    run = stream[-1].data
    stream = list(talk.submit(run, stream=True))
    assert events(stream) == [
        "thread.run.step.completed",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
        "thread.message.delta",
        "thread.message.completed",
        "thread.run.step.completed",
        "thread.run.completed",
    ]
    roles = [chat["role"] for chat in asked(talk.model.requests[1])]
    assert roles == ["user", "assistant", "tool", "tool"]
    assert [chat.get("content") for chat in asked(talk.model.requests[1])][1:] == [
        "".join(say) or None,
        "sunny",
        "none",
    ]


@pytest.mark.parametrize("streamed", [False, True])
def test_both_ways_leave_the_same_behind(start: Start, streamed: bool) -> None:
    talk = start(ask(WEATHER, FLIGHTS, say=["Let me look."]), answer("Done."))
    if streamed:
        run = talk.stream()[-1].data
        run = list(talk.submit(run, stream=True))[-1].data
    else:
        run = talk.poll()
        assert [step.status for step in talk.steps(run)] == ["completed", "in_progress"]
        assert talk.submit(run).status == "queued"
        run = talk.wait(run)
    assert run.status == "completed"
    assert talk.texts() == ["hello", "Let me look.", "Done."]
    steps = talk.steps(run)
    assert [(step.type, step.status) for step in steps] == [
        ("message_creation", "completed"),
        ("tool_calls", "completed"),
        ("message_creation", "completed"),
    ]
    assert [call.function.output for call in steps[1].step_details.tool_calls] == ["sunny", "none"]
    assert run.usage.prompt_tokens == sum(step.usage.prompt_tokens for step in steps) == 20
    assert_official("RunObject", run.to_dict())


def test_one_call_at_a_time_holds_even_when_the_model_does_not_obey(start: Start) -> None:
    for streamed in (False, True):
        talk = start(ask(WEATHER, FLIGHTS), answer("Done."))
        options = {"parallel_tool_calls": False}
        run = talk.stream(**options)[-1].data if streamed else talk.poll(**options)
        assert [call.id for call in run.required_action.submit_tool_outputs.tool_calls] == ["call_a"]
        talk.wait(talk.submit(run, BOTH[:1]))
        assert [len(chat["tool_calls"]) for chat in asked(talk.model.requests[1]) if "tool_calls" in chat] == [1]


def test_arguments_that_are_no_json_go_to_the_application_as_they_are_and_to_the_model_readable(start: Start) -> None:
    broken = ModelCall("call_c", "get_weather", '{"city": "Seo')
    talk = start(ask(WEATHER, broken), answer("Done."))
    run = talk.poll()
    asked_for = [call.function.arguments for call in run.required_action.submit_tool_outputs.tool_calls]
    assert asked_for == [WEATHER.arguments, broken.arguments]
    outputs = [{"tool_call_id": "call_a", "output": "sunny"}, {"tool_call_id": "call_c", "output": "no JSON"}]
    assert talk.wait(talk.submit(run, outputs)).status == "completed"
    [remembered] = [chat["tool_calls"] for chat in asked(talk.model.requests[1]) if "tool_calls" in chat]
    assert [json.loads(call["function"]["arguments"]) for call in remembered] == [
        {"city": "Seoul"},
        {"not_json": broken.arguments},
    ]


def test_outputs_that_are_no_strings_are_taken_as_programs_send_them(start: Start) -> None:
    talk = start(ask(WEATHER, FLIGHTS), answer("Done."))
    run = talk.poll()
    outputs = [{"tool_call_id": "call_a", "output": {"t": 3}}, {"tool_call_id": "call_b"}]
    path = f"/threads/{talk.thread_id}/runs/{run.id}/submit_tool_outputs"
    talk.client.post(path, body={"tool_outputs": outputs}, cast_to=object)
    talk.wait(run)
    assert [chat["content"] for chat in asked(talk.model.requests[1])][-2:] == ['{"t":3}', ""]


def test_a_thread_has_one_active_run_and_takes_no_messages_meanwhile(start: Start) -> None:
    talk = start(ask(WEATHER), answer("Done."))
    run = talk.poll()
    text = f"Thread {talk.thread_id} already has an active run {run.id}."
    with pytest.raises(BadRequestError, match=text):
        talk.create()
    text = f"Can't add messages to {talk.thread_id} while a run {run.id} is active."
    with pytest.raises(BadRequestError, match=text):
        talk.client.beta.threads.messages.create(talk.thread_id, role="user", content="x")
    assert talk.runs.cancel(run.id, thread_id=talk.thread_id).status == "cancelled"
    with pytest.raises(BadRequestError, match=r'Runs in status "cancelled" do not accept tool outputs.'):
        talk.submit(run, BOTH[:1])
    assert talk.poll().status == "completed"


def test_racing_creates_have_one_winner(start: Start) -> None:
    talk = start([0.3, *answer("Done.")])
    won: list[Any] = []
    lost: list[str] = []

    def create() -> None:
        try:
            won.append(talk.create())
        except BadRequestError as error:
            lost.append(str(error))

    racers = [threading.Thread(target=create) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(won) == 1
    assert len(lost) == 7
    assert all(won[0].id in text for text in lost)


def test_racing_submits_have_one_winner(start: Start) -> None:
    talk = start(ask(WEATHER, FLIGHTS), [0.2, *answer("Done.")])
    run = talk.poll()
    won: list[Any] = []

    def submit() -> None:
        try:
            won.append(talk.submit(run))
        except BadRequestError as error:
            assert "do not accept tool outputs" in str(error)

    racers = [threading.Thread(target=submit) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(won) == 1
    assert talk.wait(run).status == "completed"
    assert len(talk.model.requests) == 2


@pytest.mark.parametrize("streamed", [False, True])
def test_cancel_in_the_middle_frees_the_thread_and_aborts_the_model(start: Start, streamed: bool) -> None:
    talk = start([Text("Half a "), 30.0, *answer("never")])
    seen: list[Any] = []
    if streamed:
        reader = threading.Thread(target=lambda: seen.extend(talk.stream()))
        reader.start()
    else:
        talk.create()
    _until(lambda: bool(talk.model.requests))
    time.sleep(0.05)
    [run] = talk.runs.list(talk.thread_id).data
    cancelled = talk.runs.cancel(run.id, thread_id=talk.thread_id)
    assert cancelled.status == "cancelled"
    assert cancelled.cancelled_at
    if streamed:
        reader.join(5)
        assert events(seen)[-4:] == [
            "thread.run.cancelling",
            "thread.message.incomplete",
            "thread.run.step.cancelled",
            "thread.run.cancelled",
        ]
        assert [event.data.status for event in seen[-4:]] == ["cancelling", "incomplete", "cancelled", "cancelled"]
        assert talk.texts() == ["hello", "Half a "]
    talk.client.beta.threads.messages.create(talk.thread_id, role="user", content="next")
    _until(lambda: talk.model.aborted == 1)


def test_a_run_that_waits_too_long_expires(start: Start) -> None:
    talk = start(ask(WEATHER), run_expires_s=1)
    run = talk.poll()
    _until(lambda: talk.runs.retrieve(run.id, thread_id=talk.thread_id).status == "expired")
    with pytest.raises(BadRequestError, match=r'Runs in status "expired" do not accept tool outputs.'):
        talk.submit(run, BOTH[:1])
    assert talk.steps(run)[0].status == "expired"
    assert talk.create().status == "queued"


def test_a_streamed_run_that_takes_too_long_expires_in_the_stream(start: Start) -> None:
    talk = start([Text("Half"), 30.0, *answer("never")], run_expires_s=1)
    assert events(talk.stream())[-3:] == [
        "thread.message.incomplete",
        "thread.run.step.expired",
        "thread.run.expired",
    ]


def test_a_model_that_fails_for_a_moment_is_asked_again_unseen(start: Start) -> None:
    talk = start([ModelError("busy", retry=True, retry_after_s=0.01)], answer("Hi"))
    assert events(talk.stream())[-1] == "thread.run.completed"
    assert talk.texts() == ["hello", "Hi"]
    assert len(talk.model.requests) == 2


@pytest.mark.parametrize("broken", [ModelError("reset", retry=True, retry_after_s=0), None])
def test_an_answer_that_breaks_off_is_closed_and_written_anew(start: Start, broken: ModelError | None) -> None:
    talk = start([Text("Half a "), *([broken] if broken else [])], answer("Whole."))
    names = events(talk.stream())
    at = names.index("thread.message.incomplete")
    assert names[at : at + 4] == [
        "thread.message.incomplete",
        "thread.run.step.failed",
        "thread.run.step.created",
        "thread.run.step.in_progress",
    ]
    assert names[-1] == "thread.run.completed"
    assert talk.texts() == ["hello", "Half a ", "Whole."]
    talk.poll()
    assert "Half a " not in json.dumps(asked(talk.model.requests[-1])), "no model reads what broke off"


def test_half_a_call_is_never_handed_out(start: Start) -> None:
    half = [*ask(WEATHER)[:2], ModelError("reset", retry=True, retry_after_s=0)]
    talk = start(half, ask(FLIGHTS))
    names = events(talk.stream())
    assert names.count("thread.run.step.failed") == 1
    run = talk.runs.list(talk.thread_id).data[0]
    assert [call.id for call in run.required_action.submit_tool_outputs.tool_calls] == ["call_b"]


def test_text_before_half_a_call_is_not_read_by_the_model_again(start: Start) -> None:
    half = [*ask(WEATHER, say=["Broken turn."])[:3], ModelError("reset", retry=True, retry_after_s=0)]
    talk = start(half, answer("Whole."), answer("Next."))
    names = events(talk.stream())
    assert names[-1] == "thread.run.completed"
    assert talk.texts() == ["hello", "Broken turn.", "Whole."]
    talk.poll()
    for request in talk.model.requests[1:]:
        assert "Broken turn." not in json.dumps(asked(request))


@pytest.mark.parametrize("code", ["server_error", "rate_limit_exceeded", "invalid_prompt"])
def test_a_model_that_refuses_fails_the_run_with_its_reason(start: Start, code: Any) -> None:
    talk = start([ModelError("no such model; set --model", code=code)])
    run = talk.poll()
    assert run.status == "failed"
    assert run.last_error.to_dict() == {"code": code, "message": "no such model; set --model"}
    assert run.failed_at
    assert run.completed_at is None
    assert talk.create().status == "queued"


def test_a_fault_of_ours_fails_the_run_without_its_text(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    def script(request: ModelRequest) -> Script:
        raise ZeroDivisionError("secret")

    talk = start(model=Scripted(script))
    run = talk.poll()
    assert (run.status, run.last_error.code) == ("failed", "server_error")
    assert "secret" not in run.last_error.message
    assert run.id in caplog.text


def test_an_answer_cut_by_the_limit_is_incomplete(start: Start) -> None:
    talk = start(answer("Half", reason="length"))
    run = talk.poll(max_completion_tokens=256)
    assert (run.status, run.incomplete_details.reason) == ("incomplete", "max_completion_tokens")
    assert talk.model.requests[0].options["max_completion_tokens"] == 256


@pytest.mark.parametrize("limit", ["max_prompt_tokens", "max_completion_tokens"])
def test_a_limit_used_up_ends_the_run_before_the_model_is_asked(start: Start, limit: str) -> None:
    talk = start(ask(WEATHER, usage=Usage(256, 256)))
    run = talk.poll(**{limit: 256})
    run = talk.wait(talk.submit(run, BOTH[:1]))
    assert (run.status, run.incomplete_details.reason) == ("incomplete", limit)
    assert len(talk.model.requests) == 1


@pytest.mark.parametrize("said", [[], [Text("Let me see")]])
def test_calls_cut_by_the_limit_leave_nothing_open(start: Start, said: list[Text]) -> None:
    talk = start([*said, CallBegan(0, "call_a", "get_weather"), CallPiece(0, '{"ci'), Ended("length")])
    stream = talk.stream()
    step = "completed" if said else "failed"
    assert events(stream)[-2:] == [f"thread.run.step.{step}", "thread.run.incomplete"]
    assert [step.status for step in talk.steps(stream[-1].data)] == [step], "of calls after text nothing was told"
    assert talk.texts() == ["hello", *(text.value for text in said)]


def test_a_content_filter_fails_the_run(start: Start) -> None:
    talk = start(answer("Bad", reason="content_filter"))
    stream = talk.stream()
    assert events(stream)[-1] == "thread.run.failed"
    assert stream[-1].data.last_error.code == "invalid_prompt"
    message = next(event.data for event in stream if event.event == "thread.message.incomplete")
    assert message.incomplete_details.reason == "content_filter"


def test_a_context_that_is_too_long_is_tried_again_with_less(start: Start) -> None:
    def script(request: ModelRequest) -> Script:
        return answer("Hi") if len(request.messages) <= 3 else [ContextExceeded("too long", code="invalid_prompt")]

    talk = start(model=Scripted(script))
    for number in range(12):
        talk.client.beta.threads.messages.create(talk.thread_id, role="user", content=f"message number {number}")
    assert talk.poll().status == "completed"
    assert asked(talk.model.requests[-1])[-1]["content"] == "message number 11"


def test_usage_is_estimated_when_the_server_tells_none(start: Start) -> None:
    talk = start(answer("Hi there", usage=None))
    usage = talk.poll().usage
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0


def test_an_empty_answer_is_a_message_all_the_same(start: Start) -> None:
    talk = start([Ended("stop", (), '{"role":"assistant","content":""}', None)])
    assert talk.poll().status == "completed"
    assert talk.texts() == ["hello", ""]


def test_deleting_a_thread_ends_its_run(start: Start) -> None:
    talk = start([30.0, *answer("never")])
    run = talk.create()
    assert talk.client.beta.threads.delete(talk.thread_id).deleted
    with pytest.raises(NotFoundError):
        talk.runs.retrieve(run.id, thread_id=talk.thread_id)
    _until(lambda: talk.model.aborted == 1 or not talk.model.requests)


def test_a_repeated_request_gets_the_same_answer_and_happens_once(start: Start) -> None:
    talk = start(ask(WEATHER), answer("Done."))
    headers = {"Idempotency-Key": "k1"}
    first = talk.create(extra_headers=headers)
    assert talk.create(extra_headers=headers).to_dict() == first.to_dict()
    with pytest.raises(BadRequestError, match="another request"):
        talk.create(extra_headers=headers, instructions="other")
    run = talk.wait(first)
    headers = {"Idempotency-Key": "k2"}
    once = talk.submit(run, BOTH[:1], extra_headers=headers)
    assert talk.submit(run, BOTH[:1], extra_headers=headers).to_dict() == once.to_dict()
    assert talk.wait(run).status == "completed"
    assert len(talk.model.requests) == 2


def test_a_repeated_stream_joins_the_same_run(start: Start) -> None:
    talk = start([Text("Hi "), 0.3, *answer("there")])
    headers = {"Idempotency-Key": "k1"}
    first = iter(talk.create(stream=True, extra_headers=headers))
    seen = [next(first) for _ in range(5)]
    again = list(talk.create(stream=True, extra_headers=headers))
    assert events([*seen, *first]) == events(again)
    later = list(talk.create(stream=True, extra_headers=headers))
    assert later[-1].data.to_dict() == again[-1].data.to_dict()
    assert len(talk.runs.list(talk.thread_id).data) == 1


def test_a_repeated_stream_of_a_deleted_thread_says_so(start: Start) -> None:
    talk = start(answer("Hi"))
    headers = {"Idempotency-Key": "k1"}
    run = list(talk.create(stream=True, extra_headers=headers))[-1].data
    talk.client.beta.threads.delete(talk.thread_id)
    talk.engine.close()
    with Engine(talk.url, model=talk.model) as again:
        runs: Any = again.client().beta.threads.runs
        stream = runs.create(talk.thread_id, assistant_id=talk.assistant.id, stream=True, extra_headers=headers)
        *_, event = stream
    assert event.event == "error"
    assert event.data.message == f"No run found with id '{run.id}'."


def test_a_client_that_leaves_its_stream_does_not_stop_the_run(start: Start) -> None:
    talk = start([Text("Hi "), 0.2, *answer("there")])
    stream = talk.create(stream=True)
    run = next(iter(stream)).data
    stream.close()
    assert talk.wait(run).status == "completed"


def test_another_project_sees_nothing(start: Start) -> None:
    talk = start(answer("Hi"))
    run = talk.poll()
    other = talk.engine.client(project="other")
    with pytest.raises(NotFoundError):
        other.beta.threads.runs.retrieve(run.id, thread_id=talk.thread_id)
    with pytest.raises(NotFoundError):
        other.beta.assistants.retrieve(talk.assistant.id)
    assert other.beta.assistants.list().data == []


def _until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_half_a_character_in_the_text_does_not_keep_a_run_from_being_cancelled(start: Start) -> None:
    talk = start([Text("hi \ud83d"), 5.0])
    stream = talk.create(stream=True)
    seen = [next(event for event in stream if event.event == "thread.message.delta")]
    [run] = talk.runs.list(talk.thread_id)
    assert talk.runs.cancel(run.id, thread_id=talk.thread_id).status == "cancelled"
    seen += list(stream)
    assert events(seen)[-1] == "thread.run.cancelled"
    assert talk.texts() == ["hello", "hi \ufffd"]


@dataclass
class Stubborn(Scripted):
    """Ends well, but fails when it is closed."""

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        try:
            async for delta in super().complete(request):
                yield delta
        finally:
            raise ModelError("no way out", retry=True)


def test_a_model_that_cannot_be_closed_does_not_undo_what_it_said(start: Start) -> None:
    talk = start(model=Stubborn([ask(WEATHER, FLIGHTS), answer("Hi")]))
    run = talk.poll()
    assert run.status == "requires_action"
    assert talk.wait(talk.submit(run)).status == "completed"
    assert len(talk.model.requests) == 2


@pytest.mark.parametrize("refused", ["'in_progress'", "'completed', 'failed'"])
def test_a_run_that_the_store_threw_out_goes_on_when_the_store_does(start: Start, tmp_path: Path, refused: str) -> None:
    def scripts(request: ModelRequest) -> Script:
        return [30.0] if "sleep" in request.messages[-1] else answer("Hi")

    talk = start(model=Scripted(scripts))
    thread: Any = {"messages": [{"role": "user", "content": "sleep"}]}
    talk.client.beta.threads.create_and_run(assistant_id=talk.assistant.id, thread=thread)  # keeps the leases renewed
    with closing(sqlite3.connect(tmp_path / "0.db", isolation_level=None)) as disk:
        disk.execute(
            f"CREATE TRIGGER full BEFORE UPDATE ON run WHEN NEW.status IN ({refused}) AND NEW.id != "
            "(SELECT id FROM run ORDER BY seq LIMIT 1) BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
        run = talk.create()
        time.sleep(0.2)
        assert talk.runs.retrieve(run.id, thread_id=talk.thread_id).status in ("queued", "in_progress")
        disk.execute("DROP TRIGGER full")
    assert talk.wait(run).status == "completed"
    assert talk.texts() == ["hello", "Hi"]


def test_a_stream_that_its_engine_leaves_says_so_instead_of_ending(start: Start) -> None:
    talk = start([Text("Hi"), 30.0])
    stream = talk.create(stream=True)
    seen = [next(event for event in stream if event.event == "thread.message.delta")]
    talk.engine.close()
    with pytest.raises(APIError, match="shutting down"):
        seen += list(stream)
    assert seen[-1].event == "thread.message.delta"


def test_a_run_that_was_ended_elsewhere_before_it_began_ends_its_stream_here(start: Start, tmp_path: Path) -> None:
    talk = start([0.5, *answer("Hi")], concurrency=1)
    thread: Any = {"messages": [{"role": "user", "content": "first"}]}
    talk.client.beta.threads.create_and_run(assistant_id=talk.assistant.id, thread=thread)  # fills the engine
    stream = talk.create(stream=True)
    seen = [next(iter(stream))]
    with Engine(f"sqlite:///{tmp_path}/0.db") as other:
        other.client().beta.threads.runs.cancel(seen[0].data.id, thread_id=talk.thread_id)
        seen += list(stream)
    assert events(seen) == ["thread.run.created", "thread.run.queued", "thread.run.cancelled"]


def test_a_cancel_by_another_engine_keeps_what_was_heard(start: Start, tmp_path: Path) -> None:
    talk = start([Text("Half "), Text("of it"), 30.0])
    stream = talk.create(stream=True)
    seen = []
    while [event.event for event in seen].count("thread.message.delta") < 2:
        seen.append(next(iter(stream)))
    time.sleep(0.2)
    with Engine(f"sqlite:///{tmp_path}/0.db") as other:
        other.client().beta.threads.runs.cancel(seen[0].data.id, thread_id=talk.thread_id)
    seen += list(stream)
    assert events(seen)[-3:] == ["thread.message.incomplete", "thread.run.step.cancelled", "thread.run.cancelled"]
    assert talk.texts() == ["hello", "Half of it"]


def test_a_thread_deleted_by_another_engine_ends_its_streams_with_the_reason(start: Start, tmp_path: Path) -> None:
    talk = start([Text("Half "), 30.0])
    stream = talk.create(stream=True)
    seen = [next(iter(stream))]
    with Engine(f"sqlite:///{tmp_path}/0.db") as other:
        other.client().beta.threads.delete(talk.thread_id)
    last = list(stream)[-1]
    assert last.data.message == f"No run found with id '{seen[0].data.id}'."


def test_a_run_asks_for_tools_so_often_and_no_more(start: Start) -> None:
    talk = start(ask(WEATHER), run_max_turns=2)
    run = talk.poll()
    for _ in range(2):
        assert run.status == "requires_action"
        run = talk.wait(talk.submit(run, BOTH[:1]))
    assert (run.status, run.last_error.code) == ("failed", "server_error")
    assert run.last_error.message == (
        "The model asked for tools more than 2 times in one run, the most allowed (--run-max-turns)."
    )
    assert [request.taken for request in talk.model.requests] == [frozenset(), {"call_a"}, {"call_a"}]


def test_a_turn_that_breaks_off_after_its_text_is_written_once(start: Start) -> None:
    """Were the text complete before the calls are, it would stand there twice."""
    broken = [Text("Let me look."), CallBegan(0, "call_a", "get_weather"), ModelError("broke off", retry=True)]
    talk = start(broken, ask(WEATHER, say=["Let me look."]), answer("Sunny."))
    run = talk.stream()[-1].data
    assert run.status == "requires_action"
    talk.wait(talk.submit(run, BOTH[:1]))
    messages = talk.client.beta.threads.messages.list(talk.thread_id, order="asc")
    assert [message.status for message in messages] == ["completed", "incomplete", "completed", "completed"]
    said = [chat["content"] for chat in asked(talk.model.requests[-1]) if chat["role"] == "assistant"]
    assert said == ["Let me look."], "and the model reads it once"


def test_what_cannot_be_made_shorter_is_not_sent_again(start: Start) -> None:
    talk = start(ask(WEATHER), [ContextExceeded("too long")])
    run = talk.poll()
    run = talk.wait(talk.submit(run, [{"tool_call_id": "call_a", "output": "x" * 100_000}]))
    assert (run.status, run.last_error.message) == ("failed", "too long")
    assert len(talk.model.requests) < 5


def test_a_server_that_wants_no_pause_gets_one(start: Start) -> None:
    again = ModelError("again", retry=True, retry_after_s=0.0)
    talk = start([again], [again], answer("Hi"))
    began = time.monotonic()
    assert talk.poll().status == "completed"
    assert time.monotonic() - began > 0.7


def test_runs_that_wait_for_a_model_leave_their_place_to_others(start: Start) -> None:
    def script(request: ModelRequest) -> Script:
        down = "down" in request.messages[-1]
        return [ModelError("down", retry=True, retry_after_s=30.0)] if down else answer("Hi")

    talk = start(model=Scripted(script), concurrency=1)
    thread: Any = {"messages": [{"role": "user", "content": "down"}]}
    talk.client.beta.threads.create_and_run(assistant_id=talk.assistant.id, thread=thread)
    assert talk.poll().status == "completed"
