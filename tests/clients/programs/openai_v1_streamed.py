"""A program of early 2024 that streams with an event handler, and submits outputs inside it. For openai 1.14 to 1.20.

It knows nothing of the engine: base URL and key come from the environment. It prints what it saw, as JSON.
"""

import json

from openai import AssistantEventHandler, OpenAI

client = OpenAI()
saw = {"texts": [], "calls": [], "events": []}


class Handler(AssistantEventHandler):
    def on_event(self, event):
        saw["events"].append(event.event)
        if event.event == "thread.run.requires_action":
            calls = event.data.required_action.submit_tool_outputs.tool_calls
            outputs = [{"tool_call_id": call.id, "output": "21 degrees"} for call in calls]
            with client.beta.threads.runs.submit_tool_outputs_stream(
                thread_id=event.data.thread_id, run_id=event.data.id, tool_outputs=outputs, event_handler=Handler()
            ) as stream:
                stream.until_done()

    def on_tool_call_done(self, tool_call):
        saw["calls"].append(tool_call.function.name)

    def on_text_done(self, text):
        saw["texts"].append(text.value)

    def on_message_done(self, message):
        saw["file_ids"] = message.file_ids


assistant = client.beta.assistants.create(
    model="gpt-4-turbo",
    tools=[
        {
            "type": "function",
            "function": {
                "name": "get_temperature",
                "description": "Get the temperature in a city.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
    ],
)
thread = client.beta.threads.create(messages=[{"role": "user", "content": "What is the temperature in Lyon?"}])
runs = client.beta.threads.runs
with runs.create_and_stream(thread_id=thread.id, assistant_id=assistant.id, event_handler=Handler()) as stream:
    stream.until_done()
run = runs.list(thread.id).data[0]
polled = runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id, tools=[], poll_interval_ms=50)
saw["ends"] = [run.status, run.file_ids, polled.status]
for fact in saw.items():
    print(json.dumps(fact))
