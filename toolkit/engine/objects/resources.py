"""What tools work on: `tool_resources` of assistants and threads, `attachments` and image files of messages.

A file or vector store that is named must be there, in the same project. What has files in its code_interpreter list,
or a vector store, is noted (tables `file_use` and `store_use`), so that what is deleted leaves those lists. Vector
stores that are made along the way, for a new assistant or thread or for a message's attachments, are ordinary ones;
those of threads expire after 7 days without use, as the API's guide says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.jsontext import dump
from toolkit.engine.objects import references, store_files, vector_stores
from toolkit.engine.objects.fields import GIVEN, SHAPE, CodeInterpreterTool, Metadata, by_type, given
from toolkit.engine.objects.store_files import ChunkingStrategy, CreateStoreFile
from toolkit.engine.store import Tx
from toolkit.errors import Refused

__all__ = [
    "Attached",
    "Attachments",
    "NewToolResources",
    "ToolResources",
    "attach",
    "attached",
    "delete_store",
    "forget_file",
    "image",
    "let_go",
    "named",
    "stored",
]

_MOST_FILES: Final = 20
_MOST_SEARCHED: Final = 10_000
"""Files that a vector store may be made with, along with its assistant or thread."""
_THREAD_DAYS: Final = 7
"""How long a vector store that was made for a thread is kept without use."""
_SEEN_AS: Final = ("vision", "assistants", "user_data", "assistants_output")
"""The purposes of files that may be shown as images."""


@with_config(SHAPE)
class _CodeInterpreter(TypedDict):
    file_ids: NotRequired[Annotated[list[str], Field(max_length=_MOST_FILES)] | None]


@with_config(SHAPE)
class _FileSearch(TypedDict):
    vector_store_ids: NotRequired[Annotated[list[str], Field(max_length=1)] | None]


@with_config(SHAPE)
class _NewVectorStore(TypedDict):
    file_ids: NotRequired[Annotated[list[str], Field(max_length=_MOST_SEARCHED)] | None]
    chunking_strategy: NotRequired[ChunkingStrategy | None]
    metadata: NotRequired[Metadata | None]


@with_config(SHAPE)
class _NewFileSearch(TypedDict):
    vector_store_ids: NotRequired[Annotated[list[str], Field(max_length=1)] | None]
    vector_stores: NotRequired[Annotated[list[Annotated[_NewVectorStore, GIVEN]], Field(max_length=1)] | None]


@with_config(SHAPE)
class ToolResources(TypedDict):
    """Resources by tool."""

    code_interpreter: NotRequired[Annotated[_CodeInterpreter, GIVEN] | None]
    file_search: NotRequired[Annotated[_FileSearch, GIVEN] | None]


@with_config(SHAPE)
class NewToolResources(TypedDict):
    """Resources by tool, at creation: vector stores may be created along."""

    code_interpreter: NotRequired[Annotated[_CodeInterpreter, GIVEN] | None]
    file_search: NotRequired[Annotated[_NewFileSearch, GIVEN] | None]


@with_config(SHAPE)
class _PlainFileSearch(TypedDict):
    type: Literal["file_search"]


@with_config(SHAPE)
class _Attachment(TypedDict):
    file_id: str
    tools: NotRequired[
        list[
            Annotated[
                Annotated[CodeInterpreterTool, Tag("#code_interpreter")]
                | Annotated[_PlainFileSearch, Tag("#file_search")],
                Discriminator(by_type),
            ]
        ]
        | None
    ]


Attachments = list[_Attachment]


def stored(
    tx: Tx,
    project: str,
    holder: str,
    resources: ToolResources | NewToolResources | None,
    now: int,
    *,
    had: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Give the resources of an assistant or thread as they are kept, and note that it has them. Raises Refused.

    A tool that is named without its list keeps the one that it `had`: agency-swarm updates what it finds again so.
    """
    kept = named(tx, project, resources, now)
    if "file_search" in kept:
        kept["file_search"] = _searched(tx, project, holder, kept["file_search"], now)
    kept = {tool: value or had.get(tool, {}) for tool, value in kept.items()}
    let_go(tx, holder)
    for file_id in kept.get("code_interpreter", {}).get("file_ids", ()):
        tx.run("file.use", file=file_id, holder=holder)
    for store_id in kept.get("file_search", {}).get("vector_store_ids", ()):
        tx.run("vector_store.use", store=store_id, holder=holder)
    return kept


def named(tx: Tx, project: str, resources: ToolResources | NewToolResources | None, now: int) -> dict[str, Any]:
    """Give the resources that were given, without nulls. Raises Refused when a file or store they name is not there."""
    kept = given(dict(resources or {}))
    for position, file_id in enumerate(kept.get("code_interpreter", {}).get("file_ids", ())):
        references.file(tx, project, file_id, now, f"tool_resources.code_interpreter.file_ids[{position}]")
    for position, store_id in enumerate(kept.get("file_search", {}).get("vector_store_ids", ())):
        references.vector_store(tx, project, store_id, f"tool_resources.file_search.vector_store_ids[{position}]")
    return kept


