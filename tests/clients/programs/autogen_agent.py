"""autogen's assistant agent: messages with a function, its state saved and loaded, files, and a reset."""

import asyncio
import json
from pathlib import Path

from autogen_agentchat.messages import TextMessage
from autogen_core import CancellationToken
from autogen_ext.agents.openai import OpenAIAssistantAgent
from openai import AsyncOpenAI


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


def get_weather(city: str) -> str:
    """Weather in a city."""
    return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[city]


def agent(client, **options):
    return OpenAIAssistantAgent(
        name="weather",
        description="Knows the weather.",
        client=client,
        model="gpt-4o",
        instructions="Be brief.",
        tools=[get_weather],
        **options,
    )


async def main():
    client = AsyncOpenAI()
    token = CancellationToken()
    first = agent(client)

    async def ask(agent, question):
        return await agent.on_messages([TextMessage(source="user", content=question)], token)

    tell("answer", (await ask(first, "Hello there")).chat_message.content)
    response = await ask(first, "The weather in Seoul and Oslo?")
    tell("answer with calls", response.chat_message.content)
    tell("what happened", [message.type for message in response.inner_messages])

    state = await first.save_state()
    again = agent(client, assistant_id=state["assistant_id"], thread_id=state["thread_id"])
    await again.load_state(state)
    tell("found again", (await ask(again, "Hello again")).chat_message.content)
    messages = await client.beta.threads.messages.list(state["thread_id"])
    tell("messages", len(messages.data))
    await first.on_reset(token)
    tell("reset", len((await client.beta.threads.messages.list(state["thread_id"])).data))

    Path("notes.txt").write_text("Some notes.")
    await first.on_upload_for_code_interpreter("notes.txt", token)
    files = [one.filename for one in (await client.files.list()).data]
    thread = await client.beta.threads.retrieve(state["thread_id"])
    tell("files", [files, len(thread.tool_resources.code_interpreter.file_ids)])

    reader = OpenAIAssistantAgent(
        name="reader",
        description="Reads notes.",
        client=client,
        model="gpt-4o",
        instructions="Be brief.",
        tools=["file_search"],
    )
    Path("oslo.md").write_text("Oslo is cold in winter.")
    await reader.on_upload_for_file_search("oslo.md", token)
    tell("searched", (await ask(reader, "Search where it is cold in winter")).chat_message.content)
    await reader.delete_uploaded_files(token)
    await reader.delete_vector_store(token)
    await reader.delete_assistant(token)
    await first.delete_uploaded_files(token)
    await first.delete_assistant(token)
    tell("deleted", [len((await client.files.list()).data), len((await client.beta.assistants.list()).data)])


asyncio.run(main())
