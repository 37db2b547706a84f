"""Runs on model servers over real sockets: what a run's reader sees of their failures, and which server is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.engine.endpoint.listener import Answering, Asked, Said, event, refusal, serving
from toolkit.engine import Endpoint, Engine

HI = Said([event({"content": "Hi"}), event({}, "stop"), b"data: [DONE]\n\n"])
HALF = [event({"content": "Half an ans"})]


async def run_on(
    engine: Engine, *, model: str = "gpt-4o", stream: bool = False
) -> tuple[Any, list[tuple[str, str, str]]]:
    """Make a run on a new thread, wait for its end, and give it with the thread's messages, oldest first."""
    client = engine.aclient()
    assistant = await client.beta.assistants.create(model=model)
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}])
    if stream:
        events = await client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True)
        *_, run = [
            each.data async for each in events if each.event.startswith("thread.run.") and ".step" not in each.event
        ]
    else:
        run = await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    page: Any = await client.beta.threads.messages.list(thread.id, order="asc")
    return run, [(each.role, each.status, "".join(part.text.value for part in each.content)) for each in page.data]  # type: ignore[union-attr]


def on(answering: Answering | Sequence[Said], **options: Any) -> tuple[Any, list[tuple[str, str, str]]]:
    async def main() -> tuple[Any, list[tuple[str, str, str]]]:
        async with serving(answering) as (_, endpoint):
            engine = Engine("sqlite:///:memory:", model=endpoint)
            try:
                return await run_on(engine, **options)
            finally:
                await asyncio.to_thread(engine.close)

    return asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Said([], framing="reset"), id="reset at once"),
        pytest.param(Said(HALF, framing="reset"), id="reset after a delta"),
        pytest.param(Said(HALF), id="no end"),
        pytest.param(Said([*HALF, b'data: {"error":{"message":"Overloaded"}}\n\n']), id="error in mid-stream"),
        pytest.param(Said([b'{"error":"Overloaded"}']), id="error at 200"),
        pytest.param(Said([b""]), id="nothing"),
        pytest.param(refusal(503, {"error": {"message": "Loading model"}}), id="503"),
        pytest.param(refusal(429, {"error": {"message": "Slow down"}}, retry_after_ms="20"), id="429"),
    ],
)
def test_a_run_outlives_a_failure(first: Said, stream: bool) -> None:
    run, messages = on([first, HI], stream=stream)
    assert (run.status, run.last_error) == ("completed", None)
    assert [message for message in messages if message[1] == "completed"] == [
        ("user", "completed", "Hello"),
        ("assistant", "completed", "Hi"),
    ]
    broken = [message for message in messages if message[1] == "incomplete"]
    assert broken in ([], [("assistant", "incomplete", "Half an ans")])
    assert not (broken and not stream)


@pytest.mark.parametrize(
    ("said", "code", "says"),
    [
        (
            refusal(404, {"error": {"message": "The model `gpt-4o` does not exist", "code": "model_not_found"}}),
            "server_error",
            ["'gpt-4o'", "--model NAME", "--model-map ASKED=NAME", "[models]", "--config"],
        ),
        (refusal(401, {"error": {"message": "No such key"}}), "server_error", ["--model-key-file", "key_file"]),
        (refusal(429, {"error": {"message": "", "code": "insufficient_quota"}}), "rate_limit_exceeded", ["quota"]),
        (refusal(400, {"error": {"message": "No.", "code": "content_filter"}}), "invalid_prompt", ["content filter"]),
        (Said([b"<html>"]), "server_error", ["web page", "--model-url"]),
    ],
)
def test_a_failure_that_stays_says_what_to_change(said: Said, code: str, says: list[str]) -> None:
    run, messages = on([said])
    assert (run.status, run.last_error.code) == ("failed", code)
    assert all(part in run.last_error.message for part in says), run.last_error.message
    assert messages == [("user", "completed", "Hello")]


