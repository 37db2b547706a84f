"""A tour of the whole API, as users of the openai package write it; any version from 1.25 on.

The class is AzureOpenAI where AZURE_OPENAI_ENDPOINT is set. Each line it prints is one fact: [name, value].
"""

import asyncio
import hashlib
import io
import json
import os

import openai
from openai import AssistantEventHandler

AZURE = "AZURE_OPENAI_ENDPOINT" in os.environ
client = openai.AzureOpenAI() if AZURE else openai.OpenAI()
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


def get_weather(city):
    return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[city]


def text(message):
    return "".join(part.text.value for part in message.content if part.type == "text")


def outputs(run):
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": get_weather(**json.loads(call.function.arguments))} for call in calls]


def refused(call):
    """Say how a call was refused."""
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.body["message"], error.param, bool(error.request_id)]
    return None


class Handler(AssistantEventHandler):
    """Writes down what it is told, and answers calls while the stream that asked is still open."""

    def __init__(self):
        super().__init__()
        self.seen, self.text, self.arguments = [], "", ""

    def on_event(self, event):
        name = event.event.removeprefix("thread.")
        if self.seen[-1:] != [name]:  # deltas come in any number
            self.seen.append(name)
        if event.event == "thread.run.requires_action":
            run = event.data
            then = client.beta.threads.runs.submit_tool_outputs_stream(
                thread_id=run.thread_id, run_id=run.id, tool_outputs=outputs(run), event_handler=Handler()
            )
            with then as stream:
                stream.until_done()
            self.text += stream.text
            self.seen += ["--", *stream.seen]

    def on_text_delta(self, delta, snapshot):
        self.text += delta.value
        assert snapshot.value.endswith(delta.value)

    def on_text_done(self, text):
        assert text.value == self.text

    def on_tool_call_delta(self, delta, snapshot):
        self.arguments += delta.function.arguments or ""

    def on_end(self):
        self.seen.append("end")


def assistants():
    made = client.beta.assistants.create(
        model="gpt-4o",
        name="Weather",
        description="Knows the weather.",
        instructions="Be brief.",
        tools=[WEATHER, {"type": "code_interpreter"}, {"type": "file_search"}],
        temperature=0.5,
        metadata={"team": "sky"},
    )
    tell("assistant made", [made.object, made.model, made.name, made.description, made.instructions, made.temperature])
    tell("assistant tools", [tool.type for tool in made.tools])
    changed = client.beta.assistants.update(made.id, name="Skies", tools=[WEATHER], metadata={"team": "sea"})
    tell("assistant changed", [changed.name, len(changed.tools), changed.metadata, changed.instructions])
    tell("assistant read", client.beta.assistants.retrieve(made.id) == changed)
    for number in range(4):
        client.beta.assistants.create(model="gpt-4o", name=f"Other {number}")
    tell("assistants", [one.name for one in client.beta.assistants.list(limit=2)])
    page = client.beta.assistants.list(limit=2, order="asc")
    tell("assistants, next page", [one.name for one in page.get_next_page()])
    for other in client.beta.assistants.list():
        if other.id != made.id:
            assert client.beta.assistants.delete(other.id).deleted
    tell("assistants left", [one.name for one in client.beta.assistants.list()])
    return made


