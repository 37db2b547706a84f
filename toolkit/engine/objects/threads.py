"""Threads: what may be asked, what a thread looks like, how messages are appended to it, and its clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from toolkit.engine.jsontext import dump
from toolkit.engine.objects import messages
from toolkit.engine.objects.fields import Metadata, Request
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.messages import CreateMessage, Messages
from toolkit.engine.objects.paging import PageQuery, bury, page
from toolkit.engine.objects.references import below
from toolkit.engine.objects.resources import Attached, NewToolResources, ToolResources, attach, let_go, stored
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = ["CreateThread", "ModifyThread", "append", "create", "delete", "get", "has_room", "list_", "modify", "tick"]

_AHEAD_S: Final = 2
_MOST_MESSAGES: Final = 100_000
"""In a thread, as the API's guide says."""


class CreateThread(Request):
    """The body of `POST /threads`."""

    messages: Messages | None = None
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None


class ModifyThread(Request):
    """The body of `POST /threads/{thread_id}`; null clears."""

    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


def tick(last: int, now: int) -> int:
    """Give the time of the next thing in a thread, in Unix seconds, after `last`.

    Clients sort by times and drop answers that are no newer than their question, so times increase even within one
    second, at most 2 s ahead of the clock: a burst of messages gets equal times rather than run into the future.
    """
    if now > last:
        return now
    return last + 1 if last < now + _AHEAD_S else last


def create(tx: Tx, project: str, request: CreateThread, now: int) -> str:
    """Create a thread, with its first messages. Raises Refused."""
    thread_id = new_id("thread")
    thread = {
        "id": thread_id,
        "object": "thread",
        "created_at": now,
        "metadata": request.metadata or {},
        "tool_resources": stored(tx, project, thread_id, request.tool_resources, now),
    }
    body = dump(thread)
    tx.run("thread.insert", id=thread_id, project=project, created_at=now, body=body, last_at=now - 1)
    if request.messages:
        _write(tx, project, thread_id, request.messages, "messages", last_at=now - 1, now=now)
        if any(message.attachments for message in request.messages):
            return get(tx, project, thread_id)  # which has their files now
    return body


def append(
    tx: Tx, project: str, thread_id: str, new: Sequence[CreateMessage], now: int, *, member: str = ""
) -> list[str]:
    """Append messages, and return them as they are kept; `member` is the list of the request that has them.

    Raises Refused: no such thread, a run is active there, or it has too many messages.
    """
    row = _row(tx, project, thread_id)
    if row["active_run"] is not None:
        raise Refused(f"Can't add messages to {thread_id} while a run {row['active_run']} is active.")
    has_room(thread_id, row["messages"], len(new))
    return _write(tx, project, thread_id, new, member, last_at=row["last_at"], now=now)


def has_room(thread_id: str, there: int, new: int) -> None:
    """Refuse new messages, those of a run too, in a thread where so many are there. Raises Refused."""
    if there + new > _MOST_MESSAGES:
        raise Refused(
            f"Can't add messages to {thread_id}: it has {there} messages and would have {there + new}, but a thread "
            f"has at most {_MOST_MESSAGES}.",
            code="array_above_max_length",
        )


def get(tx: Tx, project: str, thread_id: str) -> str:
    """Read a thread. Raises Refused (404)."""
    body: str = _row(tx, project, thread_id)["body"]
    return body


def modify(tx: Tx, project: str, thread_id: str, request: ModifyThread, now: int) -> str:
    """Change what was given. Raises Refused."""
    thread: dict[str, Any] = json.loads(get(tx, project, thread_id))
    if "metadata" in request.model_fields_set:
        thread["metadata"] = request.metadata or {}
    if "tool_resources" in request.model_fields_set:
        had = thread["tool_resources"]
        thread["tool_resources"] = stored(tx, project, thread_id, request.tool_resources, now, had=had)
    body = dump(thread)
    tx.run("thread.save", id=thread_id, project=project, body=body)
    return body


def list_(tx: Tx, project: str, query: PageQuery) -> str:
    """Read a page of a project's threads: the hosted API has no such list. Raises Refused."""
    return page(tx, "thread.page", query, project=project)


def delete(tx: Tx, project: str, thread_id: str) -> str:
    """Delete a thread with all that is in it; its run must have ended. Raises Refused (404)."""
    row = _row(tx, project, thread_id)
    tx.run("thread.delete", id=thread_id, project=project)
    let_go(tx, thread_id)
    bury(tx, project, row)
    return dump({"id": thread_id, "object": "thread.deleted", "deleted": True})


def _row(tx: Tx, project: str, thread_id: str) -> Row:
    row = tx.one("thread.get", id=thread_id, project=project)
    if row is None:
        raise Refused(f"No thread found with id '{thread_id}'.", status=404)
    return row


def _write(
    tx: Tx, project: str, thread_id: str, new: Sequence[CreateMessage], member: str, *, last_at: int, now: int
) -> list[str]:
    written: list[str] = []
    files = Attached([], [])
    for position, message in enumerate(new):
        last_at = tick(last_at, now)
        with below(f"{member}[{position}]" if member else ""):
            body, brought = messages.insert(tx, project, thread_id, message, last_at)
        written.append(body)
        files.code.extend(brought.code)
        files.search.extend(brought.search)
    tx.run("thread.advance", id=thread_id, last_at=last_at, new=len(new))
    if files.code or files.search:
        thread = json.loads(get(tx, project, thread_id))
        thread["tool_resources"] = attach(tx, project, thread_id, thread["tool_resources"], files, now)
        tx.run("thread.save", id=thread_id, project=project, body=dump(thread))
    return written
