"""Threads, each with all that is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from toolkit.engine.jsontext import dump
from toolkit.engine.store import Tx
from toolkit.engine.transfer.kinds import items, messages, passages, runs
from toolkit.engine.transfer.kinds.kind import Export, Kind, There, Written, note_resources, text_of, walk
from toolkit.engine.transfer.lines import ThreadLine
from toolkit.engine.transfer.shapes import Object

__all__ = ["KIND", "made", "written"]


def written(export: Export) -> Iterator[Written]:
    """Write all threads, each followed by its messages, runs, steps, passages and items."""
    for row in walk(export.tx, "transfer.threads", project=export.project):
        times = {"last_at": row["last_at"], "last_step_at": row["last_step_at"]}
        yield text_of("thread", row["project"], row["body"], **times)
        yield from messages.written(export, row["project"], row["id"])
        yield from runs.written(export, row["project"], row["id"])
        yield from passages.written(export, row["project"], row["id"])
        yield from items.written(export, row["project"], row["id"])


def made(project: str, thread_id: str, created_at: int) -> ThreadLine:
    """Make the thread of something whose own thread nobody has saved."""
    thread: Object = {
        "id": thread_id,
        "object": "thread",
        "created_at": created_at,
        "metadata": {},
        "tool_resources": {},
    }
    return ThreadLine(project=project, last_at=created_at, object=thread)


def _find(tx: Tx, line: ThreadLine) -> There | None:
    row = tx.one("transfer.thread", id=line.id)
    if row is None:
        return None
    there = json.loads(row["body"])
    same = there == line.object
    return There(row["project"], same, made=not same and _is_made(tx, there))


def _is_made(tx: Tx, thread: Object) -> bool:
    """Whether all that a thread says was made up of what is in it."""
    began = tx.one("transfer.began", thread=thread["id"]) or {"at": None}
    return thread == made("default", thread["id"], began["at"] or 0).object


def _insert(tx: Tx, line: ThreadLine) -> None:
    at = line.object["created_at"]
    last_at = max(line.last_at, at - 1)
    tx.run("thread.insert", id=line.id, project=line.project, created_at=at, body=dump(line.object), last_at=last_at)
    tx.run("transfer.clock", id=line.id, last_at=0, last_step_at=line.last_step_at)
    note_resources(tx, line.id, line.object)


def _replace(tx: Tx, line: ThreadLine) -> None:
    tx.run("transfer.save_thread", id=line.id, created_at=line.object["created_at"], body=dump(line.object))
    note_resources(tx, line.id, line.object)


KIND = Kind(_find, _insert, _replace)
