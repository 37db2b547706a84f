"""What tools work on: `tool_resources` of assistants and threads, `attachments` and image files of messages.

There are no files and vector stores in this engine yet, so any id given here names nothing, and that is said; empty
lists are stored and returned as they were sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.objects.fields import SHAPE, CodeInterpreterTool, Metadata, by_type
from toolkit.errors import Refused

__all__ = ["Attachments", "NewToolResources", "ToolResources", "no_such_file", "refuse_attached", "stored"]


@with_config(SHAPE)
class _CodeInterpreter(TypedDict):
    file_ids: NotRequired[Annotated[list[str], Field(max_length=20)]]


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


def stored(resources: ToolResources | NewToolResources | None) -> dict[str, Any]:
    """Give resources as they are kept and returned. Raises Refused (404) for ids, since they name nothing."""
    kept: dict[str, Any] = {tool: value for tool, value in (resources or {}).items() if value is not None}
    for position, file_id in enumerate(kept.get("code_interpreter", {}).get("file_ids", ())):
        raise no_such_file(file_id, f"tool_resources.code_interpreter.file_ids[{position}]")
    search: Mapping[str, Any] = kept.get("file_search", {})
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
    return kept


def refuse_attached(attachments: Sequence[_Attachment], place: str) -> None:
    """Raise Refused for an attached file: it names nothing. `place` is where the list stands in the request."""
    for position, attachment in enumerate(attachments):
        if "file_id" not in attachment:
            param = f"{place}[{position}].file_id"
            raise Refused(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
        raise no_such_file(attachment["file_id"], f"{place}[{position}].file_id")


def no_such_file(file_id: str, param: str) -> Refused:
    """Make the answer to a request that names a file nobody has."""
    return Refused(f"No such File object: {file_id}", status=404, param=param)
