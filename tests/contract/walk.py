"""A walk over all operations by the official client, each with every field and parameter that it takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeAlias

from tests.contract.talk import Talk

__all__ = ["Walk", "walk"]

Call: TypeAlias = Callable[[], Any]
Walk: TypeAlias = Generator[tuple[str, Call], Any, None]
"""Yields an operationId and how to call it, and is sent what came of it."""

PAGE: dict[str, Any] = {"limit": 5, "order": "desc"}
INCLUDE: list[Any] = ["step_details.tool_calls[*].file_search.results[*].content"]
FUNCTION: dict[str, Any] = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Tells the weather.", "parameters": {"type": "object"}},
}
SETTINGS: dict[str, Any] = {
    "instructions": "Be brief.",
    "metadata": {"key": "value"},
    "temperature": 0.5,
    "top_p": 0.25,
    "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
}
OF_ASSISTANT: dict[str, Any] = {
    **SETTINGS,
    "model": "m",
    "name": "Weather",
    "description": "Tells the weather.",
    "tools": [FUNCTION],
    "tool_resources": {"code_interpreter": {"file_ids": []}},
    "reasoning_effort": "low",
}
OF_RUN: dict[str, Any] = {
    **SETTINGS,
    "model": "m",
    "tools": [FUNCTION],
    "max_prompt_tokens": 10_000,
    "max_completion_tokens": 10_000,
    "truncation_strategy": {"type": "last_messages", "last_messages": 3},
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "stream": False,
}


def walk(talk: Talk) -> Walk:
    """Go through all operations; the model's first answer is a call of FUNCTION."""
    yield from _assistants(talk)
    yield from _messages(talk)
    yield from _runs(talk)
    yield from _files(talk)
    yield from _uploads(talk)
    yield from _models(talk)
    yield from _vector_stores(talk)


def _assistants(talk: Talk) -> Walk:
    assistants = talk.beta.assistants
    made = yield "createAssistant", partial(assistants.create, **OF_ASSISTANT)
    yield "getAssistant", partial(assistants.retrieve, made.id)
    yield "modifyAssistant", partial(assistants.update, made.id, **OF_ASSISTANT)
    other = assistants.create(model="m")
    yield "listAssistants", partial(assistants.list, **PAGE, after=other.id, before=made.id)
    yield "deleteAssistant", partial(assistants.delete, other.id)


def _messages(talk: Talk) -> Walk:
    threads = talk.threads
    message: dict[str, Any] = {"role": "user", "content": "hello", "attachments": [], "metadata": {"key": "value"}}
    more: dict[str, Any] = {"metadata": {"key": "value"}, "tool_resources": {"code_interpreter": {"file_ids": []}}}
    thread = yield "createThread", partial(threads.create, messages=[message], **more)
    yield "getThread", partial(threads.retrieve, thread.id)
    yield "modifyThread", partial(threads.update, thread.id, **more)
    first = yield "createMessage", partial(threads.messages.create, thread.id, **message)
    last = threads.messages.create(thread.id, **message)
    place: dict[str, Any] = {"thread_id": thread.id}
    yield "getMessage", partial(threads.messages.retrieve, first.id, **place)
    yield "modifyMessage", partial(threads.messages.update, first.id, **place, metadata={"other": "value"})
    cursors = {"after": last.id, "before": first.id}
    yield "listMessages", partial(threads.messages.list, **place, **PAGE, **cursors, run_id="run_x")
    yield "deleteMessage", partial(threads.messages.delete, last.id, **place)
    yield "deleteThread", partial(threads.delete, thread.id)


def _runs(talk: Talk) -> Walk:
    runs, more = talk.runs, {"additional_instructions": "And kind.", "reasoning_effort": "low"}
    asked: dict[str, Any] = {"assistant_id": talk.assistant_id, "include": INCLUDE, **OF_RUN, **more}
    asked["additional_messages"] = [{"role": "user", "content": "and?"}]
    asked["extra_body"] = {"tool_resources": {}}  # of which the SDK does not know
    run = yield "createRun", partial(runs.create, talk.thread_id, **asked)
    place: dict[str, Any] = {"thread_id": run.thread_id}
    assert talk.wait(run).status == "requires_action"
    yield "getRun", partial(runs.retrieve, run.id, **place)
    yield "modifyRun", partial(runs.update, run.id, **place, metadata={"other": "value"})
    outputs: dict[str, Any] = {"tool_outputs": [{"tool_call_id": "call_a", "output": "sunny"}], "stream": False}
    yield "submitToolOuputsToRun", partial(runs.submit_tool_outputs, run.id, **place, **outputs)
    assert talk.wait(run).status == "completed"
    of_run: dict[str, Any] = {**place, "run_id": run.id, "include": INCLUDE}
    last, first = runs.steps.list(**of_run).data
    yield "listRunSteps", partial(runs.steps.list, **of_run, **PAGE, after=last.id, before=first.id)
    yield "getRunStep", partial(runs.steps.retrieve, last.id, **of_run)
    other = talk.wait(talk.create())
    assert other.status == "requires_action"
    yield "listRuns", partial(runs.list, **place, **PAGE, after=other.id, before=run.id)
    yield "cancelRun", partial(runs.cancel, other.id, **place)
    thread: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
    made = partial(talk.threads.create_and_run, assistant_id=talk.assistant_id, thread=thread, **OF_RUN)
    yield "createThreadAndRun", partial(made, tool_resources={})


