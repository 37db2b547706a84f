"""Requests of API v1, as requests of v2: JSON values in, JSON values out.

The tool `retrieval` is `file_search`. The files of a message are attachments for both tools, since nobody knows yet
which of them a run will have. The files of an assistant are in its list for code_interpreter, also without that tool:
there they are found again, and are at hand when the tool comes. When it has file_search, a vector store has them too.

What is no part of v1 is passed on as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from toolkit.errors import Refused
from toolkit.server.v1.shown import file_ids_of
from toolkit.server.v1.version import refused

__all__ = ["Change", "assistant", "changed", "message", "run", "thread", "tools"]

_MOST_FILES: Final = 20
_FOR_BOTH: Final = ({"type": "code_interpreter"}, {"type": "file_search"})


def assistant(body: Any) -> Any:
    """Translate the body of `POST /assistants`. Raises Refused."""
    if not _is_object(body):
        return body
    body, file_ids = _without_files(tools(body), "tool_resources")
    if not file_ids:
        return body
    return {**body, "tool_resources": _resources({}, body.get("tools") or (), _checked(file_ids), None)}


def message(body: Any, path: str = "") -> Any:
    """Translate the body of `POST /threads/{thread_id}/messages`, or a message at a path. Raises Refused."""
    if not _is_object(body):
        return body
    body, file_ids = _without_files(body, "attachments", path)
    if not file_ids:
        return body
    return {**body, "attachments": [{"file_id": file_id, "tools": [*_FOR_BOTH]} for file_id in file_ids]}


def thread(body: Any, path: str = "") -> Any:
    """Translate the body of `POST /threads`, or the thread of a new run. Raises Refused."""
    return _each_message(body, "messages", path)


def run(body: Any) -> Any:
    """Translate the body of `POST /threads/{thread_id}/runs` or `POST /threads/runs`. Raises Refused."""
    body = _each_message(tools(body), "additional_messages")
    return {**body, "thread": thread(body["thread"], "thread.")} if _is_object(body) and "thread" in body else body


def tools(body: Any) -> Any:
    """Translate the tools of an assistant or a run, and the choice among them."""
    if not _is_object(body):
        return body
    body = {**body}
    if _is_list(body.get("tools")):
        body["tools"] = [_tool(tool) for tool in body["tools"]]
    if "tool_choice" in body:
        body["tool_choice"] = _tool(body["tool_choice"])
    return body


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an assistant's files: its resources, and what the vector store that it had gets and loses."""

    tool_resources: Mapping[str, Any]
    store_id: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def changed(assistant: Mapping[str, Any], settings: Mapping[str, Any], file_ids: Sequence[str]) -> Change:
    """Decide how an assistant of v2 that gets these settings, its tools perhaps among them, has these files then.

    Raises Refused: too many, or other resources are given as well.
    """
    if settings.get("tool_resources"):
        raise refused("'file_ids' is taken without 'tool_resources', which v1 did not have.")
    had, file_ids = file_ids_of(assistant), _checked(file_ids)
    tools = settings.get("tools", assistant["tools"])
    resources = assistant["tool_resources"]
    store_id = next(iter(resources.get("file_search", {}).get("vector_store_ids", ())), None)
    settled = _resources(resources, tools, file_ids, store_id)
    if store_id is None:
        return Change(settled)
    added = tuple(file_id for file_id in file_ids if file_id not in had)
    return Change(settled, store_id, added, tuple(file_id for file_id in had if file_id not in file_ids))


def _resources(
    resources: Mapping[str, Any], tools: Sequence[Any], file_ids: Sequence[str], store_id: str | None
) -> dict[str, Any]:
    settled = {**resources, "code_interpreter": {"file_ids": [*file_ids]}}
    if store_id is None and file_ids and any(_is_object(tool) and tool.get("type") == "file_search" for tool in tools):
        settled["file_search"] = {"vector_stores": [{"file_ids": [*file_ids]}]}
    return settled


def _each_message(body: Any, name: str, path: str = "") -> Any:
    if not _is_object(body) or not _is_list(body.get(name)):
        return body
    messages = [message(one, f"{path}{name}[{position}].") for position, one in enumerate(body[name])]
    return {**body, name: messages}


def _tool(tool: Any) -> Any:
    return {**tool, "type": "file_search"} if _is_object(tool) and tool.get("type") == "retrieval" else tool


def _without_files(body: Mapping[str, Any], instead: str, path: str = "") -> tuple[dict[str, Any], list[str]]:
    """Take the files out of a body, which is not to name what they become as well."""
    rest = {name: value for name, value in body.items() if name != "file_ids"}
    file_ids: Any = body.get("file_ids") or []
    param = f"{path}file_ids"
    if not _is_list(file_ids) or not all(isinstance(file_id, str) for file_id in file_ids):
        raise Refused(f"Invalid type for '{param}': expected an array of strings.", param=param, code="invalid_type")
    if file_ids and body.get(instead):
        raise refused(f"'{param}' is taken without '{path}{instead}', which v1 did not have.")
    return rest, file_ids


def _checked(file_ids: Sequence[str]) -> list[str]:
    """Give files each once. Raises Refused for too many."""
    each = list(dict.fromkeys(file_ids))
    if len(each) > _MOST_FILES:
        raise Refused(
            f"Invalid 'file_ids': array too long. Expected an array with maximum length {_MOST_FILES}, but got "
            f"an array with length {len(each)} instead.",
            param="file_ids",
            code="array_above_max_length",
        )
    return each


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
