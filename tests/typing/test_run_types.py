"""What type checkers know of `run` and `stream`: this file is checked, its functions are never called."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, assert_type

from openai import AsyncOpenAI, AzureOpenAI, OpenAI

from toolkit import (
    AsyncStream,
    CallFinished,
    Event,
    FinishedCall,
    Limits,
    Result,
    Stream,
    TextDelta,
    Toolset,
    run,
    stream,
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
