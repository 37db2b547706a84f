"""The API's operations in one table, and what each does."""

from __future__ import annotations

from typing import Any, Final

from toolkit.engine.jsontext import dump
from toolkit.engine.objects import assistants, files, messages, runs, settings, steps, threads, uploads
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.runs import Run
from toolkit.engine.states import MOVING
from toolkit.errors import Refused
from toolkit.server.call import SOONEST_MS, Call, Route, poll_after_ms
from toolkit.server.downloads import download
from toolkit.server.multipart import Form
from toolkit.server.v1.version import refused
from toolkit.server.vector_stores import VECTOR_STORES
from toolkit.server.wire import Answer, Download, Stream, includes_contents, parse_query

__all__ = ["ROUTES"]

_HELD_S: Final = 0.25

# Assistants


async def create_assistant(call: Call, body: assistants.CreateAssistant) -> Answer:
    return await call.index(lambda tx: assistants.create(tx, call.project, body, call.now))


async def get_assistant(call: Call, _: None) -> Answer:
    return await call.read(lambda tx: assistants.get(tx, call.project, call["assistant_id"]))


async def modify_assistant(call: Call, body: assistants.ModifyAssistant) -> Answer:
    return await call.write(lambda tx: assistants.modify(tx, call.project, call["assistant_id"], body, call.now))


async def list_assistants(call: Call, _: None) -> Answer:
    query = parse_query(PageQuery, call.query)
    return await call.read(lambda tx: assistants.list_(tx, call.project, query))


async def delete_assistant(call: Call, _: None) -> Answer:
    return await call.write(lambda tx: assistants.delete(tx, call.project, call["assistant_id"]))


# Threads


async def create_thread(call: Call, body: threads.CreateThread) -> Answer:
    return await call.index(lambda tx: threads.create(tx, call.project, body, call.now))


async def get_thread(call: Call, _: None) -> Answer:
    return await call.read(lambda tx: threads.get(tx, call.project, call["thread_id"]))


async def modify_thread(call: Call, body: threads.ModifyThread) -> Answer:
    return await call.write(lambda tx: threads.modify(tx, call.project, call["thread_id"], body, call.now))


async def list_threads(call: Call, _: None) -> Answer:
    query = parse_query(PageQuery, call.query)
    return await call.read(lambda tx: threads.list_(tx, call.project, query))


async def delete_thread(call: Call, _: None) -> Answer:
    return Answer(await call.rooms.execution.delete_thread(call.project, call["thread_id"], key=call.key))


# Messages


async def create_message(call: Call, body: messages.CreateMessage) -> Answer:
    write = call.index if body.attachments else call.write
    return await write(lambda tx: threads.append(tx, call.project, call["thread_id"], [body], call.now)[0])


async def get_message(call: Call, _: None) -> Answer:
    return await call.read(lambda tx: messages.get(tx, call.project, call["thread_id"], call["message_id"]))


async def modify_message(call: Call, body: messages.ModifyMessage) -> Answer:
    return await call.write(lambda tx: messages.modify(tx, call.project, call["thread_id"], call["message_id"], body))


async def list_messages(call: Call, _: None) -> Answer:
    query = parse_query(messages.ListMessages, call.query)
    return await call.read(lambda tx: messages.list_(tx, call.project, call["thread_id"], query))


async def delete_message(call: Call, _: None) -> Answer:
    return await call.write(lambda tx: messages.delete(tx, call.project, call["thread_id"], call["message_id"]))


# Runs and their steps


async def create_run(call: Call, body: settings.CreateRun) -> Answer | Stream:
    contents, thread_id, streamed = includes_contents(call.query), call["thread_id"], bool(body.stream)
    create = call.rooms.execution.create_run
    text = await create(call.project, thread_id, body, key=call.key, streamed=streamed, contents=contents)
    return _leg(call, text, streamed)


async def create_thread_and_run(call: Call, body: settings.CreateThreadAndRun) -> Answer | Stream:
    streamed = bool(body.stream)
    text = await call.rooms.execution.create_thread_and_run(call.project, body, key=call.key, streamed=streamed)
    return _leg(call, text, streamed)


