from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import httpx2
import pytest
from openai import OpenAI
from opentelemetry import baggage, context, trace
from opentelemetry.trace import SpanKind, StatusCode

from tests.contract.doors import served
from tests.telemetry.conftest import Go, Spans
from toolkit import Chat, LimitReached, Limits, RunFailed, TextDelta, ToolError, Toolset, run, stream, telemetry, tool
from toolkit.testing import ModelError, ScriptedServer, call

SECRET = "plover"


@tool
def weather(city: str) -> str:
    """Weather in a city."""
    with trace.get_tracer("test", tracer_provider=PROVIDER[0]).start_as_current_span(f"look out in {city}"):
        return f"Sunny in {city}, {SECRET}."


@tool
async def flights(to: str) -> str:
    """Find flights."""
    with trace.get_tracer("test", tracer_provider=PROVIDER[0]).start_as_current_span(f"ask about {to}"):
        await asyncio.sleep(0.01)
        return f"None to {to}."


@tool
def breaks() -> str:
    """Break."""
    raise RuntimeError("the lamp fell over")


@tool
def refuses() -> str:
    """Refuse."""
    raise ToolError(f"Not for {SECRET}.")


LET_GO = threading.Event()
RETURNED = threading.Event()


@tool(timeout_s=0.5)
def hangs() -> str:
    """Hang until somebody lets go."""
    LET_GO.wait(30)
    RETURNED.set()
    return "awake"


PROVIDER: list[Any] = [None]
TOOLS = Toolset(weather, flights, breaks, refuses, hangs)
SEOUL, PARIS = call("weather", city="Seoul"), call("weather", city="Paris")


@pytest.fixture(autouse=True)
def provider(spans: Spans) -> None:
    PROVIDER[0] = spans.provider


@pytest.mark.parametrize(
    "calls", [[SEOUL], [call("flights", to="Oslo")], [SEOUL, PARIS, call("flights", to="Oslo")]], ids=len
)
def test_spans_nest_as_the_work_does(go: Go, spans: Spans, calls: list[Any]) -> None:
    with ScriptedServer(calls, "Fine.") as server:
        with spans.tracer.start_as_current_span("request"):
            go(server, TOOLS)
    inside = {"weather": "look out in", "flights": "ask about"}
    wanted = ["request"]
    wanted += ["request > invoke_agent", *["request > invoke_agent > chat scripted"] * 2]
    for one in calls:
        place = one.arguments.split('"')[3]
        tool_span = f"request > invoke_agent > execute_tool {one.name}"
        wanted += [tool_span, f"{tool_span} > {inside[one.name]} {place}"]
    assert spans.tree() == sorted(wanted)
    assert len({span.context.trace_id for span in spans.all if span.context}) == 1


def test_a_run_says_what_it_was(go: Go, spans: Spans) -> None:
    with ScriptedServer(SEOUL, "Fine.") as server:
        result = go(server, TOOLS, temperature=0.5)
    span = spans.one("invoke_agent")
    assert (span.kind, span.status.status_code, span.parent) == (SpanKind.CLIENT, StatusCode.UNSET, None)
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "openai",
        "gen_ai.agent.id": result.run_json["assistant_id"],
        "gen_ai.conversation.id": result.thread_id,
        "gen_ai.request.model": "scripted",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 10,
        "server.address": "engine",
        "server.port": 80,
        "toolkit.run.id": result.run_id,
        "toolkit.run.status": "completed",
        "toolkit.run.turns": 1,
    }


