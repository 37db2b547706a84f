"""The operations as API v1 has them: those of v2, asked and answered in the form of v1, and those on attached files."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, model_validator

from toolkit.engine.events import frame
from toolkit.engine.jsontext import dump
from toolkit.engine.objects import assistants, messages, references, settings, store_files, threads
from toolkit.engine.objects.fields import Request
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.store_files import CreateStoreFile
from toolkit.engine.store import Tx
from toolkit.errors import Refused
from toolkit.server import routes
from toolkit.server.call import Call, Reply, Route
from toolkit.server.v1 import asked
from toolkit.server.v1.shown import Object, assistant_files, file_ids_of, message_files, page, shown
from toolkit.server.wire import LARGE, Answer, Stream, parse_query

__all__ = ["ROUTES"]


# Bodies: they take requests of v1, and are of v2 when they have been read


class CreateAssistant(assistants.CreateAssistant):
    """The body of `POST /assistants`."""

    translated = model_validator(mode="before")(asked.assistant)


class ModifyAssistant(assistants.ModifyAssistant):
    """The body of `POST /assistants/{assistant_id}`; null clears. What its files become depends on the assistant."""

    file_ids: list[str] | None = None
    translated = model_validator(mode="before")(asked.tools)


class CreateThread(threads.CreateThread):
    """The body of `POST /threads`."""

    translated = model_validator(mode="before")(asked.thread)


class CreateMessage(messages.CreateMessage):
    """The body of `POST /threads/{thread_id}/messages`."""

    translated = model_validator(mode="before")(asked.message)


class CreateRun(settings.CreateRun):
    """The body of `POST /threads/{thread_id}/runs`."""

    translated = model_validator(mode="before")(asked.run)


class CreateThreadAndRun(settings.CreateThreadAndRun):
    """The body of `POST /threads/runs`."""

    translated = model_validator(mode="before")(asked.run)


class AttachFile(Request):
    """The body of `POST /assistants/{assistant_id}/files`."""

    file_id: str


# The files of assistants


async def modify_assistant(call: Call, body: ModifyAssistant) -> Answer:
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return await call.index(lambda tx: _modify(tx, call, given))


async def attach_file(call: Call, body: AttachFile) -> Answer:
    def work(tx: Tx) -> str:
        references.file(tx, call.project, body.file_id, call.now, "file_id")
        file_ids = [*file_ids_of(_assistant(tx, call)), body.file_id]
        assistant = json.loads(_modify(tx, call, {"file_ids": file_ids}))
        return dump(_one(assistant_files(assistant), body.file_id))

    return await call.index(work)


async def detach_file(call: Call, _: None) -> Answer:
    def work(tx: Tx) -> str:
        files = assistant_files(_assistant(tx, call))
        gone = _one(files, call["file_id"])
        _modify(tx, call, {"file_ids": [file["id"] for file in files if file is not gone]})
        return dump({"id": gone["id"], "object": "assistant.file.deleted", "deleted": True})

    return await call.index(work)


async def list_assistant_files(call: Call, _: None) -> Answer:
    query = parse_query(PageQuery, call.query)
    return await call.read(lambda tx: dump(page(assistant_files(_assistant(tx, call)), query)))


async def get_assistant_file(call: Call, _: None) -> Answer:
    return await call.read(lambda tx: dump(_one(assistant_files(_assistant(tx, call)), call["file_id"])))


def _assistant(tx: Tx, call: Call) -> Object:
    assistant: Object = json.loads(assistants.get(tx, call.project, call["assistant_id"]))
    return assistant


def _modify(tx: Tx, call: Call, given: Mapping[str, Any]) -> str:
    """Change what was given of an assistant, its files too. Raises Refused."""
    assistant = _assistant(tx, call)
    rest = {name: value for name, value in given.items() if name != "file_ids"}
    file_ids = given["file_ids"] or () if "file_ids" in given else file_ids_of(assistant)
    if "file_ids" in given or (file_ids and "tool_resources" not in given):
        change = asked.changed(assistant, rest, file_ids)
        rest["tool_resources"] = change.tool_resources
        _keep_in_step(tx, call, change)
    request = assistants.ModifyAssistant.model_construct(**rest)
    return assistants.modify(tx, call.project, call["assistant_id"], request, call.now)


def _keep_in_step(tx: Tx, call: Call, change: asked.Change) -> None:
    """Let an assistant's vector store get and lose the files that its assistant does. Raises Refused."""
    if change.store_id is None:
        return
    for file_id in change.added:
        request = CreateStoreFile.model_construct(file_id=file_id)
        store_files.create(tx, call.project, change.store_id, request, call.now)
    for file_id in change.removed:
        with contextlib.suppress(Refused):  # it may never have been there
            store_files.delete(tx, call.project, change.store_id, file_id)


