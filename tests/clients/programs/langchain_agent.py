"""langchain's runnable for assistants: alone, in an agent executor, awaited, and with outputs submitted by hand."""

import asyncio
import json

import openai

try:
    from langchain_classic.agents import AgentExecutor
    from langchain_classic.agents.openai_assistant import OpenAIAssistantRunnable
except ImportError:  # before langchain 1
    from langchain.agents import AgentExecutor
    from langchain.agents.openai_assistant import OpenAIAssistantRunnable
from langchain_core.tools import tool


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


@tool
def get_weather(city: str) -> str:
    """Weather in a city."""
    return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[city]


plain = OpenAIAssistantRunnable.create_assistant(
    name="Plain", instructions="Be brief.", tools=[], model="gpt-4-1106-preview", check_every_ms=50
)
[answer] = plain.invoke({"content": "Hello there", "message_metadata": {"from": "ada"}})
tell("answer", answer.content[0].text.value)
answers = plain.invoke({"content": "Hello again", "thread_id": answer.thread_id})
tell("answer in the same thread", [one.content[0].text.value for one in answers])

asking = OpenAIAssistantRunnable.create_assistant(
    name="Asking", instructions="", tools=[get_weather], model="gpt-4o", check_every_ms=50
)
calls = asking.invoke({"content": "The weather in Seoul?"})
tell("calls", [[call.function.name, json.loads(call.function.arguments)] for call in calls])

agent = OpenAIAssistantRunnable.create_assistant(
    name="Agent", instructions="", tools=[get_weather], model="gpt-4o", as_agent=True, check_every_ms=50
)
executor = AgentExecutor(agent=agent, tools=[get_weather])
done = executor.invoke({"content": "The weather in Seoul and Oslo?"})
tell("executed", [done["output"], done["attachments"]])
[action] = agent.invoke({"content": "The weather in Oslo?"})
given = [{"tool_call_id": action.tool_call_id, "output": get_weather.invoke(action.tool_input)}]
done = agent.invoke({"run_id": action.run_id, "thread_id": action.thread_id, "tool_outputs": given})
tell("outputs by hand", done.return_values["output"])


async def awaited():
    aclient = openai.AsyncOpenAI()
    made = await OpenAIAssistantRunnable.acreate_assistant(
        name="Agent", instructions="", tools=[get_weather], model="gpt-4o", async_client=aclient, as_agent=True
    )
    [action] = await made.ainvoke({"content": "The weather in Oslo?"})
    tell("awaited", [action.tool, action.tool_input])  # its answers cannot be awaited: it reads them with a plain `for`


asyncio.run(awaited())
