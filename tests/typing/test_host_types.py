"""What type checkers know of `on=` and `output_type=`: this file is checked, its functions are never called."""

from __future__ import annotations

from typing import assert_type

from openai import AsyncOpenAI, OpenAI
from openai.types.conversations import Conversation
from pydantic import BaseModel

from toolkit import AsyncStream, Chat, Pending, Responses, Result, Stream, Toolset, resume, run, stream


class Sum(BaseModel):
    total: int


def blocking(client: OpenAI, tools: Toolset, conversation: Conversation) -> None:
    chat = Chat(model="m", messages=[{"role": "user", "content": "Hello"}], temperature=0.2)
    assert_type(run(client, tools, on=chat), Result)
    assert_type(run(client, tools, on=chat).output, None)
    assert_type(run(client, on=chat, output_type=Sum).output, Sum)
    assert_type(run(client, assistant_id="a", input="Hello", output_type=list[int]).output, list[int])
    with stream(client, on=Responses(model="m", input="Hello", conversation=conversation), output_type=Sum) as events:
        assert_type(events, Stream[Sum])
        assert_type(events.result.output.total, int)
    run(client, on=chat, assistant_id="a")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    run(client, on=chat, temperature=0.2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    run(client, on="chat")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    Chat(model="m", messages="Hello", temprature=0.2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Responses(input="Hello", n=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def awaiting(client: AsyncOpenAI, tools: Toolset, pending: Pending) -> None:
    chat = Chat(model="m", messages="Hello")
    assert_type(await run(client, tools, on=chat), Result)
    assert_type((await run(client, tools, on=chat, output_type=Sum)).output, Sum)
    assert_type((await resume(client, tools, pending, output_type=Sum)).output, Sum)
    async with stream(client, on=chat) as events:
        assert_type(events, AsyncStream)
        assert_type(events.result, Result)