async def create_run(call: Call, body: settings.CreateRun) -> Reply:
    await _make_searchable(call, body)
    return await routes.create_run(call, body)


async def create_thread_and_run(call: Call, body: settings.CreateThreadAndRun) -> Reply:
    await _make_searchable(call, body)
    return await routes.create_thread_and_run(call, body)


async def _make_searchable(call: Call, body: settings.CreateRun | settings.CreateThreadAndRun) -> None:
    """Let a run that brings file_search along find the files of its assistant, which may lack the tool. Raises Refused.

    That their vector store is made in a transaction of its own does no harm: it is what the assistant should have.
    """
    tools = body.tools or ()

    def work(tx: Tx) -> None:
        assistant = json.loads(assistants.get(tx, call.project, body.assistant_id))
        resources = asked.changed(assistant, {"tools": tools}, file_ids_of(assistant)).tool_resources
        if "vector_stores" in resources.get("file_search", {}):
            request = assistants.ModifyAssistant.model_construct(tool_resources=resources)
            assistants.modify(tx, call.project, body.assistant_id, request, call.now)

    if any(tool["type"] == "file_search" for tool in tools):
        await call.rooms.store.write(work)
        call.rooms.indexing.wake()


# The files of messages


async def list_message_files(call: Call, _: None) -> Answer:
    query = parse_query(PageQuery, call.query)
    return await call.read(lambda tx: dump(page(message_files(_message(tx, call)), query)))


async def get_message_file(call: Call, _: None) -> Answer:
    return await call.read(lambda tx: dump(_one(message_files(_message(tx, call)), call["file_id"])))


def _message(tx: Tx, call: Call) -> Object:
    message: Object = json.loads(messages.get(tx, call.project, call["thread_id"], call["message_id"]))
    return message


def _one(files: Sequence[Object], file_id: str) -> Object:
    for file in files:
        if file["id"] == file_id:
            return file
    raise Refused(f"No file found with id '{file_id}'.", status=404)


# The operations of v2, as v1 asks for them and sees what they answer


_BODIES: Final[Mapping[type[BaseModel] | None, type[BaseModel]]] = {
    assistants.CreateAssistant: CreateAssistant,
    threads.CreateThread: CreateThread,
    messages.CreateMessage: CreateMessage,
}


def _of_v1(route: Route) -> Route:
    async def answer(call: Call, body: Any) -> Reply:
        return await _told(await route.answer(call, body))

    return replace(route, body=_BODIES.get(route.body, route.body), answer=answer)


async def _told(reply: Reply) -> Reply:
    if isinstance(reply, Stream):
        return Stream(_told_events(reply.frames))
    if not isinstance(reply, Answer):
        return reply
    if len(reply.text) < LARGE:
        return replace(reply, text=_told_text(reply.text))
    return replace(reply, text=await asyncio.to_thread(_told_text, reply.text))


def _told_text(text: str) -> str:
    return dump(shown(json.loads(text)))


async def _told_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield b"".join(map(_told_event, chunk.split(b"\n\n")[:-1]))


def _told_event(block: bytes) -> bytes:
    """Translate an event. What a model says may come in halves of letters, so it is written in ASCII again."""
    event, _, data = block.partition(b"\ndata: ")
    if not data.startswith(b"{"):  # [DONE]
        return block + b"\n\n"
    return frame((event.removeprefix(b"event: ").decode(), json.dumps(shown(json.loads(data)), separators=(",", ":"))))


_FILES: Final = "assistants/{assistant_id}/files"
_MESSAGE_FILES: Final = "threads/{thread_id}/messages/{message_id}/files"

_OWN: Final = (
    Route("POST", "assistants/{assistant_id}", modify_assistant, ModifyAssistant),
    Route("POST", _FILES, attach_file, AttachFile),
    Route("GET", _FILES, list_assistant_files),
    Route("GET", f"{_FILES}/{{file_id}}", get_assistant_file),
    Route("DELETE", f"{_FILES}/{{file_id}}", detach_file),
    Route("POST", "threads/{thread_id}/runs", create_run, CreateRun),
    Route("POST", "threads/runs", create_thread_and_run, CreateThreadAndRun),
    Route("GET", _MESSAGE_FILES, list_message_files),
    Route("GET", f"{_MESSAGE_FILES}/{{file_id}}", get_message_file),
)

ROUTES: Final = tuple(map(_of_v1, {(route.method, route.path): route for route in (*routes.ROUTES, *_OWN)}.values()))
