"""litellm's assistants: blocking, awaited and streamed."""

import asyncio
import json

import litellm


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


made = litellm.create_assistants(
    custom_llm_provider="openai", model="gpt-4o", name="Plain", instructions="Be brief.", tools=[]
)
tell("made", [made.name, made.model])
tell("assistants", [one.name for one in litellm.get_assistants(custom_llm_provider="openai", limit=5).data])
thread = litellm.create_thread(custom_llm_provider="openai", messages=[{"role": "user", "content": "Hello"}])
litellm.add_message(custom_llm_provider="openai", thread_id=thread.id, role="user", content="Hello there")
run = litellm.run_thread(custom_llm_provider="openai", thread_id=thread.id, assistant_id=made.id)
tell("run", run.status)
messages = litellm.get_messages(custom_llm_provider="openai", thread_id=thread.id)
tell("messages", [one.content[0].text.value for one in messages.data])
litellm.add_message(custom_llm_provider="openai", thread_id=thread.id, role="user", content="Hello again")
with litellm.run_thread_stream(custom_llm_provider="openai", thread_id=thread.id, assistant_id=made.id) as stream:
    tell("streamed", "".join(stream.text_deltas))


async def awaited():
    thread = await litellm.acreate_thread(custom_llm_provider="openai", messages=[{"role": "user", "content": "Hi"}])
    found = await litellm.aget_thread(custom_llm_provider="openai", thread_id=thread.id)
    run = await litellm.arun_thread(custom_llm_provider="openai", thread_id=found.id, assistant_id=made.id)
    messages = await litellm.aget_messages(custom_llm_provider="openai", thread_id=thread.id)
    tell("awaited", [run.status, messages.data[0].content[0].text.value])
    deleted = await litellm.adelete_assistant(custom_llm_provider="openai", assistant_id=made.id)
    tell("deleted", deleted.deleted)


asyncio.run(awaited())
