"""llama-index's assistant agent: chat with functions, its history, an upload, and the same assistant found again."""

import asyncio
import json
from pathlib import Path

from llama_index.agent.openai import OpenAIAssistantAgent
from llama_index.core.tools import FunctionTool


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


def get_weather(city: str) -> str:
    """Weather in a city."""
    return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[city]


tools = [FunctionTool.from_defaults(fn=get_weather)]
agent = OpenAIAssistantAgent.from_new(
    name="Weather",
    instructions="Be brief.",
    tools=tools,
    instructions_prefix="You know the weather.",
    temperature=0.5,
    model="gpt-4-1106-preview",
)
tell("chat", agent.chat("Hello there").response)
tell("chat with calls", agent.chat("The weather in Seoul and Oslo?").response)
tell("awaited", asyncio.run(agent.achat("The weather in Oslo?")).response)
tell("history", [[one.role.value, one.content] for one in agent.chat_history])

Path("notes.txt").write_text("Some notes.")
uploaded = agent.upload_files(["notes.txt"])
[file_id] = uploaded["file_ids"] if "file_ids" in uploaded else uploaded
tell("uploaded", agent.client.files.retrieve(file_id).filename)
agent.add_message("With notes", file_ids=[file_id], tools=[{"type": "code_interpreter"}])
tell(
    "attached",
    [one.file_id == file_id for one in agent.client.beta.threads.messages.list(agent.thread_id).data[0].attachments],
)

again = OpenAIAssistantAgent.from_existing(agent.assistant.id, tools=tools, thread_id=agent.thread_id)
tell("found again", [again.assistant.name, len(again.chat_history)])
again.reset()
tell("reset", len(again.chat_history))