async def submit_tool_outputs(call: Call, body: runs.SubmitToolOutputs) -> Answer | Stream:
    thread_id, run_id, streamed = call["thread_id"], call["run_id"], bool(body.stream)
    submit = call.rooms.execution.submit
    text = await submit(call.project, thread_id, run_id, body, key=call.key, streamed=streamed)
    return _leg(call, text, streamed)


async def cancel_run(call: Call, _: None) -> Answer:
    return Answer(await call.rooms.execution.cancel(call.project, call["thread_id"], call["run_id"], key=call.key))


async def get_run(call: Call, _: None) -> Answer:
    hold_s = _HELD_S if call.helper else 0
    run = await call.rooms.execution.read_run(call.project, call["thread_id"], call["run_id"], hold_s=hold_s)
    return Answer(run.wire, poll_after_ms=_poll_after_ms(run, call.now))


async def modify_run(call: Call, body: runs.ModifyRun) -> Answer:
    return await call.write(lambda tx: runs.modify(tx, call.project, call["thread_id"], call["run_id"], body))


async def list_runs(call: Call, _: None) -> Answer:
    query = parse_query(PageQuery, call.query)
    return await call.read(lambda tx: runs.list_(tx, call.project, call["thread_id"], query))


async def get_step(call: Call, _: None) -> Answer:
    contents, of = includes_contents(call.query), (call.project, call["thread_id"], call["run_id"])
    return await call.read(lambda tx: steps.get(tx, *of, call["step_id"], contents=contents))


async def list_steps(call: Call, _: None) -> Answer:
    contents, of = includes_contents(call.query), (call.project, call["thread_id"], call["run_id"])
    query = parse_query(PageQuery, call.query)
    return await call.read(lambda tx: steps.list_(tx, *of, query, contents=contents))


def _leg(call: Call, text: str, streamed: bool) -> Answer | Stream:
    call.rooms.indexing.wake()  # its messages may have brought files along
    if streamed:
        return Stream(call.rooms.execution.listen(call.project, text))
    return Answer(text, poll_after_ms=SOONEST_MS)


def _poll_after_ms(run: Run, now: int) -> int | None:
    """Tell a waiting client when to look again: soon while the run is young, later as it grows older."""
    if run.status not in MOVING:
        return None
    return poll_after_ms(now - run.created_at)


# Files and uploads


async def create_file(call: Call, form: Form) -> Answer:
    async with call.rooms.filing.receive() as incoming:
        fields = await form.read("file", files.MOST_BYTES, incoming.write)
        body = fields.check(files.CreateFile, drop_unknown=call.rooms.unknown_fields == "warn")
        blob = await incoming.keep()
        return await call.of(dump(fields.texts), blob.sha256).write(
            lambda tx: files.create(
                tx,
                call.project,
                blob,
                call.now,
                filename=body.file,
                purpose=body.purpose,
                expires_after=body.expires_after,
            )
        )


async def get_file(call: Call, _: None) -> Answer:
    return await call.read(lambda tx: files.get(tx, call.project, call["file_id"], call.now))


async def list_files(call: Call, _: None) -> Answer:
    query = parse_query(files.ListFiles, call.query)
    return await call.read(lambda tx: files.list_(tx, call.project, query, call.now))


async def delete_file(call: Call, _: None) -> Answer:
    text = await call.rooms.filing.delete(call.project, call["file_id"], call.now)
    call.rooms.indexing.wake()  # vector stores may have had it
    return Answer(text)


async def get_file_content(call: Call, _: None) -> Download:
    file, opened = await call.rooms.filing.open(call.project, call["file_id"], call.now)
    try:
        return download(file, opened, call.headers)
    except Refused:
        await opened.close()
        raise


async def create_upload(call: Call, body: uploads.CreateUpload) -> Answer:
    return await call.write(lambda tx: uploads.create(tx, call.project, body, call.now))


async def add_upload_part(call: Call, form: Form) -> Answer:
    async with call.rooms.filing.receive() as incoming:
        fields = await form.read("data", uploads.MOST_PART_BYTES, incoming.write)
        fields.check(uploads.AddPart, drop_unknown=call.rooms.unknown_fields == "warn")
        blob = await incoming.keep()
        return await call.of(blob.sha256).write(
            lambda tx: uploads.add_part(tx, call.project, call["upload_id"], blob, call.now)
        )


