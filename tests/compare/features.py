"""What other libraries have of what people ask for: the cells of docs/compare.md about runs that are told how to go.

    .venv/peers/bin/python tests/compare/features.py

The model is a transport under the official client, as in peers.py. Nothing of ours is imported.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import httpx2
from peers import Chat
from pydantic import BaseModel

os.environ.update(OPENAI_AGENTS_DISABLE_TRACING="1", OPENAI_API_KEY="k")
logging.disable()
PAY = [("pay", '{"amount": 50}')]
DOT = "data:image/png;base64," + base64.b64encode(b"dot").decode()
paid: list[float] = []


class Weather(BaseModel):
    """The weather somewhere."""

    city: str
    degrees: int


def pay(amount: float) -> str:
    """Pay."""
    paid.append(amount)
    return "paid"


async def lookup(city: str) -> str:
    """Look a city up."""
    return f"Sunny in {city}."


def much(city: str) -> str:
    """Say much."""
    return "x" * 2_000_000


class Agents:
    name = "openai-agents"

    def agent(self, chat: Chat, *tools: Any, **more: Any) -> Any:
        from agents import Agent, OpenAIChatCompletionsModel

        return Agent(name="a", model=OpenAIChatCompletionsModel("m", chat.client()), tools=list(tools), **more)

    def ask(self, chat: Chat, *tools: Any, **more: Any) -> Any:
        from agents import Runner, function_tool

        agent = self.agent(chat, *map(function_tool, tools), **more)
        return Runner.run_sync(agent, "Hi").final_output

    def typed(self, chat: Chat) -> Any:
        return self.ask(chat, output_type=Weather)

    def picture(self) -> Any:
        from agents import ToolOutputImage

        return ToolOutputImage(image_url=DOT)

    async def approved(self, chat: Chat) -> str:
        from agents import Runner, RunState, function_tool

        agent = self.agent(chat, function_tool(pay, needs_approval=True))
        text = json.dumps((await Runner.run(agent, "Hi")).to_state().to_json())
        state = await RunState.from_json(agent, json.loads(text))
        state.approve(state.get_interruptions()[0])
        return (await Runner.run(agent, state)).final_output


class PydanticAI:
    name = "pydantic-ai-slim"

    def agent(self, chat: Chat, *tools: Any, **more: Any) -> Any:
        from pydantic_ai import Agent
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        model = OpenAIChatModel("m", provider=OpenAIProvider(openai_client=chat.client()))
        return Agent(model, tools=tools, **more)

    def ask(self, chat: Chat, *tools: Any, **more: Any) -> Any:
        return self.agent(chat, *tools, **more).run_sync("Hi").output

    def typed(self, chat: Chat) -> Any:
        from pydantic_ai import NativeOutput

        return self.ask(chat, output_type=NativeOutput(Weather))

    def picture(self) -> Any:
        from pydantic_ai import BinaryContent

        return BinaryContent.from_data_uri(DOT)

    async def approved(self, chat: Chat) -> str:
        from pydantic_ai import DeferredToolRequests, DeferredToolResults, ModelMessagesTypeAdapter, Tool

        agent = self.agent(chat, Tool(pay, requires_approval=True), output_type=[str, DeferredToolRequests])
        first = await agent.run("Hi")
        [waiting] = first.output.approvals
        history = ModelMessagesTypeAdapter.validate_json(first.all_messages_json())
        results = DeferredToolResults(approvals={waiting.tool_call_id: True})
        return (await agent.run(message_history=history, deferred_tool_results=results)).output


class LangChain:
    name = "langchain"

    def agent(self, chat: Chat, *tools: Any, **more: Any) -> Any:
        from langchain.agents import create_agent
        from langchain_openai import ChatOpenAI

        transport = httpx2.MockTransport(chat)
        blocking, awaiting = httpx2.Client(transport=transport), httpx2.AsyncClient(transport=transport)
        model = ChatOpenAI(model="m", http_client=blocking, http_async_client=awaiting)
        return create_agent(model, list(tools), **more)

    def ask(self, chat: Chat, *tools: Any, **more: Any) -> Any:
        result = self.agent(chat, *tools, **more).invoke({"messages": [("user", "Hi")]})
        return result.get("structured_response") or result["messages"][-1].content

    def typed(self, chat: Chat) -> Any:
        from langchain.agents.structured_output import ProviderStrategy

        return self.ask(chat, response_format=ProviderStrategy(Weather))

    def picture(self) -> Any:
        return [{"type": "image_url", "image_url": {"url": DOT}}]

    async def approved(self, chat: Chat) -> str:
        from langchain.agents.middleware import HumanInTheLoopMiddleware
        from langgraph.checkpoint.memory import InMemorySaver
        from langgraph.types import Command

        middleware = [HumanInTheLoopMiddleware(interrupt_on={"pay": True})]
        agent = self.agent(chat, pay, middleware=middleware, checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "1"}}
        await agent.ainvoke({"messages": [("user", "Hi")]}, config)
        result = await agent.ainvoke(Command(resume={"decisions": [{"type": "approve"}]}), config)
        return result["messages"][-1].content


def shown(chat: Chat, work: Callable[[], Any]) -> str:
    try:
        end = repr(work())
    except BaseException as error:
        end = f"{type(error).__name__}: {error}"[:160].replace("\n", " ")
    return f"{end}; {chat.asked} requests, the last told the model {sum(map(len, chat.told))} characters of outputs"


def main() -> None:
    for peer in (Agents(), PydanticAI(), LangChain()):
        print(f"\n{peer.name} {version(peer.name)}")

        def draw() -> Any:
            """Draw a dot."""
            return peer.picture()

        chat = Chat(PAY, "Done.")
        print(f"  approval: {shown(chat, lambda: asyncio.run(peer.approved(chat)))}; paid {paid}")
        chat = Chat([("lookup", '{"city": "Seoul"}')], "Done.")
        print(f"  an async function under the blocking call: {shown(chat, lambda: peer.ask(chat, lookup))}")
        chat = Chat([("much", '{"city": "Seoul"}')], "Done.")
        print(f"  2 MB of output: {shown(chat, lambda: peer.ask(chat, much))}")
        chat = Chat([("draw", "{}")], "Done.")
        print(f"  a picture: {shown(chat, lambda: peer.ask(chat, draw))}: {chat.told}, {chat.pictures} pictures sent")
        chat = Chat(*[PAY] * 60, "Done.")
        print(f"  60 turns of calls: {shown(chat, lambda: peer.ask(chat, pay))}")
        chat = Chat('{"city": "Seoul"}', '{"city": "Seoul", "degrees": 20}')
        print(f"  an answer that does not fit its type: {shown(chat, lambda: peer.typed(chat))}")
        paid.clear()


if __name__ == "__main__":
    main()
