"""marvin's assistants: a thread, functions it calls itself, and a handler that watches the stream."""

import json

from marvin.beta.assistants import Assistant, Thread
from openai import AsyncAssistantEventHandler


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


def get_weather(city: str) -> str:
    """Weather in a city."""
    return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[city]


class Watching(AsyncAssistantEventHandler):
    seen = []

    async def on_event(self, event):
        self.seen.append(event.event)


with Assistant(name="Weather", instructions="Be brief.", tools=[get_weather], model="gpt-4o") as assistant:
    run = assistant.say("Hello there", event_handler_class=Watching)
    tell("answer", [run.run.status, run.messages[-1].content[0].text.value])
    run = assistant.say("The weather in Seoul and Oslo?", event_handler_class=Watching)
    tell("answer with calls", [run.run.status, run.messages[-1].content[0].text.value])
    tell("steps", [step.type for step in run.steps])
    tell("events", [Watching.seen[0], Watching.seen[-1]])

    thread = Thread()
    thread.create(messages=["Hello"])
    thread.add("Hello again")
    run = thread.run(assistant, event_handler_class=Watching)
    tell("thread", [message.content[0].text.value for message in thread.get_messages()])
    tell("thread, newest", [message.content[0].text.value for message in thread.get_messages(limit=1)])
    thread.delete()
tell("deleted", assistant.id is None)
