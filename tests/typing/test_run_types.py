"""What type checkers know of `run` and `stream`: this file is checked, its functions are never called."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, assert_type

from openai import AsyncOpenAI, AzureOpenAI, OpenAI

from toolkit import (
    Approve,
    AsyncStream,
    Call,
    CallFinished,
    Deny,
    Event,
    FinishedCall,
    Journal,
    Limits,
    Pending,
    Result,
    Stream,
    TextDelta,
    Tool,
    Toolset,
    resume,
    resume_stream,
    run,
    stream,
    tool,
)


def blocking(client: OpenAI, azure: AzureOpenAI, tools: Toolset) -> None:
    assert_type(run(client, tools, assistant_id="a", thread_id="t"), Result)
    assert_type(run(azure, assistant_id="a", input="Hello", temperature=0.2), Result)
    with stream(client, tools, assistant_id="a", input=[{"role": "user", "content": "Hello"}]) as events:
        assert_type(events, Stream)
        assert_type(events.text, Iterator[str])
        for event in events:
            assert_type(event, Event)
            match event:
                case TextDelta(text):
                    assert_type(text, str)
                case CallFinished(finished):
                    assert_type(finished, FinishedCall)
                case _:
                    pass
        assert_type(events.result, Result)


async def awaiting(client: AsyncOpenAI, tools: Toolset) -> None:
    await run(client, tools, assistant_id="a", input="Hello", missing="tell")
    going_on = run(client, tools, thread_id="t", run_id="r")
    _ = assert_type(going_on, Coroutine[Any, Any, Result])
    assert_type(await going_on, Result)
    assert_type(await run(client, tools, assistant_id="a", thread_id="t", limits=Limits(seconds=None)), Result)
    async with stream(client, tools, assistant_id="a", thread_id="t", tool_choice="required") as events:
        assert_type(events, AsyncStream)
        assert_type(events.text, AsyncIterator[str])
        async for event in events:
            assert_type(event, Event)
        assert_type(events.result.calls, tuple[FinishedCall, ...])


def is_large(amount: int) -> bool:
    return amount > 100


@tool(approve=is_large, idempotent=True)
def pay(amount: int) -> str:
    return str(amount)


async def decide(call: Call) -> bool | Deny:
    return Deny(call.name)


def approving(client: OpenAI, tools: Toolset, pending: Pending) -> None:
    some: Tool[..., str] = pay
    assert_type(some(1), str)
    assert_type(pay(amount=1), str)
    result = run(client, tools, assistant_id="a", input="x", approve=decide, journal="calls.db", on_active="queue")
    assert_type(result.pending, Pending | None)
    assert_type(run(client, tools, assistant_id="a", input="x", approve=lambda call: Approve({"amount": 1})), Result)
    run(client, tools, assistant_id="a", input="x", approve=lambda call: None)  # type: ignore[arg-type,return-value]  # pyright: ignore[reportArgumentType] - no decision
    run(client, tools, assistant_id="a", input="x", on_active="now")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType] - no such policy
    approvals = {call.id: True for call in pending.calls}
    assert_type(resume(client, tools, pending, approvals=approvals, journal=Journal("calls.db")), Result)
    assert_type(resume_stream(client, tools, pending, approvals={"c": Deny("no")}), Stream)


async def approving_later(client: AsyncOpenAI, tools: Toolset, pending: Pending) -> None:
    assert_type(await resume(client, tools, pending, approvals={"c": Approve()}), Result)
    assert_type(resume_stream(client, tools, pending, approve=decide), AsyncStream)