def test_each_name_goes_to_its_endpoint() -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            local, at_local = await stack.enter_async_context(serving(lambda _: HI))
            azure, at_azure = await stack.enter_async_context(serving(lambda _: HI, query={"api-version": "1"}))
            engine = Engine(
                "sqlite:///:memory:",
                endpoints={"local": at_local, "azure": at_azure},
                models={"gpt-4o": "local/llama3", "*": "azure/big"},
            )
            for name in ("gpt-4o", "gpt-4", "local/org/qwen"):
                run, _ = await run_on(engine, model=name)
                assert (run.status, run.model) == ("completed", name)
            assert [asked.body["model"] for asked in local.asked] == ["llama3", "org/qwen"]
            assert [asked.body["model"] for asked in azure.asked] == ["big"]
            assert azure.asked[0].line.endswith("?api-version=1 HTTP/1.1")
            await asyncio.to_thread(engine.close)

    asyncio.run(main())


def test_a_window_that_the_endpoint_tells_bounds_what_is_sent() -> None:
    listing = Said([json.dumps({"data": [{"id": "gpt-4o", "max_model_len": 500}]}).encode()])

    async def main() -> list[int]:
        async with serving(lambda _: HI, listing=listing) as (server, endpoint):
            engine = Engine("sqlite:///:memory:", model=endpoint)
            client = engine.aclient()
            assistant = await client.beta.assistants.create(model="gpt-4o")
            said: list[Any] = [{"role": "user", "content": "x" * 400} for _ in range(10)]
            thread = await client.beta.threads.create(messages=said)
            for _ in range(2):
                await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
                while endpoint.window("gpt-4o") is None:
                    await asyncio.sleep(0.005)
            await asyncio.to_thread(engine.close)
            return [len(asked.body["messages"]) for asked in server.asked]

    first, second = asyncio.run(main())
    assert first == 10
    assert 1 <= second <= 5


def test_a_server_that_numbers_its_calls_anew_in_each_turn() -> None:
    def answering(asked: Asked) -> Said:
        if sum(message["role"] == "tool" for message in asked.body["messages"]) == 3:
            return HI
        call = {"index": 0, "id": "0", "function": {"name": "weather", "arguments": "{}"}}
        return Said([event({"tool_calls": [call]}), event({}, "tool_calls"), b"data: [DONE]\n\n"])

    async def main() -> tuple[list[str], list[dict[str, Any]]]:
        async with serving(answering) as (server, endpoint):
            engine = Engine("sqlite:///:memory:", model=endpoint)
            client = engine.aclient()
            tool: Any = {"type": "function", "function": {"name": "weather"}}
            assistant = await client.beta.assistants.create(model="gpt-4o", tools=[tool])
            thread = await client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}])
            runs: Any = client.beta.threads.runs
            run = await runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
            ids: list[str] = []
            while run.status == "requires_action":
                ids += [call.id for call in run.required_action.submit_tool_outputs.tool_calls]
                outputs = [{"tool_call_id": ids[-1], "output": "sunny"}]
                run = await runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread.id, tool_outputs=outputs)
            assert run.status == "completed"
            await asyncio.to_thread(engine.close)
            return ids, server.asked[-1].body["messages"]

    ids, messages = asyncio.run(main())
    assert ids[0] == "0"
    assert len(set(ids)) == 3
    assert [call["id"] for message in messages for call in message.get("tool_calls", [])] == ids
    assert [message["tool_call_id"] for message in messages if message["role"] == "tool"] == ids


def test_an_engine_takes_the_endpoint_it_exports() -> None:
    with Engine("sqlite:///:memory:", endpoints={"far": Endpoint("http://127.0.0.1:9/v1")}) as engine:
        listed = engine.client().models.list()
        assert [each.id for each in listed] == ["offline"]  # an endpoint that does not answer is left out
        assert json.loads(listed.model_dump_json())["object"] == "list"
