"""semantic-kernel's assistant agent: a plugin that is called by itself, a stream, and the thread read back."""

import asyncio
import json

from openai import AsyncOpenAI
from semantic_kernel.agents import AssistantAgentThread, OpenAIAssistantAgent
from semantic_kernel.functions import kernel_function


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


class Weather:
    @kernel_function(description="Weather in a city.")
    def get_weather(self, city: str) -> str:
        return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[city]


async def main():
    client = AsyncOpenAI()
    definition = await client.beta.assistants.create(model="gpt-4o", name="Weather", instructions="Be brief.")
    agent = OpenAIAssistantAgent(client=client, definition=definition, plugins=[Weather()])
    thread = AssistantAgentThread(client=client)

    response = await agent.get_response(messages="Hello there", thread=thread)
    tell("answer", str(response.message))
    kinds = []

    async def on_step(message):
        kinds.extend(type(item).__name__ for item in message.items)

    question = "The weather in Seoul and Oslo?"
    answers = agent.invoke(messages=question, thread=thread, on_intermediate_message=on_step)
    tell("answer with calls", [str(response.message) async for response in answers])
    tell("what happened", kinds)
    pieces = agent.invoke_stream(messages="The weather in Oslo?", thread=thread)
    tell("streamed", "".join([str(piece.message) async for piece in pieces]))
    tell("thread", [str(message) async for message in thread.get_messages(sort_order="asc")])
    await thread.delete()
    await client.beta.assistants.delete(agent.id)


asyncio.run(main())
