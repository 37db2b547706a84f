from __future__ import annotations

import json

import pytest

from toolkit.errors import ToolsMissing
from toolkit.runs.coverage import Coverage
from toolkit.runs.effects import Call, FinishedCall
from toolkit.runs.hosts.assistants import Assistants
from toolkit.runs.outcome import Outcome
from toolkit.tools.output import Output
from toolkit.tools.toolset import Toolset

SSE = {"content-type": "text/event-stream; charset=utf-8"}
RUN = {"object": "thread.run", "status": "queued"}
FUNCTION = {"type": "function", "function": {"name": "get_weather"}}


def outcome(headers: dict[str, str], *chunks: str) -> Outcome:
    outcome = Outcome(Assistants("k", "thread_1"))
    outcome.begin(200, headers)
    for chunk in chunks:
        list(outcome.feed(chunk.encode()))
    return outcome


def sse(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def test_json_is_the_body() -> None:
    answered = outcome({"content-type": "application/json"}, '{"a"', ": 1}")
    answered.end()
    assert (answered.reply(None, 0).status, answered.reply(None, 0).body) == (200, {"a": 1})


def test_what_is_no_json_object_is_no_body() -> None:
    for text in ("<html>", "[1]", ""):
        answered = outcome({}, text)
        answered.end()
        assert answered.reply(None, 0).body is None


def test_a_stream_gives_its_last_run_and_its_messages() -> None:
    message = {"id": "msg_1"}
    events = [sse("thread.run.queued", RUN), sse("thread.message.completed", message)]
    answered = outcome(SSE, *events, sse("thread.run.completed", {**RUN, "status": "completed"}), "data: [DONE]\n\n")
    answered.end()
    reply = answered.reply(None, 1.5)
    assert (reply.status, reply.body, reply.messages) == (200, {**RUN, "status": "completed"}, [message])
    assert reply.elapsed_s == 1.5


def test_a_run_in_broken_json_counts_as_lost() -> None:
    answered = outcome(SSE, sse("thread.run.queued", RUN), "event: thread.run.completed\ndata: {\n\n")
    assert answered.reply(None, 0).body == RUN


def test_a_stream_of_broken_json_alone_has_not_answered() -> None:
    answered = outcome(SSE, "event: thread.run.created\ndata: {{\n\n", "data: [DONE]\n\n")
    answered.end()
    assert (answered.reply(None, 0).status, answered.reply(None, 0).body) == (None, None)


def test_a_stream_without_a_run_has_not_answered() -> None:
    answered = outcome(SSE, sse("thread.run.step.created", {}), "data: [DONE]\n\n")
    answered.end()
    assert (answered.reply(None, 0).status, answered.reply(None, 0).body) == (None, None)


def test_an_error_event_both_bare_and_wrapped() -> None:
    for data in ({"message": "no"}, {"error": {"message": "no"}}):
        assert outcome(SSE, sse("error", data)).said == {"message": "no"}


def test_done_is_no_event_of_the_app() -> None:
    answered = Outcome(Assistants("k", "thread_1"))
    answered.begin(200, SSE)
    assert [event.name for event in answered.feed(b"event: a\ndata: 1\n\nevent: done\ndata: [DONE]\n\n")] == ["a"]


def test_a_failure_keeps_what_had_come() -> None:
    answered = outcome({**SSE, "x-idempotency-key": "kept"}, sse("thread.run.queued", RUN))
    error = ConnectionError()
    answered.fail(error, None)
    reply = answered.reply(None, 0)
    assert (reply.status, reply.body, reply.error, reply.headers["x-idempotency-key"]) == (None, RUN, error, "kept")


def test_calls_in_call_order() -> None:
    tools = Outcome(Assistants("k", "thread_1"))
    one, two = (FinishedCall(Call(name, name, "{}"), Output("ok")) for name in ("one", "two"))
    assert tools.finish(1, two).finished is two
    tools.finish(0, one)
    left = KeyboardInterrupt()
    assert tools.reply(left, 0).finished == [one, two]
    assert tools.reply(left, 0).left is left


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (SSE, sse("thread.created", {"id": "thread_1"}) + sse("thread.run.created", {**RUN, "tools": [FUNCTION]})),
        ({"content-type": "application/json"}, json.dumps({**RUN, "tools": [FUNCTION]})),
    ],
)
def test_a_run_that_is_not_covered_is_told_when_it_is_first_seen(headers: dict[str, str], body: str) -> None:
    host = Assistants("k", "thread_1")
    answered = Outcome(host, Coverage(host, Toolset(), "raise"))
    answered.begin(200, headers)
    with pytest.raises(ToolsMissing):
        for _ in answered.feed(body.encode()):
            pass
        answered.end()
    assert answered.reply(None, 0).body == {**RUN, "tools": [FUNCTION]}


def test_a_first_run_in_broken_json_is_looked_at_when_it_comes_again() -> None:
    host = Assistants("k", "thread_1")
    answered = Outcome(host, Coverage(host, Toolset(), "raise"))
    answered.begin(200, SSE)
    list(answered.feed(b"event: thread.run.created\ndata: {\n\n"))
    with pytest.raises(ToolsMissing):
        list(answered.feed(sse("thread.run.queued", {**RUN, "tools": [FUNCTION]}).encode()))
