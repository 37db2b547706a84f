"""What other libraries do with what goes wrong in calls: the same answers of a model to each, and what comes of them.

`make peers` runs it, and docs/compare.md says what it printed, with which versions. No key and no network are needed:
the model is a transport under the official client, which all three use. Nothing of the package is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import Any

import httpx2
from cases import breaks, slow, weather
from openai import AsyncOpenAI

os.environ.setdefault("OPENAI_AGENTS_DISABLE_TRACING", "1")
Calls = Sequence[tuple[str, str]]


class Chat:
    """A chat completions endpoint that asks for calls or says a text, the last for ever; keeps what it was told."""

    def __init__(self, *turns: Calls | str) -> None:
        self._turns = turns
        self.asked = self.pictures = 0
        self.told: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        self.pictures = request.content.count(b"data:image/png;base64,")
        self.told = [str(one["content"]) for one in body["messages"] if one["role"] == "tool"]
        turn = self._turns[min(self.asked, len(self._turns) - 1)]
        self.asked += 1
        message: dict[str, Any] = {"role": "assistant", "content": turn}
        if not isinstance(turn, str):
            asked = [
                {
                    "id": f"call_{self.asked}_{number}",
                    "type": "function",
                    "function": {"name": name, "arguments": arguments},
                }
                for number, (name, arguments) in enumerate(turn)
            ]
            message = {"role": "assistant", "content": None, "tool_calls": asked}
        choice = {
            "index": 0,
            "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
            "message": message,
        }
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        answer = {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        return httpx2.Response(200, json=answer)

    def client(self) -> AsyncOpenAI:
        return AsyncOpenAI(api_key="k", http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(self)))


TOOLS = (weather, breaks, slow)
Ask = Callable[[Chat], Awaitable[str]]


async def agents(chat: Chat) -> str:
    from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool

    model = OpenAIChatCompletionsModel(model="m", openai_client=chat.client())
    agent = Agent(name="a", model=model, tools=[function_tool(tool) for tool in TOOLS])
    return str((await Runner.run(agent, "Hi")).final_output)


async def pydantic_ai(chat: Chat) -> str:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel("m", provider=OpenAIProvider(openai_client=chat.client()))
    return str((await Agent(model, tools=TOOLS).run("Hi")).output)


async def langchain(chat: Chat) -> str:
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    transport = httpx2.MockTransport(chat)
    model = ChatOpenAI(model="m", api_key="k", http_async_client=httpx2.AsyncClient(transport=transport))
    result = await create_agent(model, list(TOOLS)).ainvoke({"messages": [("user", "Hi")]})
    return str(result["messages"][-1].content)


PEERS: dict[str, Ask] = {"openai-agents": agents, "pydantic-ai-slim": pydantic_ai, "langchain": langchain}
CASES: dict[str, Calls] = {
    "unknown tool": [("whether", '{"city": "Seoul"}')],
    "broken JSON": [("weather", '{"city": "Se')],
    "missing argument": [("weather", "{}")],
    "exception": [("breaks", '{"city": "Seoul"}'), ("weather", '{"city": "Oslo"}')],
    "three slow ones": [("slow", '{"city": "Seoul"}')] * 3,
}


async def main() -> None:
    for peer, ask in PEERS.items():
        print(f"\n{peer} {version(peer)}")
        for case, calls in CASES.items():
            chat, began = Chat(calls, "Done."), time.monotonic()
            try:
                end = repr(await ask(chat))
            except BaseException as error:
                end = f"{type(error).__name__}: {error}"[:150].replace("\n", " ")
            took = f" in {time.monotonic() - began:.1f} s" if "slow" in case else ""
            told = " | ".join(one[:200].replace("\n", " ") for one in chat.told)
            print(f"  {case}: ends with {end}{took}; the model was told: {told or 'nothing'}")


if __name__ == "__main__":
    asyncio.run(main())