def threads():
    thread = client.beta.threads.create(
        messages=[{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}],
        metadata={"user": "ada"},
    )
    tell("thread made", [thread.object, thread.metadata])
    client.beta.threads.update(thread.id, metadata={"user": "bob"})
    tell("thread read", client.beta.threads.retrieve(thread.id).metadata)
    messages = client.beta.threads.messages
    for number in ("three", "four", "five"):
        messages.create(thread.id, role="user", content=number, metadata={"number": number})
    tell("messages", [text(one) for one in messages.list(thread.id, limit=2, order="asc")])
    page = messages.list(thread.id, limit=2)
    tell("messages, newest", [text(one) for one in page.data])
    tell("messages, next page", [text(one) for one in page.get_next_page().data])
    tell("messages before", [text(one) for one in messages.list(thread.id, before=page.data[1].id)])
    changed = messages.update(page.data[0].id, thread_id=thread.id, metadata={"seen": "yes"})
    tell("message changed", [changed.metadata, messages.retrieve(changed.id, thread_id=thread.id) == changed])
    parts = [{"type": "text", "text": "six"}, {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
    if hasattr(messages, "delete"):
        made = messages.create(thread.id, role="user", content=parts)
        tell("message of parts", [part.type for part in made.content])
        tell("message deleted", messages.delete(made.id, thread_id=thread.id).deleted)
        tell("messages left", [text(one) for one in messages.list(thread.id)])
    asyncio.run(awaiting(thread.id))
    tell("thread deleted", client.beta.threads.delete(thread.id).deleted)


async def awaiting(thread_id):
    async with openai.AsyncAzureOpenAI() if AZURE else openai.AsyncOpenAI() as aclient:
        found = [text(one) async for one in aclient.beta.threads.messages.list(thread_id, limit=2, order="asc")]
        tell("messages, awaited", found)
        assistant = await aclient.beta.assistants.create(model="gpt-4o")
        async with aclient.beta.threads.runs.stream(thread_id=thread_id, assistant_id=assistant.id) as stream:
            said = "".join([delta async for delta in stream.text_deltas])
        tell("streamed, awaited", [said, (await stream.get_final_run()).status])
        run = await aclient.beta.threads.runs.create_and_poll(thread_id=thread_id, assistant_id=assistant.id)
        tell("polled, awaited", run.status)
        await aclient.beta.assistants.delete(assistant.id)


def polled(assistant):
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(thread.id, role="user", content="Hello there")
    runs = client.beta.threads.runs
    run = runs.create_and_poll(
        thread_id=thread.id,
        assistant_id=assistant.id,
        additional_instructions="Be kind.",
        temperature=0.1,
        metadata={"round": "1"},
    )
    tell("run", [run.status, run.model, run.instructions, run.temperature, run.metadata, run.usage.total_tokens])
    [answer, question] = client.beta.threads.messages.list(thread.id).data
    tell("answer", [text(answer), answer.role, answer.run_id == run.id, answer.created_at > question.created_at])
    tell("run changed", runs.update(run.id, thread_id=thread.id, metadata={"round": "one"}).metadata)
    tell("runs", [one.id == run.id for one in runs.list(thread.id)])

    run = client.beta.threads.create_and_run_poll(
        assistant_id=assistant.id,
        thread={"messages": [{"role": "user", "content": "The weather in Seoul and Oslo?"}]},
    )
    calls = run.required_action.submit_tool_outputs.tool_calls
    tell("run waits", [run.status, [[call.function.name, json.loads(call.function.arguments)] for call in calls]])
    tell("outputs missing", refused(lambda: submitted(run, outputs(run)[:1]))[:2])
    tell("message refused", refused(lambda: asked(run.thread_id, "Well?"))[:2])
    done = runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs(run))
    tell("run done", [done.status, done.usage.total_tokens, text(newest(done))])
    tell("outputs twice", refused(lambda: submitted(run, outputs(run)))[:2])
    steps = list(runs.steps.list(run.id, thread_id=run.thread_id, order="asc"))
    tell("steps", [[step.type, step.status, bool(step.completed_at)] for step in steps])
    tell("outputs kept", [call.function.output for call in steps[0].step_details.tool_calls])
    step = runs.steps.retrieve(steps[1].id, thread_id=run.thread_id, run_id=run.id)
    tell("message of step", step.step_details.message_creation.message_id == newest(done).id)


def asked(thread_id, question):
    return client.beta.threads.messages.create(thread_id, role="user", content=question)


def submitted(run, given):
    return client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=given)


def newest(run):
    return client.beta.threads.messages.list(run.thread_id, limit=1).data[0]


def streamed(assistant):
    runs = client.beta.threads.runs
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Hello there"}])
    with runs.stream(thread_id=thread.id, assistant_id=assistant.id, event_handler=Handler()) as stream:
        stream.until_done()
    tell("events", stream.seen)
    tell("streamed", [stream.text, [text(one) for one in stream.get_final_messages()], stream.get_final_run().status])
    tell("final steps", [step.type for step in stream.get_final_run_steps()])

    asked(thread.id, "The weather in Seoul and Oslo?")
    with runs.stream(thread_id=thread.id, assistant_id=assistant.id, event_handler=Handler()) as stream:
        stream.until_done()
    tell("events of calls", stream.seen)
    tell("streamed with calls", [stream.text, text(client.beta.threads.messages.list(thread.id).data[0])])
    tell("arguments streamed", stream.arguments)

    asked(thread.id, "The weather in Oslo?")
    names, run = [], None
    for event in runs.create(thread_id=thread.id, assistant_id=assistant.id, stream=True):
        names.append(event.event)
        run = event.data if event.event == "thread.run.requires_action" else run
    tell("raw events", [names[0], names[-1]])
    for event in runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=outputs(run), stream=True):
        names.append(event.event)
    tell("raw events at last", [names[-1], event.data.status])

    question = {"messages": [{"role": "user", "content": "Hi"}]}
    with client.beta.threads.create_and_run_stream(assistant_id=assistant.id, thread=question) as stream:
        tell("thread made along", ["".join(stream.text_deltas), stream.get_final_run().status])