async def complete_upload(call: Call, body: uploads.CompleteUpload) -> Answer:
    complete = call.rooms.filing.complete
    return Answer(await complete(call.project, call["upload_id"], body, call.now, call.key))


async def cancel_upload(call: Call, _: None) -> Answer:
    return Answer(await call.rooms.filing.cancel(call.project, call["upload_id"], call.now, call.key))


# Models


async def list_models(call: Call, _: None) -> Answer:
    data = [_model(name) for name in await call.rooms.models.names()]
    return Answer(dump({"object": "list", "data": data}))


async def get_model(call: Call, _: None) -> Answer:
    name = call["model"]
    if name not in await call.rooms.models.names():
        raise Refused(f"The model '{name}' does not exist.", status=404, param="model", code="model_not_found")
    return Answer(dump(_model(name)))


async def delete_model(call: Call, _: None) -> Answer:
    raise Refused("Models are what the model endpoint offers; they cannot be deleted here.", param="model")


async def refuse_v1(call: Call, _: None) -> Answer:
    raise refused("Requests with the header 'OpenAI-Beta: assistants=v1' may ask for the files that are attached.")


def _model(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "toolkit" if name == "offline" else "model-endpoint",
    }


_RUN: Final = "threads/{thread_id}/runs/{run_id}"
_MESSAGE: Final = "threads/{thread_id}/messages/{message_id}"
_OF_V1: Final = (
    "assistants/{assistant_id}/files",
    "assistants/{assistant_id}/files/{file_id}",
    f"{_MESSAGE}/files",
    f"{_MESSAGE}/files/{{file_id}}",
)

ROUTES: Final = (
    Route("POST", "assistants", create_assistant, assistants.CreateAssistant),
    Route("GET", "assistants", list_assistants),
    Route("GET", "assistants/{assistant_id}", get_assistant),
    Route("POST", "assistants/{assistant_id}", modify_assistant, assistants.ModifyAssistant),
    Route("DELETE", "assistants/{assistant_id}", delete_assistant),
    Route("POST", "threads", create_thread, threads.CreateThread),
    Route("GET", "threads", list_threads),
    Route("POST", "threads/runs", create_thread_and_run, settings.CreateThreadAndRun),
    Route("GET", "threads/{thread_id}", get_thread),
    Route("POST", "threads/{thread_id}", modify_thread, threads.ModifyThread),
    Route("DELETE", "threads/{thread_id}", delete_thread),
    Route("POST", "threads/{thread_id}/messages", create_message, messages.CreateMessage),
    Route("GET", "threads/{thread_id}/messages", list_messages),
    Route("GET", _MESSAGE, get_message),
    Route("POST", _MESSAGE, modify_message, messages.ModifyMessage),
    Route("DELETE", _MESSAGE, delete_message),
    Route("POST", "threads/{thread_id}/runs", create_run, settings.CreateRun),
    Route("GET", "threads/{thread_id}/runs", list_runs),
    Route("GET", _RUN, get_run),
    Route("POST", _RUN, modify_run, runs.ModifyRun),
    Route("POST", f"{_RUN}/submit_tool_outputs", submit_tool_outputs, runs.SubmitToolOutputs),
    Route("POST", f"{_RUN}/cancel", cancel_run),
    Route("GET", f"{_RUN}/steps", list_steps),
    Route("GET", f"{_RUN}/steps/{{step_id}}", get_step),
    Route("POST", "files", create_file, form=True),
    Route("GET", "files", list_files),
    Route("GET", "files/{file_id}", get_file),
    Route("DELETE", "files/{file_id}", delete_file),
    Route("GET", "files/{file_id}/content", get_file_content),
    Route("POST", "uploads", create_upload, uploads.CreateUpload),
    Route("POST", "uploads/{upload_id}/parts", add_upload_part, form=True),
    Route("POST", "uploads/{upload_id}/complete", complete_upload, uploads.CompleteUpload),
    Route("POST", "uploads/{upload_id}/cancel", cancel_upload),
    *VECTOR_STORES,
    Route("GET", "models", list_models),
    Route("GET", "models/{model}", get_model),
    Route("DELETE", "models/{model}", delete_model),
    *(Route(method, path, refuse_v1) for path in _OF_V1 for method in ("GET", "POST", "DELETE")),
)
