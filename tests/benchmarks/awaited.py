"""CPU of the run loop on chat completions and responses, awaiting: `run(AsyncOpenAI())` against the loops of `bare`.

The function is not async, so a run hands it to a thread; the floor calls it where it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from openai import AsyncOpenAI, AsyncStream

from tests.benchmarks.bare import CALLS, FLAT, MODEL, TURNS, note, outputs_of, read_piece, results_of
from tests.benchmarks.servers import fake_model
from tests.benchmarks.table import Pair, Row, Scale, against, middle, ms
from tests.benchmarks.talking import NOTE, QUESTION
from toolkit import Chat, Responses, Toolset, run, stream, tool

__all__ = ["measure"]

Json = dict[str, Any]


def measure(scale: Scale) -> Iterator[Row]:
    with fake_model() as url:
        for what, (ours_s, floor_s) in asyncio.run(_measured(url, scale)):
            yield against(f"{what}, awaited, CPU of a tool round, {CALLS} calls", ours_s, floor_s, 1.5, ms)


async def _measured(url: str, scale: Scale) -> list[tuple[str, Pair]]:
    tools = Toolset(tool(note))
    async with AsyncOpenAI(base_url=url, api_key="none") as client:

        async def chat() -> None:
            result = await run(client, tools, on=Chat(model=MODEL, messages="What is the weather in Seoul?"))
            assert len(result.calls) == TURNS * CALLS

        async def streamed_chat() -> None:
            on = Chat(model=MODEL, messages="What is the weather in Seoul?")
            async with stream(client, tools, on=on) as events:
                async for _ in events:
                    pass

        async def responses() -> None:
            result = await run(client, tools, on=Responses(model=MODEL, input="What is the weather in Seoul?"))
            assert len(result.calls) == TURNS * CALLS

        return [
            (what, await _interleaved(ours, partial(floor, client), scale.times(25)))
            for what, ours, floor in (
                ("chat completions", chat, _chat),
                ("chat completions, streamed", streamed_chat, _streamed_chat),
                ("responses", responses, _responses),
            )
        ]


async def _interleaved(
    ours: Callable[[], Awaitable[object]], floor: Callable[[], Awaitable[object]], rounds: int
) -> Pair:
    took: list[Pair] = []
    for _ in range(rounds):
        seconds: list[float] = []
        for work in (ours, floor):
            began = time.process_time()
            await work()
            seconds.append((time.process_time() - began) / TURNS)
        took.append((seconds[0], seconds[1]))
    return middle(took)


async def _chat(client: AsyncOpenAI) -> None:
    messages: list[Json] = [QUESTION]
    while True:
        body = {"model": MODEL, "messages": messages, "tools": [NOTE]}
        message = (await _post(client, "/chat/completions", body))["choices"][0]["message"]
        messages.append(message)
        if not message.get("tool_calls"):
            return
        messages += outputs_of(message["tool_calls"])


async def _streamed_chat(client: AsyncOpenAI) -> None:
    messages: list[Json] = [QUESTION]
    while True:
        body = {"model": MODEL, "messages": messages, "tools": [NOTE], "stream": True}
        calls: list[Json] = []
        async with await client.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object]
        ) as answer:
            async for line in answer.response.aiter_lines():
                read_piece(line, calls)
        if not calls:
            return
        messages.append({"role": "assistant", "tool_calls": calls})
        messages += outputs_of(calls)


async def _responses(client: AsyncOpenAI) -> None:
    body: Json = {"model": MODEL, "tools": [FLAT]}
    response = await _post(client, "/responses", {**body, "input": [QUESTION]})
    while calls := [item for item in response["output"] if item["type"] == "function_call"]:
        more = {"previous_response_id": response["id"], "input": results_of(calls)}
        response = await _post(client, "/responses", {**body, **more})


async def _post(client: AsyncOpenAI, path: str, body: Json) -> Json:
    answer: Any = await client.post(path, cast_to=object, body=body)
    return dict(answer)
