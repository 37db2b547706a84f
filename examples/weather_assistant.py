"""The assistant of the guides: two functions about the weather, which the model calls at once.

    python examples/weather_assistant.py
    toolkit run examples/weather_assistant.py "What's the weather in Seoul and the likelihood it'll rain?"

The figures are made up. The model is the offline one: it calls tools, but it is not a language model.
"""

from __future__ import annotations

from typing import Literal

from toolkit import CallFinished, CallStarted, TextDelta, ToolError, Toolset, stream, tool
from toolkit.engine import Engine

CELSIUS = {"San Francisco": 14.0, "Seoul": 21.5, "Lisbon": 24.0, "Oslo": 6.5}
RAIN = {"San Francisco": 0.06, "Seoul": 0.35, "Lisbon": 0.02, "Oslo": 0.7}


def known(location: str) -> str:
    """Find the city in what the model wrote, such as "San Francisco, CA"."""
    for city in CELSIUS:
        if city.casefold() in location.casefold():
            return city
    raise ToolError(f"There is no weather station in {location}. There are some in {', '.join(CELSIUS)}.")


@tool
def get_current_temperature(location: str, unit: Literal["Celsius", "Fahrenheit"] = "Celsius") -> str:
    """Get the current temperature for a specific location.

    Args:
        location: The city and state, e.g., San Francisco, CA.
        unit: The temperature unit to use. Infer this from the user's location.
    """
    celsius = CELSIUS[known(location)]
    return f"{celsius} C" if unit == "Celsius" else f"{celsius * 9 / 5 + 32:.1f} F"


@tool
def get_rain_probability(location: str) -> float:
    """Get the probability of rain for a specific location.

    Args:
        location: The city and state, e.g., San Francisco, CA.
    """
    return RAIN[known(location)]


tools = Toolset(get_current_temperature, get_rain_probability)


def main() -> None:
    client = Engine("sqlite:///:memory:").client()

    # 1. An assistant with tools. 2. A thread. 3. A message in it.
    assistant = client.beta.assistants.create(
        model="offline",
        instructions="You are a weather bot. Use the provided functions to answer questions.",
        tools=tools.definitions,
    )
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(
        thread.id, role="user", content="What's the weather in San Francisco today and the likelihood it'll rain?"
    )

    # 4. A run: it asks for both functions at once (requires_action), they are called here, in parallel, and answered.
    with stream(client, tools, assistant_id=assistant.id, thread_id=thread.id) as events:
        for event in events:
            match event:
                case CallStarted(call):
                    print(f"call    {call.name}({call.arguments})")
                case CallFinished(finished):
                    print(f"result  {finished.call.name}: {finished.output.content}")
                case TextDelta(text):
                    print(text, end="", flush=True)
                case _:
                    pass
    print("\n")

    # 5. The thread holds the conversation.
    for message in client.beta.threads.messages.list(thread.id, order="asc"):
        for part in message.content:
            if part.type == "text":
                print(f"{message.role}: {part.text.value}")


if __name__ == "__main__":
    main()
