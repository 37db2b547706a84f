"""What programs of API v1 see: objects, lists and events of v2 in the form that v1 gave them. JSON in, JSON out.

What v2 has besides (such as temperatures) is left in place: programs pass over what they do not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from toolkit.engine.objects.paging import PageQuery
from toolkit.errors import Refused

__all__ = ["Object", "assistant_files", "file_ids_of", "message_files", "page", "shown"]

Object = Mapping[str, Any]


def shown(value: Object) -> Object:
    """Give an object, a list of objects or the data of an event in the form of v1."""
    form = _FORMS.get(value.get("object", ""))
    return value if form is None else form(value)


def file_ids_of(assistant: Object) -> Sequence[str]:
    """List the files of an assistant of v2: see `asked.py` for where they are kept."""
    file_ids: Sequence[str] = assistant["tool_resources"].get("code_interpreter", {}).get("file_ids", ())
    return file_ids


def assistant_files(assistant: Object) -> list[Object]:
    """List the files of an assistant as objects, as they were attached; when that was is not known."""
    return [_file("assistant", file_id, assistant) for file_id in file_ids_of(assistant)]


def message_files(message: Object) -> list[Object]:
    """List the files of a message as objects."""
    return [_file("message", file_id, message) for file_id in _message(message)["file_ids"]]


def _file(noun: Literal["assistant", "message"], file_id: str, holder: Object) -> Object:
    return {
        "id": file_id,
        "object": f"{holder['object']}.file",
        "created_at": holder["created_at"],
        f"{noun}_id": holder["id"],
    }


def page(files: Sequence[Object], query: PageQuery) -> Object:
    """Give a page of attached files, which are few. Raises Refused (400) for a cursor that names none of them."""
    listed = files if query.order == "asc" else files[::-1]
    start = _place(listed, query.after, "after") + 1 if query.after else 0
    stop = _place(listed, query.before, "before") if query.before else len(listed)
    if query.before and not query.after:
        data, has_more = listed[max(0, stop - query.limit) : stop], stop > query.limit
    else:
        data, has_more = listed[start : min(stop, start + query.limit)], start + query.limit < stop
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": [*data], "first_id": first, "last_id": last, "has_more": has_more}


def _place(files: Sequence[Object], cursor: str, param: str) -> int:
    for place, file in enumerate(files):
        if file["id"] == cursor:
            return place
    raise Refused(f"No object found with id '{cursor}' to list from.", param=param, code="invalid_value")


def _list(page: Object) -> Object:
    return {**page, "data": [shown(one) for one in page["data"]]}


def _assistant(assistant: Object) -> Object:
    told = _without(assistant, "tool_resources")
    return {**told, "tools": [_tool(tool) for tool in assistant["tools"]], "file_ids": [*file_ids_of(assistant)]}


def _thread(thread: Object) -> Object:
    return _without(thread, "tool_resources")


def _message(message: Object) -> Object:
    file_ids = [attachment["file_id"] for attachment in message["attachments"] or ()]
    told = _without(message, "attachments")
    return {**told, "content": [_part(part) for part in message["content"]], "file_ids": file_ids}


def _run(run: Object) -> Object:
    told = _without(run, "tool_resources")
    return {
        **told,
        "tools": [_tool(tool) for tool in run["tools"]],
        "tool_choice": _tool(run["tool_choice"]),
        "file_ids": [],
    }


def _step(step: Object) -> Object:
    return {**step, "step_details": _details(step["step_details"])}


def _message_delta(event: Object) -> Object:
    delta = event["delta"]
    return {**event, "delta": {**delta, "content": [_part(part) for part in delta.get("content", ())]}}


def _step_delta(event: Object) -> Object:
    delta = event["delta"]
    return {**event, "delta": {**delta, "step_details": _details(delta["step_details"])}}


_FORMS: Final[Mapping[str, Callable[[Object], Object]]] = {
    "list": _list,
    "assistant": _assistant,
    "thread": _thread,
    "thread.message": _message,
    "thread.message.delta": _message_delta,
    "thread.run": _run,
    "thread.run.step": _step,
    "thread.run.step.delta": _step_delta,
}


def _tool(tool: Object | str) -> Object | str:
    """Translate a tool, or what a run says of the choice among them."""
    return tool if isinstance(tool, str) or tool["type"] != "file_search" else {"type": "retrieval"}


def _details(details: Object) -> Object:
    if "tool_calls" not in details:
        return details
    return {**details, "tool_calls": [_call(call) for call in details["tool_calls"]]}


def _call(call: Object) -> Object:
    if call["type"] != "file_search":
        return call
    return {**_without(call, "file_search"), "type": "retrieval", "retrieval": {}}


def _part(part: Object) -> Object:
    """Translate a part of a message: its citations have a quote, which may be empty."""
    text = part.get("text", {})
    if not text.get("annotations"):
        return part
    return {**part, "text": {**text, "annotations": [_annotation(one) for one in text["annotations"]]}}


def _annotation(annotation: Object) -> Object:
    if "file_citation" not in annotation:
        return annotation
    return {**annotation, "file_citation": {"quote": "", **annotation["file_citation"]}}


def _without(value: Object, name: str) -> dict[str, Any]:
    return {key: member for key, member in value.items() if key != name}
