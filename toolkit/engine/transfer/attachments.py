"""What threads and steps of elsewhere have of files: attachments of messages, and passages in results of searches."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Any, Final

from toolkit.engine.transfer.shapes import Object, as_list, as_object
from toolkit.engine.transfer.v1 import store_id_for, store_of

__all__ = ["contents_apart", "with_attachments"]

_MOST_FILES: Final = 20
_DAYS: Final = 7
"""How long the API keeps the vector store of a thread without use."""


def with_attachments(
    thread: Object, messages: Sequence[Object], stores: Container[str]
) -> tuple[Object, Sequence[Object]]:
    """Give a thread with the files that its messages brought, where it speaks of none, and what is made for them.

    That is its vector store, where that is not among the `stores` that were saved, and the files in it.
    """
    code, search = list(_attached(messages, "code_interpreter")), list(_attached(messages, "file_search"))
    resources: Object = thread["tool_resources"]
    if not resources and code:
        resources = {**resources, "code_interpreter": {"file_ids": list(dict.fromkeys(code))[-_MOST_FILES:]}}
    if not thread["tool_resources"] and search:
        resources = {**resources, "file_search": {"vector_store_ids": [store_id_for(thread["id"])]}}
    listed = as_list(as_object(resources.get("file_search")).get("vector_store_ids"))
    made = [store_id for store_id in listed if search and store_id not in stores]
    objects = [one for store_id in made for one in store_of(store_id, search, thread["created_at"], days=_DAYS)]
    return {**thread, "tool_resources": resources}, objects


def _attached(messages: Sequence[Object], tool: str) -> Iterator[str]:
    for message in messages:
        for attachment in message["attachments"]:
            if {"type": tool} in as_list(attachment.get("tools")) and isinstance(attachment.get("file_id"), str):
                yield attachment["file_id"]


def contents_apart(step: Object) -> tuple[Object, Object | None]:
    """Give a step without the contents of results, and its details with them; None when it has none."""
    details: Object = step["step_details"]
    calls = [_without_contents(call) for call in as_list(details.get("tool_calls"))]
    if calls == as_list(details.get("tool_calls")):
        return step, None
    return {**step, "step_details": {**details, "tool_calls": calls}}, details


def _without_contents(call: Any) -> Any:
    search = as_object(as_object(call).get("file_search"))
    results = as_list(search.get("results"))
    if not any("content" in as_object(result) for result in results):
        return call
    bare = [{name: of for name, of in as_object(result).items() if name != "content"} for result in results]
    return {**call, "file_search": {**search, "results": bare}}