def _searched(tx: Tx, project: str, holder: str, search: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Give what file_search works on as it is kept, with the vector store that is to be made. Raises Refused."""
    place = "tool_resources.file_search"
    if "vector_stores" not in search:
        return dict(search)
    if search.get("vector_store_ids"):
        raise Refused("Give either 'vector_store_ids' or 'vector_stores', not both.", param=place, code="invalid_value")
    made: list[str] = []
    for position, store in enumerate(search["vector_stores"]):
        file_ids = store.get("file_ids") or ()
        for number, file_id in enumerate(file_ids):
            references.file(tx, project, file_id, now, f"{place}.vector_stores[{position}].file_ids[{number}]")
        made.append(
            vector_stores.new(
                tx,
                project,
                now,
                file_ids=file_ids,
                chunking=store.get("chunking_strategy"),
                days=_THREAD_DAYS if _is_thread(holder) else None,
                metadata=store.get("metadata"),
            )
        )
    return {"vector_store_ids": made}


def let_go(tx: Tx, holder: str) -> None:
    """Forget what an assistant or thread has: it is being deleted, or gets other things."""
    tx.run("file.uses_nothing", holder=holder)
    tx.run("vector_store.uses_nothing", holder=holder)


class Attached(NamedTuple):
    """The files that messages have brought along, by the tool they are for."""

    code: list[str]
    search: list[str]


def attach(tx: Tx, project: str, thread_id: str, resources: Mapping[str, Any], files: Attached, now: int) -> Any:
    """Give a thread's resources with the files of its messages, each once. Raises Refused for too many."""
    changed = dict(resources)
    if files.code:
        changed["code_interpreter"] = {"file_ids": _with_files(tx, thread_id, resources, files.code)}
    if files.search:
        changed["file_search"] = {"vector_store_ids": [_thread_store(tx, project, thread_id, resources, files, now)]}
    return changed


def _with_files(tx: Tx, thread_id: str, resources: Mapping[str, Any], file_ids: Sequence[str]) -> list[str]:
    old: Sequence[str] = resources.get("code_interpreter", {}).get("file_ids", ())
    listed = list(dict.fromkeys([*old, *file_ids]))
    if len(listed) > _MOST_FILES:
        raise Refused(
            f"Invalid 'attachments': too many files. A thread has at most {_MOST_FILES} files for code_interpreter, "
            f"and would have {len(listed)}.",
            param="attachments",
            code="array_above_max_length",
        )
    for file_id in file_ids:
        tx.run("file.use", file=file_id, holder=thread_id)
    return listed


def _thread_store(tx: Tx, project: str, thread_id: str, resources: Mapping[str, Any], files: Attached, now: int) -> str:
    """Put files into the thread's vector store, which is made if there is none; gives its id."""
    listed: Sequence[str] = resources.get("file_search", {}).get("vector_store_ids", ())
    if not listed:
        store_id = vector_stores.new(tx, project, now, file_ids=files.search, days=_THREAD_DAYS)
        tx.run("vector_store.use", store=store_id, holder=thread_id)
        return store_id
    store = references.live_store(tx, project, listed[0], now)
    store_files.add(tx, store, [CreateStoreFile.model_construct(file_id=file_id) for file_id in files.search], now)
    return listed[0]


def _is_thread(holder: str) -> bool:
    return holder.startswith("thread")


def forget_file(tx: Tx, project: str, file_id: str) -> None:
    """Take a file that is being deleted out of all vector stores, and out of all code_interpreter lists."""
    store_files.forget_file(tx, project, file_id)
    for use in tx.all("file.users", file=file_id):
        _take_out(tx, project, use["holder"], "code_interpreter", "file_ids", file_id)
    tx.run("file.no_user", file=file_id)


def delete_store(tx: Tx, project: str, store_id: str) -> str:
    """Delete a vector store, and take it out of the assistants and threads that have it. Raises Refused (404)."""
    text = vector_stores.remove(tx, project, store_id)
    for use in tx.all("vector_store.users", store=store_id):
        _take_out(tx, project, use["holder"], "file_search", "vector_store_ids", store_id)
    tx.run("vector_store.no_user", store=store_id)
    return text


def _take_out(tx: Tx, project: str, holder: str, tool: str, member: str, gone: str) -> None:
    noun = "thread" if _is_thread(holder) else "assistant"
    row = tx.one(f"{noun}.get", id=holder, project=project)
    if row is not None:
        body = json.loads(row["body"])
        resource = body["tool_resources"][tool]
        resource[member] = [listed for listed in resource[member] if listed != gone]
        tx.run(f"{noun}.save", id=holder, project=project, body=dump(body))


def attached(tx: Tx, project: str, attachments: Attachments, now: int) -> tuple[list[dict[str, Any]], Attached]:
    """Give attachments as they are kept, and the files among them by the tool they are for. Raises Refused."""
    kept: list[dict[str, Any]] = []
    files = Attached([], [])
    for position, attachment in enumerate(attachments):
        references.file(tx, project, attachment["file_id"], now, f"attachments[{position}].file_id")
        tools = attachment.get("tools") or []
        for tool in tools:
            (files.search if tool["type"] == "file_search" else files.code).append(attachment["file_id"])
        kept.append({"file_id": attachment["file_id"], "tools": tools})
    return kept, files


def image(tx: Tx, project: str, file_id: str, now: int, param: str) -> None:
    """Raise Refused unless a file may be shown as an image."""
    purpose = references.file(tx, project, file_id, now, param)["purpose"]
    if purpose not in _SEEN_AS:
        raise Refused(
            f"File {file_id} has purpose '{purpose}': an image file needs purpose 'vision'.",
            param=param,
            code="invalid_value",
        )