def cancelled(assistant):
    runs = client.beta.threads.runs
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Answer slowly"}])
    with runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        for event in stream:
            if event.event == "thread.message.delta":
                run = runs.cancel(stream.current_run.id, thread_id=thread.id)
        tell("cancelled", [run.status in ("cancelled", "cancelling"), stream.get_final_run().status])
    tell("cancelled twice", refused(lambda: runs.cancel(run.id, thread_id=thread.id))[:3])
    asked(thread.id, "Hello again")
    run = runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    tell("free again", [run.status, text(newest(run))])


def files(assistant):
    made = client.files.create(file=("notes.txt", b"Some notes."), purpose="assistants")
    tell("file", [made.object, made.filename, made.bytes, made.purpose, made.status])
    tell("file processed", client.files.wait_for_processing(made.id).id == made.id)
    tell("files", [one.filename for one in client.files.list(purpose="assistants")])
    tell("content", client.files.content(made.id).read().decode())
    with client.files.with_streaming_response.content(made.id) as response:
        tell("content, streamed", b"".join(response.iter_bytes()).decode())
    picture = client.files.create(file=("dot.png", io.BytesIO(PNG)), purpose="vision")
    thread = client.beta.threads.create(
        messages=[
            {
                "role": "user",
                "content": [{"type": "image_file", "image_file": {"file_id": picture.id}}],
                "attachments": [{"file_id": made.id, "tools": [{"type": "code_interpreter"}]}],
            }
        ]
    )
    [message] = client.beta.threads.messages.list(thread.id).data
    tell("attachments", [one.file_id == made.id for one in message.attachments])
    tell("files of thread", thread.tool_resources.code_interpreter.file_ids == [made.id])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id, tools=[])
    tell("picture seen", text(newest(run)))
    tell("file deleted", client.files.delete(made.id).deleted)
    tell("file gone", refused(lambda: client.files.retrieve(made.id))[:2])


def uploads():
    data = b"0123456789" * 10
    upload = client.uploads.create(bytes=100, filename="ten.txt", mime_type="text/plain", purpose="assistants")
    parts = [client.uploads.parts.create(upload.id, data=data[start : start + 40]) for start in (0, 40, 80)]
    md5 = hashlib.md5(data).hexdigest()
    done = client.uploads.complete(upload.id, part_ids=[part.id for part in parts], md5=md5)
    tell("upload", [upload.status, done.status, done.file.filename, done.file.bytes])
    tell("upload content", client.files.content(done.file.id).read() == data)
    other = client.uploads.create(bytes=100, filename="ten.txt", mime_type="text/plain", purpose="assistants")
    tell("upload cancelled", client.uploads.cancel(other.id).status)
    if hasattr(client.uploads, "upload_file_chunked"):
        done = client.uploads.upload_file_chunked(
            file=data, filename="all.txt", bytes=100, mime_type="text/plain", purpose="assistants", part_size=30
        )
        tell("upload in chunks", [done.status, client.files.content(done.file.id).read() == data])


