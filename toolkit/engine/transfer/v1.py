"""Objects of the first version of the API, as the second has them, and as this engine would have made them of requests.

`retrieval` became `file_search`. The files of an assistant are in its list for code_interpreter, and a vector store has
them too when they were for retrieval. The files of a message are attachments for both tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from toolkit.engine.transfer.shapes import Object, as_list, as_object

__all__ = ["store_id_for", "store_of", "translated"]

_SEARCH: Final[Mapping[str, Any]] = {"type": "file_search"}
_FOR_BOTH: Final = ({"type": "code_interpreter"}, _SEARCH)


def translated(value: Object) -> list[Object]:
    """Give an object of the API in its second version, after what is made for it; one that is of it stays the same."""
    translate = _BY_OBJECT.get(value.get("object", ""))
    return [value] if translate is None else [*translate(value)]


def store_id_for(holder: str) -> str:
    """Give the id of the vector store that is made for an assistant or thread: always the same one."""
    return f"vs_{holder.partition('_')[2]}"


def store_of(store_id: str, file_ids: list[str], created_at: int, *, days: int | None = None) -> list[Object]:
    """Make a vector store that nobody has saved, and its files."""
    after = {"anchor": "last_active_at", "days": days} if days else None
    store = {"id": store_id, "object": "vector_store", "created_at": created_at, "expires_after": after}
    file = {"object": "vector_store.file", "created_at": created_at, "vector_store_id": store_id}
    return [store, *({**file, "id": file_id} for file_id in dict.fromkeys(file_ids))]


def _assistant(value: Object) -> Iterator[Object]:
    value = _with_tools(value)
    file_ids = [file_id for file_id in as_list(value.pop("file_ids", None)) if isinstance(file_id, str)]
    if file_ids and not value.get("tool_resources"):
        resources: Object = {"code_interpreter": {"file_ids": file_ids}}
        if _SEARCH in as_list(value.get("tools")):
            store_id = store_id_for(str(value.get("id")))
            yield from store_of(store_id, file_ids, value.get("created_at", 0))
            resources["file_search"] = {"vector_store_ids": [store_id]}
        value["tool_resources"] = resources
    yield value


def _message(value: Object) -> Iterator[Object]:
    value = dict(value)
    file_ids = as_list(value.pop("file_ids", None))
    if file_ids and not value.get("attachments"):
        value["attachments"] = [{"file_id": file_id, "tools": [*_FOR_BOTH]} for file_id in file_ids]
    yield value


def _run(value: Object) -> Iterator[Object]:
    value = _with_tools(value)
    value.pop("file_ids", None)
    yield value


def _step(value: Object) -> Iterator[Object]:
    details = as_object(value.get("step_details"))
    if "tool_calls" in details:
        value = {
            **value,
            "step_details": {**details, "tool_calls": [_call(call) for call in as_list(details["tool_calls"])]},
        }
    yield value


def _call(call: Any) -> Any:
    if as_object(call).get("type") != "retrieval":
        return call
    kept = {name: member for name, member in as_object(call).items() if name != "retrieval"}
    return {**kept, "type": "file_search", "file_search": {}}


def _with_tools(value: Object) -> Object:
    value = dict(value)
    if "tools" in value:
        value["tools"] = [_SEARCH if tool == {"type": "retrieval"} else tool for tool in as_list(value["tools"])]
    return value


_BY_OBJECT: Final[Mapping[str, Callable[[Object], Iterator[Object]]]] = {
    "assistant": _assistant,
    "thread.message": _message,
    "thread.run": _run,
    "thread.run.step": _step,
}
