"""The loops of `bare` as other libraries run them, in turn with the bare loop, in an environment of their own.

    .venv/peers/bin/python -m tests.benchmarks.peers LIBRARY URL ROUNDS

Prints a line of JSON for each API: the library's CPU as a ratio to the bare loop's. Nothing of ours is imported. Each
is used as its pages show, without settings that are not needed for so many turns; where it can go on from the response
before, it does.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterable, Callable
from functools import partial
from statistics import median
from typing import Any

from openai import AsyncOpenAI, OpenAI, pydantic_function_tool
from pydantic import BaseModel

from tests.benchmarks.bare import CALLS, LOOPS, MODEL, TURNS

__all__ = ["PEERS"]

QUESTION = "What is the weather in Seoul?"
Loops = dict[str, Callable[[], object]]
_made: list[str] = []


def note(text: str, pages: list[int]) -> str:
    """Write a note."""
    _made.append(text)
    return "noted"


def agents(url: str) -> Loops:
    from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool

    client, loop = AsyncOpenAI(base_url=url), asyncio.new_event_loop()
    chatting = Agent(name="a", model=OpenAIChatCompletionsModel(MODEL, client), tools=[function_tool(note)])
    responding = Agent(name="a", model=OpenAIResponsesModel(MODEL, client), tools=[function_tool(note)])

    async def streamed() -> None:
        async for _ in Runner.run_streamed(chatting, QUESTION, max_turns=TURNS + 1).stream_events():
            pass

    def run(agent: Agent[Any], **more: Any) -> object:
        return loop.run_until_complete(Runner.run(agent, QUESTION, max_turns=TURNS + 1, **more))

    return {
        "chat completions": partial(run, chatting),
        "chat completions, streamed": lambda: loop.run_until_complete(streamed()),
        "responses": partial(run, responding, auto_previous_response_id=True),
    }


def pydantic_ai(url: str) -> Loops:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel, OpenAIResponsesModelSettings
    from pydantic_ai.providers.openai import OpenAIProvider

    provider, loop = OpenAIProvider(openai_client=AsyncOpenAI(base_url=url)), asyncio.new_event_loop()
    chatting = Agent(OpenAIChatModel(MODEL, provider=provider), tools=[note])
    chained = OpenAIResponsesModelSettings(openai_previous_response_id="auto")
    responding = Agent(OpenAIResponsesModel(MODEL, provider=provider), tools=[note], model_settings=chained)

    async def listen(_: object, events: AsyncIterable[object]) -> None:
        async for _ in events:
            pass

    def run(agent: Agent[Any], **more: Any) -> object:
        return loop.run_until_complete(agent.run(QUESTION, **more))

    return {
        "chat completions": partial(run, chatting),
        "chat completions, streamed": partial(run, chatting, event_stream_handler=listen),
        "responses": partial(run, responding),
    }


def langchain(url: str) -> Loops:
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    chatting = create_agent(ChatOpenAI(model=MODEL, base_url=url), [note])
    chained = ChatOpenAI(model=MODEL, base_url=url, use_responses_api=True, use_previous_response_id=True)
    responding = create_agent(chained, [note])
    asked: Any = {"messages": [("user", QUESTION)]}

    def streamed() -> None:
        for _ in chatting.stream(asked, {"recursion_limit": 100}, stream_mode="messages"):
            pass

    return {
        "chat completions": partial(chatting.invoke, asked, {"recursion_limit": 100}),
        "chat completions, streamed": streamed,
        "responses": partial(responding.invoke, asked, {"recursion_limit": 100}),
    }


def runner(url: str) -> Loops:
    from openai.lib.responses_tool_runner import RegisteredFunction, ResponsesToolRunner

    class Note(BaseModel):
        """Write a note."""

        text: str
        pages: list[int]

    declared: Any = pydantic_function_tool(Note, name="note")["function"]
    function = RegisteredFunction({**declared, "type": "function"}, lambda given: note(**given))
    client, tools = OpenAI(base_url=url), ResponsesToolRunner(functions=[function])
    return {"responses": lambda: tools.run(client, {"model": MODEL, "input": QUESTION}, max_steps=TURNS + 1)}


PEERS = {
    "openai-agents": agents,
    "pydantic-ai-slim": pydantic_ai,
    "langchain": langchain,
    "openai's tool runner": runner,
}


def main(peer: str, url: str, rounds: int) -> None:
    os.environ.update(OPENAI_API_KEY="none", OPENAI_AGENTS_DISABLE_TRACING="1")
    logging.disable()  # of clients that are still open at the end
    with OpenAI(base_url=url) as client:
        for api, loop in PEERS[peer](url).items():
            loop()  # which imports and builds what comes up only when it is used
            own_s, floor_s = _interleaved(loop, partial(LOOPS[api], client), rounds)
            print(json.dumps({"api": api, "score": own_s / floor_s}), flush=True)


def _interleaved(own: Callable[[], object], floor: Callable[[], object], rounds: int) -> list[float]:
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        _made.clear()
        for work, seconds in zip((own, floor), took, strict=True):
            began = time.process_time()
            work()
            seconds.append(time.process_time() - began)
        assert len(_made) == TURNS * CALLS
    return [median(seconds) for seconds in took]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