def vector_stores(assistant):
    stores = getattr(client, "vector_stores", None) or client.beta.vector_stores  # moved meanwhile
    store = stores.create(
        name="Notes", metadata={"kind": "notes"}, expires_after={"anchor": "last_active_at", "days": 7}
    )
    tell("store", [store.object, store.name, store.metadata, store.file_counts.total, store.expires_after.days])
    one = stores.files.upload_and_poll(vector_store_id=store.id, file=("seoul.txt", b"Seoul is warm in summer."))
    tell("store file", [one.status, one.vector_store_id == store.id, one.last_error])
    texts = {"oslo.md": b"# Oslo\n\nOslo is cold in winter.", "paris.txt": b"Paris is grey in November."}
    batch = stores.file_batches.upload_and_poll(vector_store_id=store.id, files=list(texts.items()))
    tell("batch", [batch.status, batch.file_counts.completed, batch.file_counts.total])
    tell("batch files", len(list(stores.file_batches.list_files(batch.id, vector_store_id=store.id, limit=1))))
    files = [client.files.create(file=("more.txt", b"More notes."), purpose="assistants").id for _ in range(2)]
    chunks = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 50}}
    cut = {"chunking_strategy": chunks}  # younger than the first of these clients
    two = stores.files.create(store.id, file_id=files[0], extra_body=cut)
    two = stores.files.poll(two.id, vector_store_id=store.id)
    tell("store file from before", [two.status, two.model_dump()["chunking_strategy"] == chunks])
    batch = stores.file_batches.create_and_poll(vector_store_id=store.id, file_ids=files)
    tell("batch from before", [batch.status, batch.file_counts.completed])
    listed = stores.files.list(store.id, limit=2, order="asc", filter="completed")
    tell("store files", [len(listed.data), len(list(listed))])
    store = stores.retrieve(store.id)
    tell("store read", [store.status, store.file_counts.completed, store.usage_bytes > 0])
    if hasattr(stores, "search"):
        found = stores.search(store.id, query="Where is it cold in winter?", max_num_results=1).data
        tell("found", [found[0].filename, found[0].content[0].text.splitlines()[-1], 0 < found[0].score <= 1])
        stores.files.update(one.id, vector_store_id=store.id, attributes={"country": "Korea"})
        where = {"type": "eq", "key": "country", "value": "Korea"}
        tell("found by attribute", [one.filename for one in stores.search(store.id, query="warm", filters=where)])
        tell("file content", [one.text for one in stores.files.content(one.id, vector_store_id=store.id)])
    tell("store changed", stores.update(store.id, name="Cities").name)
    tell("stores", [one.name for one in stores.list()])

    resources = {"file_search": {"vector_store_ids": [store.id]}}
    searching = {"tools": [{"type": "file_search"}], "tool_resources": resources}
    changed = client.beta.assistants.update(assistant.id, **searching)
    tell("store of assistant", changed.tool_resources.file_search.vector_store_ids == [store.id])
    attached = {
        "role": "user",
        "content": "See this",
        "attachments": [{"file_id": files[0], "tools": searching["tools"]}],
    }
    thread = client.beta.threads.create(messages=[attached])
    [made] = thread.tool_resources.file_search.vector_store_ids
    tell("store of thread", [one.id == files[0] for one in stores.files.list(made)])
    question = {"messages": [{"role": "user", "content": "Search where it is cold in winter"}]}
    run = client.beta.threads.create_and_run_poll(assistant_id=assistant.id, thread=question)
    [cited] = newest(run).content[0].text.annotations
    tell("searched", [run.status, text(newest(run)).replace(cited.text, "[1]")])
    tell("cited", [client.files.retrieve(cited.file_citation.file_id).filename, cited.file_citation.quote.strip()])
    step = list(client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id))[-1]
    tell("search in steps", [step.type, [call.type for call in step.step_details.tool_calls]])
    if hasattr(stores, "search"):
        include = ["step_details.tool_calls[*].file_search.results[*].content"]
        step = client.beta.threads.runs.steps.retrieve(step.id, thread_id=run.thread_id, run_id=run.id, include=include)
        [call] = step.step_details.tool_calls
        best = call.file_search.results[0]
        tell("results in steps", [best.file_name, best.content[0].text.splitlines()[-1]])
    with client.beta.threads.create_and_run_stream(assistant_id=assistant.id, thread=question) as stream:
        said = "".join(stream.text_deltas)
    [message] = stream.get_final_messages()
    tell("searched, streamed", [said == text(message), len(message.content[0].text.annotations)])
    tell("store file deleted", stores.files.delete(one.id, vector_store_id=store.id).deleted)
    tell("store deleted", stores.delete(store.id).deleted)
    changed = client.beta.assistants.retrieve(assistant.id)
    tell("store of assistant, deleted", changed.tool_resources.file_search.vector_store_ids)
    run = client.beta.threads.create_and_run_poll(assistant_id=assistant.id, thread=question)
    tell("searched without a store", [run.status, text(newest(run))])
    tell("store gone", refused(lambda: stores.retrieve(store.id))[:2])


def errors(assistant):
    tell("no such assistant", refused(lambda: client.beta.assistants.retrieve("asst_none")))
    tell("no such thread", refused(lambda: client.beta.threads.retrieve("thread_none")))
    tell("wrong value", refused(lambda: client.beta.assistants.create(model="m", temperature=5)))
    tell("unknown field", refused(lambda: client.beta.threads.create(extra_body={"colour": "red"})))
    tell("metadata too long", refused(lambda: client.beta.threads.create(metadata={"k": "x" * 513})))
    raw = client.beta.threads.with_raw_response.create()
    tell("headers", [raw.headers["openai-version"], raw.headers["x-request-id"][:4], raw.parse().object])
    tell("models", [model.id for model in client.models.list()])
    tell("assistant deleted", client.beta.assistants.delete(assistant.id).deleted)


threads()
assistant = assistants()
polled(assistant)
streamed(assistant)
cancelled(assistant)
files(assistant)
if hasattr(client, "uploads"):
    uploads()
vector_stores(assistant)
errors(assistant)
