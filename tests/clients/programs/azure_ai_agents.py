"""Azure's client for agents: a bearer token, so https; agents, threads, functions, a stream with a handler, files."""

import json
import os
import time

from azure.ai.agents import AgentsClient
from azure.ai.agents.models import (
    AgentEventHandler,
    CodeInterpreterTool,
    FilePurpose,
    FileSearchTool,
    FunctionTool,
    ListSortOrder,
    MessageAttachment,
    SubmitToolOutputsAction,
    ToolOutput,
    ToolSet,
)
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError


class Key:
    """Hands out the key as a token, as an identity of Azure hands out its own."""

    def get_token(self, *scopes, **options):
        return AccessToken(os.environ["KEY"], int(time.time()) + 3600)


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


def get_weather(city: str) -> str:
    """
    Weather in a city.

    :param city: The city.
    """
    return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[city]


functions = FunctionTool({get_weather})
client = AgentsClient(os.environ["ENDPOINT"], Key(), connection_verify=os.environ["AUTHORITY"])


def text(message):
    return "".join(one.text.value for one in message.text_messages)


class Handler(AgentEventHandler):
    def __init__(self):
        super().__init__()
        self.text, self.statuses = "", []

    def on_message_delta(self, delta):
        self.text += delta.text

    def on_thread_run(self, run):
        self.statuses.append(run.status.value)
        if isinstance(run.required_action, SubmitToolOutputsAction):
            calls = run.required_action.submit_tool_outputs.tool_calls
            given = [ToolOutput(tool_call_id=call.id, output=functions.execute(call)) for call in calls]
            client.runs.submit_tool_outputs_stream(
                thread_id=run.thread_id, run_id=run.id, tool_outputs=given, event_handler=self
            )

    def on_error(self, data):
        raise RuntimeError(data)

    def on_done(self):
        self.statuses.append("done")


with client:
    agent = client.create_agent(model="my-deployment", name="Weather", instructions="Be brief.", metadata={"a": "b"})
    tell("agent", [agent.name, agent.model, agent.metadata])
    tell("agent changed", client.update_agent(agent.id, name="Skies").name)
    for number in range(3):
        client.create_agent(model="my-deployment", name=f"Other {number}")
    tell("agents", [one.name for one in client.list_agents(limit=2)])

    thread = client.threads.create()
    tell("thread changed", client.threads.update(thread.id, metadata={"user": "ada"}).metadata)
    client.messages.create(thread.id, role="user", content="Hello there")
    run = client.runs.create_and_process(thread_id=thread.id, agent_id=agent.id, polling_interval=0.05)
    tell("run", [run.status.value, run.usage.total_tokens])
    tell("messages", [text(one) for one in client.messages.list(thread.id, order=ListSortOrder.ASCENDING, limit=1)])
    tell("last", client.messages.get_last_message_text_by_role(thread.id, "assistant").text.value)

    tools = ToolSet()
    tools.add(functions)
    client.enable_auto_function_calls(tools)
    client.messages.create(thread.id, role="user", content="The weather in Seoul and Oslo?")
    run = client.runs.create_and_process(thread_id=thread.id, agent_id=agent.id, toolset=tools, polling_interval=0.05)
    tell(
        "run with calls",
        [run.status.value, client.messages.get_last_message_text_by_role(thread.id, "assistant").text.value],
    )
    steps = client.run_steps.list(thread.id, run.id, order=ListSortOrder.ASCENDING)
    tell("steps", [[step.type.value, step.status.value] for step in steps])
    tell("runs", [one.status.value for one in client.runs.list(thread.id, limit=1)])

    client.messages.create(thread.id, role="user", content="The weather in Oslo?")
    handler = Handler()
    with client.runs.stream(
        thread_id=thread.id, agent_id=agent.id, tools=functions.definitions, event_handler=handler
    ) as stream:
        stream.until_done()
    tell("streamed", [handler.text, handler.statuses])

    file = client.files.upload_and_poll(file_path=__file__, purpose=FilePurpose.AGENTS, polling_interval=0.05)
    tell("file", [file.filename, b"".join(client.files.get_content(file.id)) == open(__file__, "rb").read()])
    attachment = MessageAttachment(file_id=file.id, tools=CodeInterpreterTool().definitions)
    message = client.messages.create(thread.id, role="user", content="See this", attachments=[attachment])
    tell("attached", [one.file_id == file.id for one in message.attachments])

    quick = {"polling_interval": 0.05}
    store = client.vector_stores.create_and_poll(name="Notes", file_ids=[file.id], **quick)
    tell("store", [store.name, store.status.value, store.file_counts.completed])
    tell("store file", client.vector_store_files.create_and_poll(store.id, file_id=file.id, **quick).status.value)
    batch = client.vector_store_file_batches.create_and_poll(store.id, file_ids=[file.id], **quick)
    tell("batch", [batch.status.value, batch.file_counts.completed])
    tell("store files", [one.id == file.id for one in client.vector_store_files.list(store.id)])
    tell("store changed", client.vector_stores.modify(store.id, name="Cities").name)
    search = FileSearchTool(vector_store_ids=[store.id])
    reader = client.create_agent(model="my-deployment", tools=search.definitions, tool_resources=search.resources)
    thread = client.threads.create()
    client.messages.create(thread.id, role="user", content="Search for the weather in a city")
    run = client.runs.create_and_process(thread_id=thread.id, agent_id=reader.id, **quick)
    answer = client.messages.get_last_message_by_role(thread.id, "assistant")
    [cited] = answer.file_citation_annotations
    told = text(answer).replace(cited.text, "[1]")
    tell("searched", [run.status.value, told, cited.file_citation.file_id == file.id])
    [*_, step] = client.run_steps.list(thread.id, run.id)
    tell("search in steps", [call.type for call in step.step_details.tool_calls])
    client.vector_stores.delete(store.id)
    tell("stores", [one.name for one in client.vector_stores.list()])
    client.files.delete(file.id)

    client.messages.create(thread.id, role="user", content="Answer slowly")
    run = client.runs.create(thread_id=thread.id, agent_id=agent.id)
    tell("cancelled", client.runs.cancel(thread.id, run.id).status.value)
    try:
        client.runs.cancel(thread.id, run.id)
    except HttpResponseError as error:
        tell("cancelled twice", [error.status_code, "Cannot cancel run with status 'cancelled'." in str(error)])
    client.delete_agent(agent.id)
    try:
        client.get_agent(agent.id)
    except ResourceNotFoundError as error:
        tell("deleted", error.status_code)
