"""The assistant agent of the first autogen: a chat with functions, and the same assistant found again by its name."""

import json
import os

from autogen import UserProxyAgent
from autogen.agentchat.contrib.gpt_assistant_agent import GPTAssistantAgent


def tell(name, value):
    print("\n" + json.dumps([name, value]), flush=True)


def get_weather(city: str) -> str:
    return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[city]


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def agent():
    key, url = os.environ["OPENAI_API_KEY"], os.environ["OPENAI_BASE_URL"]
    made = GPTAssistantAgent(
        name="weather",
        instructions="Be brief.",
        llm_config={"config_list": [{"model": "gpt-4-1106-preview", "api_key": key, "base_url": url}]},
        assistant_config={"tools": [WEATHER], "check_every_ms": 50},
    )
    made.register_function(function_map={"get_weather": get_weather})
    return made


weather = agent()
user = UserProxyAgent(name="user", human_input_mode="NEVER", max_consecutive_auto_reply=0, code_execution_config=False)
chat = user.initiate_chat(weather, message="Hello there")
tell("answer", chat.summary.strip())
chat = user.initiate_chat(weather, message="The weather in Seoul and Oslo?", clear_history=False)
tell("answer with calls", chat.summary.strip())
again = agent()
tell("found again", again.assistant_id == weather.assistant_id)
weather.reset()
tell("reset", user.initiate_chat(weather, message="Hello again").summary.strip())
weather.delete_assistant()