def test_a_run_without_a_thread_is_in_no_conversation(spans: Spans) -> None:
    message = {"role": "assistant", "content": "Hello."}
    said = {"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=said))
    with OpenAI(api_key="none", http_client=httpx2.Client(transport=transport)) as client:
        run(client, on=Chat(model="m", messages="Hello"))
    attributes = spans.one("invoke_agent").attributes or {}
    assert attributes["gen_ai.request.model"] == "m"
    assert "gen_ai.conversation.id" not in attributes


def test_a_call_says_what_it_was(go: Go, spans: Spans) -> None:
    with ScriptedServer(SEOUL, "Fine.") as server:
        go(server, TOOLS)
    span = spans.one("execute_tool weather")
    assert (span.kind, span.status.status_code) == (SpanKind.INTERNAL, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.call.id": SEOUL.id,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Weather in a city.",
    }


def test_no_content_is_told_unless_somebody_asks(go: Go, spans: Spans) -> None:
    with ScriptedServer(
        [SEOUL, call("refuses"), call("weather", '{"town": "plover"}')], "Plover, all of it."
    ) as server:
        go(server, TOOLS, input="Where is the plover?", instructions="Mind the plover.")
    said = spans.text().replace("look out in Seoul", "").lower()
    assert [word for word in ("plover", "seoul", "town", "sunny") if word in said] == []


@pytest.mark.parametrize("said", ["true", "SPAN_ONLY", "span_and_event", "argument"])
def test_content_is_told_to_who_asks(spans: Spans, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    if said == "argument":
        telemetry.instrument(tracer_provider=spans.provider, content=True)
    else:
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", said)
        telemetry.instrument(tracer_provider=spans.provider)
    with ScriptedServer(SEOUL, "Fine.") as server, server.client() as client:
        run(client, TOOLS, assistant_id=server.assistant(TOOLS), input="Weather?")
    made = spans.one("execute_tool weather").attributes or {}
    assert made["gen_ai.tool.call.arguments"] == '{"city": "Seoul"}'
    assert made["gen_ai.tool.call.result"] == "Sunny in Seoul, plover."
    said_at_end = (spans.one("invoke_agent").attributes or {})["gen_ai.output.messages"]
    assert (
        said_at_end
        == '[{"role": "assistant", "parts": [{"type": "text", "content": "Fine."}], "finish_reason": "stop"}]'
    )


@pytest.mark.parametrize("said", ["no_content", "event_only", "false", ""])
def test_other_words_keep_content_out(spans: Spans, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", said)
    telemetry.instrument(tracer_provider=spans.provider)
    with ScriptedServer("Fine.") as server, server.client() as client:
        run(client, assistant_id=server.assistant(), input="Weather?")
    assert "Fine." not in spans.text()


def test_what_a_tool_raises_is_told(go: Go, spans: Spans) -> None:
    with ScriptedServer([call("breaks"), call("refuses"), call("weather", "{")], "Sorry.") as server:
        go(server, TOOLS)
    broken = spans.one("execute_tool breaks")
    assert (broken.status.status_code, broken.status.description) == (StatusCode.ERROR, "the lamp fell over")
    assert (broken.attributes or {})["error.type"] == "RuntimeError"
    assert [event.name for event in broken.events] == ["exception"]
    for name, kind in (("refuses", "ToolError"), ("weather", "ArgumentsInvalid")):
        span = spans.one(f"execute_tool {name}")
        assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())
        assert (span.attributes or {})["error.type"] == kind
    assert spans.one("invoke_agent").status.status_code is StatusCode.UNSET


def test_a_call_out_of_time_ends_when_nobody_waits_any_more(go: Go, spans: Spans) -> None:
    LET_GO.clear()
    RETURNED.clear()
    with ScriptedServer(call("hangs"), "Sorry.") as server:
        go(server, TOOLS)
    assert (spans.one("execute_tool hangs").attributes or {})["error.type"] == "TimeoutError"
    LET_GO.set()
    assert RETURNED.wait(10)
    time.sleep(0.05)  # for its span to end once more, which would be a warning
    assert len(spans.named("execute_tool hangs")) == 1


def test_a_run_that_fails_says_so(go: Go, spans: Spans) -> None:
    with ScriptedServer(ModelError("The quota is used up.", code="rate_limit_exceeded")) as server:
        with pytest.raises(RunFailed):
            go(server, TOOLS)
    span = spans.one("invoke_agent")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "rate_limit_exceeded"
    assert (span.attributes or {})["toolkit.run.status"] == "failed"


def test_a_limit_says_so(go: Go, spans: Spans) -> None:
    with ScriptedServer(SEOUL, PARIS) as server, pytest.raises(LimitReached):
        go(server, TOOLS, limits=Limits(turns=1))
    span = spans.one("invoke_agent")
    assert (span.attributes or {})["error.type"] == "LimitReached"
    assert (span.attributes or {})["toolkit.run.status"] == "cancelled"


def test_who_leaves_a_stream_early_has_not_failed(spans: Spans) -> None:
    with ScriptedServer(["One", 30.0]) as server, server.client() as client:
        with stream(client, assistant_id=server.assistant(), input="Hi") as events:
            next(event for event in events if isinstance(event, TextDelta))
    assert spans.one("invoke_agent").status.status_code is StatusCode.UNSET


def test_the_spans_are_nobody_elses_current_ones(spans: Spans) -> None:
    with ScriptedServer(SEOUL, ["Fi", "ne."]) as server, server.client() as client:
        with spans.tracer.start_as_current_span("mine") as mine:
            with stream(client, TOOLS, assistant_id=server.assistant(TOOLS), input="Hi") as events:
                assert all(trace.get_current_span() is mine for _ in events)
    assert not trace.get_current_span().get_span_context().is_valid


def test_baggage_reaches_the_tools(spans: Spans) -> None:
    seen: list[object] = []

    @tool
    def look() -> str:
        """Look."""
        seen.append(baggage.get_baggage("user"))
        return ""

    tools = Toolset(look)
    with ScriptedServer([call("look"), call("look")], "Fine.") as server, server.client() as client:
        token = context.attach(baggage.set_baggage("user", "Ada"))
        try:
            run(client, tools, assistant_id=server.assistant(tools), input="Hi")
        finally:
            context.detach(token)
        assert seen == ["Ada", "Ada"]
        assert all("baggage" not in one.sent.headers for one in server.seen)


def test_a_server_elsewhere_puts_its_spans_below_ours(spans: Spans) -> None:
    with ScriptedServer(SEOUL, "Fine.") as server, served(server.engine.app) as address:
        assistant_id = server.assistant(TOOLS)
        with OpenAI(base_url=f"{address}/v1", api_key="none", http_client=httpx2.Client(verify=False)) as client:
            run(client, TOOLS, assistant_id=assistant_id, input="Weather?")
    assert spans.tree().count("invoke_agent > chat scripted") == 2


def test_calls_of_one_id_have_a_span_each(spans: Spans) -> None:
    with ScriptedServer([SEOUL, SEOUL], "Fine.") as server, server.client() as client:
        run(client, TOOLS, assistant_id=server.assistant(TOOLS), input="Weather?")
        assert len(spans.named("execute_tool weather")) == len(server.model.asked[-1].outputs)
