"""What tools work on: `tool_resources` of assistants and threads, `attachments` and image files of messages.

A file that is named must be there, in the same project. What has files in its code_interpreter list is noted (table
`file_use`), so that a deleted file leaves those lists. There are no vector stores in this engine yet, so any id of one
names nothing, and that is said; empty lists are stored and returned as they were sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.jsontext import dump
from toolkit.engine.objects.fields import SHAPE, CodeInterpreterTool, Metadata, by_type
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = [
    "Attachments",
    "NewToolResources",
    "ToolResources",
    "attached",
    "forget_file",
    "image",
    "let_go",
    "no_such_file",
    "stored",
    "with_files",
]

_MOST_FILES: Final = 20
_SEEN_AS: Final = ("vision", "assistants", "user_data", "assistants_output")
"""The purposes of files that may be shown as images."""


@with_config(SHAPE)
class _CodeInterpreter(TypedDict):
    file_ids: NotRequired[Annotated[list[str], Field(max_length=_MOST_FILES)]]


@with_config(SHAPE)
class _FileSearch(TypedDict):
    vector_store_ids: NotRequired[Annotated[list[str], Field(max_length=1)]]


@with_config(SHAPE)
class _NewVectorStore(TypedDict):
    file_ids: NotRequired[list[str]]
    chunking_strategy: NotRequired[dict[str, Any]]
    metadata: NotRequired[Metadata | None]


@with_config(SHAPE)
class _NewFileSearch(TypedDict):
    vector_store_ids: NotRequired[Annotated[list[str], Field(max_length=1)]]
    vector_stores: NotRequired[Annotated[list[_NewVectorStore], Field(max_length=1)]]


@with_config(SHAPE)
class ToolResources(TypedDict):
    """Resources by tool."""

    code_interpreter: NotRequired[_CodeInterpreter | None]
    file_search: NotRequired[_FileSearch | None]


@with_config(SHAPE)
class NewToolResources(TypedDict):
    """Resources by tool, at creation: vector stores may be created along."""

    code_interpreter: NotRequired[_CodeInterpreter | None]
    file_search: NotRequired[_NewFileSearch | None]


@with_config(SHAPE)
class _PlainFileSearch(TypedDict):
    type: Literal["file_search"]


@with_config(SHAPE)
class _Attachment(TypedDict):
    file_id: NotRequired[str]
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
    tx: Tx, project: str, holder: str, resources: ToolResources | NewToolResources | None, now: int
) -> dict[str, Any]:
    """Give the resources of an assistant or thread as they are kept, and note that it has them. Raises Refused."""
    kept: dict[str, Any] = {tool: value for tool, value in (resources or {}).items() if value is not None}
    file_ids: Sequence[str] = kept.get("code_interpreter", {}).get("file_ids", ())
    for position, file_id in enumerate(file_ids):
        _file(tx, project, file_id, now, f"tool_resources.code_interpreter.file_ids[{position}]")
    _search(kept.get("file_search", {}))
    let_go(tx, holder)
    for file_id in file_ids:
        tx.run("file.use", file=file_id, holder=holder)
    return kept


def let_go(tx: Tx, holder: str) -> None:
    """Forget which files an assistant or thread has: it is being deleted, or gets others."""
    tx.run("file.uses_nothing", holder=holder)


def with_files(tx: Tx, resources: Mapping[str, Any], holder: str, file_ids: Sequence[str]) -> dict[str, Any]:
    """Give a thread's resources with more files for code_interpreter, each once. Raises Refused for too many."""
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
        tx.run("file.use", file=file_id, holder=holder)
    return {**resources, "code_interpreter": {"file_ids": listed}}


def forget_file(tx: Tx, project: str, file_id: str) -> None:
    """Take a file that is being deleted out of the code_interpreter lists of assistants and threads."""
    for use in tx.all("file.users", file=file_id):
        noun = "thread" if use["holder"].startswith("thread") else "assistant"
        row = tx.one(f"{noun}.get", id=use["holder"], project=project)
        if row is not None:
            holder = json.loads(row["body"])
            tool = holder["tool_resources"]["code_interpreter"]
            tool["file_ids"] = [listed for listed in tool["file_ids"] if listed != file_id]
            tx.run(f"{noun}.save", id=use["holder"], project=project, body=dump(holder))
    tx.run("file.no_user", file=file_id)


def attached(tx: Tx, project: str, attachments: Attachments, now: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Give attachments as they are kept, and the files among them that are for code_interpreter. Raises Refused."""
    kept: list[dict[str, Any]] = []
    for_code: list[str] = []
    for position, attachment in enumerate(attachments):
        param = f"attachments[{position}].file_id"
        if "file_id" not in attachment:
            raise Refused(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
        _file(tx, project, attachment["file_id"], now, param)
        tools = attachment.get("tools") or []
        for place, tool in enumerate(tools):
            if tool["type"] == "file_search":
                raise Refused(
                    "This engine has no vector stores yet, so no file can be attached for file_search.",
                    param=f"attachments[{position}].tools[{place}]",
                    code="unsupported_parameter",
                )
        if tools:
            for_code.append(attachment["file_id"])
        kept.append({"file_id": attachment["file_id"], "tools": tools})
    return kept, for_code


def image(tx: Tx, project: str, file_id: str, now: int, param: str) -> None:
    """Raise Refused unless a file may be shown as an image."""
    purpose = _file(tx, project, file_id, now, param)["purpose"]
    if purpose not in _SEEN_AS:
        raise Refused(
            f"File {file_id} has purpose '{purpose}': an image file needs purpose 'vision'.",
            param=param,
            code="invalid_value",
        )


def no_such_file(file_id: str, param: str) -> Refused:
    """Make the answer to a request that names a file nobody has."""
    return Refused(f"No such File object: {file_id}", status=404, param=param)


def _file(tx: Tx, project: str, file_id: str, now: int, param: str) -> Row:
    row = tx.one("file.get", id=file_id, project=project, now=now)
    if row is None:
        raise no_such_file(file_id, param)
    return row


def _search(search: Mapping[str, Any]) -> None:
    for position, store_id in enumerate(search.get("vector_store_ids", ())):
        raise Refused(
            f"Vector store with id '{store_id}' not found.",
            status=404,
            param=f"tool_resources.file_search.vector_store_ids[{position}]",
        )
    if search.get("vector_stores"):
        raise Refused(
            "This engine has no vector stores yet, so none can be created here.",
            param="tool_resources.file_search.vector_stores",
            code="unsupported_parameter",
        )