def _files(talk: Talk) -> Walk:
    files = talk.client.files
    after: dict[str, Any] = {"anchor": "created_at", "seconds": 3600}
    made = yield (
        "createFile",
        partial(files.create, file=("a.txt", b"content"), purpose="user_data", expires_after=after),
    )
    yield "retrieveFile", partial(files.retrieve, made.id)
    yield "downloadFile", partial(files.content, made.id)
    yield "listFiles", partial(files.list, **PAGE, after=made.id, purpose="user_data")
    yield "deleteFile", partial(files.delete, made.id)


def _uploads(talk: Talk) -> Walk:
    uploads = talk.client.uploads
    after: dict[str, Any] = {"anchor": "created_at", "seconds": 3600}
    asked: dict[str, Any] = {"filename": "a.txt", "mime_type": "text/plain", "purpose": "vision", "bytes": 7}
    upload = yield "createUpload", partial(uploads.create, **asked, expires_after=after)
    part = yield "addUploadPart", partial(uploads.parts.create, upload.id, data=b"content")
    digest = hashlib.md5(b"content").hexdigest()
    yield "completeUpload", partial(uploads.complete, upload.id, part_ids=[part.id], md5=digest)
    yield "cancelUpload", partial(uploads.cancel, uploads.create(**asked).id)


def _models(talk: Talk) -> Walk:
    models = talk.client.models
    yield "listModels", models.list
    yield "retrieveModel", partial(models.retrieve, "offline")
    yield "deleteModel", partial(models.delete, "offline")


def _vector_stores(talk: Talk) -> Walk:
    stores, files = talk.client.vector_stores, talk.client.files
    named = [files.create(file=(f"{number}.txt", b"a word"), purpose="assistants").id for number in range(4)]
    after: dict[str, Any] = {"anchor": "last_active_at", "days": 7}
    static: dict[str, Any] = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
    chunked: dict[str, Any] = {"chunking_strategy": {"type": "static", "static": static}}
    settings: dict[str, Any] = {"name": "Words", "expires_after": after, "metadata": {"key": "value"}}
    asked = partial(stores.create, **settings, **chunked, description="Words.", file_ids=named[:1])
    store = yield "createVectorStore", asked
    yield "getVectorStore", partial(stores.retrieve, store.id)
    yield "modifyVectorStore", partial(stores.update, store.id, **settings)
    other = stores.create()
    yield "listVectorStores", partial(stores.list, **PAGE, after=other.id, before=store.id)
    yield "deleteVectorStore", partial(stores.delete, other.id)

    place: dict[str, Any] = {"vector_store_id": store.id}
    attributes: dict[str, Any] = {"attributes": {"key": "value", "number": 1, "true": True}}
    added = partial(stores.files.create, **place, file_id=named[1], **attributes, **chunked)
    file = yield "createVectorStoreFile", added
    stores.files.poll(file.id, **place)
    yield "getVectorStoreFile", partial(stores.files.retrieve, file.id, **place)
    yield "updateVectorStoreFileAttributes", partial(stores.files.update, file.id, **place, **attributes)
    page = {**PAGE, "filter": "completed"}
    cursors = {"after": named[1], "before": named[0]}
    yield "listVectorStoreFiles", partial(stores.files.list, **place, **page, **cursors)
    yield "retrieveVectorStoreFileContent", partial(stores.files.content, file.id, **place)
    searched = {"rewrite_query": False, "max_num_results": 5, "ranking_options": {"ranker": "auto"}}
    filters: dict[str, Any] = {"type": "eq", "key": "key", "value": "value"}
    yield "searchVectorStore", partial(stores.search, store.id, query="word", filters=filters, **searched)
    yield "deleteVectorStoreFile", partial(stores.files.delete, file.id, **place)

    batches = stores.file_batches
    listed = partial(batches.create, **place, files=[{"file_id": named[2], **attributes, **chunked}])
    yield "createVectorStoreFileBatch", listed
    batch = yield (
        "createVectorStoreFileBatch",
        partial(batches.create, **place, file_ids=named, **attributes, **chunked),
    )
    yield "getVectorStoreFileBatch", partial(batches.retrieve, batch.id, **place)
    cursors = {"after": named[3], "before": named[0]}
    yield "listFilesInVectorStoreBatch", partial(batches.list_files, batch.id, **place, **page, **cursors)
    large = files.create(file=("large.txt", b"many words " * 200_000), purpose="assistants").id  # takes its time
    batch = batches.create(**place, file_ids=[large])
    yield "cancelVectorStoreFileBatch", partial(batches.cancel, batch.id, **place)
