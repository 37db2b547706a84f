from __future__ import annotations

import json

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from tests.telemetry.conftest import Spans
from toolkit import RunFailed, Toolset, run, telemetry, tool
from toolkit.engine.model import Ended, Usage
from toolkit.testing import ModelError, ScriptedServer, call


@tool
def weather(city: str) -> str:
    """Weather in a city."""
    return "Sunny."


TOOLS = Toolset(weather)
SEOUL = call("weather", city="Seoul")


def test_a_chat_says_what_it_was(spans: Spans) -> None:
    usage = Usage(30, 7, {"cached_tokens": 20}, {"reasoning_tokens": 3})
    with ScriptedServer([SEOUL, Ended("stop", usage=usage)], "Fine.") as server, server.client() as client:
        result = run(client, TOOLS, assistant_id=server.assistant(TOOLS), input="Weather?", max_completion_tokens=900)
    first, second = spans.named("chat scripted")
    assert first.kind is SpanKind.CLIENT
    said = dict(first.attributes or {})
    assert 0 <= said.pop("gen_ai.response.time_to_first_chunk") < 60
    assert said == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "scripted",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 900,
        "gen_ai.conversation.id": result.thread_id,
        "gen_ai.agent.id": result.run_json["assistant_id"],
        "gen_ai.response.finish_reasons": ("tool_calls",),
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "toolkit.run.id": result.run_id,
    }
    assert (second.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)


def test_messages_are_told_to_who_asks(spans: Spans) -> None:
    telemetry.instrument(tracer_provider=spans.provider, content=True)
    with ScriptedServer(SEOUL, "Fine.") as server, server.client() as client:
        assistant_id = server.assistant(TOOLS, instructions="Be kind.")
        run(client, TOOLS, assistant_id=assistant_id, input="Weather?")
    said = dict(spans.named("chat scripted")[1].attributes or {})
    read = {name: json.loads(str(said[name])) for name in said if "messages" in name or name.endswith(("tions",))}
    assert read["gen_ai.system_instructions"] == [{"type": "text", "content": "Be kind."}]
    assert read["gen_ai.tool.definitions"][0]["name"] == "weather"
    assert read["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": SEOUL.id, "name": "weather", "arguments": '{"city": "Seoul"}'}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": SEOUL.id, "response": "Sunny."}]},
    ]
    assert read["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Fine."}], "finish_reason": "stop"}
    ]


def test_each_try_has_a_span(spans: Spans) -> None:
    broken = ModelError("gone", retry=True, code="server_error")
    with ScriptedServer(["Hal", broken], "Whole.") as server, server.client() as client:
        run(client, assistant_id=server.assistant(), input="Hi")
    first, second = spans.named("chat scripted")
    assert (first.status.status_code, (first.attributes or {})["error.type"]) == (StatusCode.ERROR, "server_error")
    assert second.status.status_code is StatusCode.UNSET


def test_a_model_that_breaks_otherwise_is_told_as_well(spans: Spans) -> None:
    def breaks(asked: object) -> str:
        raise ModelError("no", code="invalid_prompt")

    with ScriptedServer(breaks) as server, server.client() as client, pytest.raises(RunFailed):
        run(client, assistant_id=server.assistant(), input="Hi")
    assert (spans.one("chat scripted").attributes or {})["error.type"] == "invalid_prompt"


def test_a_request_of_nobody_we_know_begins_a_trace(spans: Spans) -> None:
    with ScriptedServer("Hi") as server, server.client() as client:
        client.beta.threads.create_and_run_poll(assistant_id=server.assistant(), poll_interval_ms=1)
    assert spans.one("chat scripted").parent is None


def test_a_request_with_a_traceparent_is_where_its_runs_belong(spans: Spans) -> None:
    with ScriptedServer("Hi") as server, server.client() as client:
        headers = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
        client.beta.threads.create_and_run_poll(
            assistant_id=server.assistant(), poll_interval_ms=1, extra_headers=headers
        )
    parent = spans.one("chat scripted").parent
    assert parent is not None
    assert (f"{parent.trace_id:x}", f"{parent.span_id:x}") == ("a" * 32, "b" * 16)
