"""Messages that runs write: opened before their first delta, closed with the whole text or as `incomplete`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.engine.events import image_delta
from toolkit.engine.jsontext import clean, dump
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.runs import Event, Run
from toolkit.engine.states import message_after
from toolkit.engine.store import Tx

__all__ = ["Annotations", "add_item", "answers_of", "close_answer", "draft", "drafted", "open_answer", "open_answers"]

Annotations = Sequence[Mapping[str, Any]]


def open_answer(
    tx: Tx, run: Run, created_at: int, pictures: Sequence[str] = ()
) -> tuple[dict[str, Any], tuple[Event, ...]]:
    """Insert a message in progress, empty but for pictures; returns it, to be closed later, and its events.

    `pictures` are ids of files.
    """
    message: dict[str, Any] = {
        "id": new_id("msg"),
        "object": "thread.message",
        "created_at": created_at,
        "assistant_id": run.assistant,
        "thread_id": run.thread,
        "run_id": run.id,
        "status": "in_progress",
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": None,
        "role": "assistant",
        "content": [{"type": "image_file", "image_file": {"file_id": file_id}} for file_id in pictures],
        "attachments": [],
        "metadata": {},
    }
    body = dump(message)
    tx.run(
        "answer.insert",
        id=message["id"],
        project=run.project,
        thread=run.thread,
        run=run.id,
        created_at=created_at,
        status="in_progress",
        body=body,
    )
    begun = dump({**message, "content": []}) if pictures else body
    shown = (image_delta(message["id"], at, part["image_file"]) for at, part in enumerate(message["content"]))
    return message, (("thread.message.created", begun), ("thread.message.in_progress", begun), *shown)


def close_answer(
    tx: Tx,
    run: Run,
    message: dict[str, Any],
    text: str,
    now: int,
    *,
    reason: str | None = None,
    annotations: Annotations = (),
    remember: bool = True,
) -> tuple[Event, ...]:
    """Write a message's whole text, as the model gave it: `completed`, or `incomplete` for a `reason`.

    Models read it if `remember`. `annotations` say of what stands where in it.
    """
    row = tx.one("answer.being_written", id=message["id"])
    if row is None:
        return ()  # it was deleted while it was being written, and the run goes on without it
    tx.run("draft.forget", message=message["id"])
    text = clean(text)
    message = {**message, "metadata": json.loads(row["body"])["metadata"]}  # which may have been changed meanwhile
    message["status"] = message_after(message["status"], "break_off" if reason else "complete")
    # The SDK's handlers look for the part that a delta has begun, and break when it is gone again.
    if text or not message["content"]:
        said = {"type": "text", "text": {"value": text, "annotations": list(annotations)}}
        message["content"] = [*message["content"], said]
    at = max(now, message["created_at"])
    if reason:
        message["incomplete_details"], message["incomplete_at"] = {"reason": reason}, at
    else:
        message["completed_at"] = at
    body = dump(message)
    tx.run("answer.save", id=message["id"], status=message["status"], body=body)
    if text and remember:
        add_item(tx, run, dump({"role": "assistant", "content": text}), message=message["id"])
    return ((f"thread.message.{message['status']}", body),)


def draft(tx: Tx, message_id: str, piece: str) -> None:
    """Keep what was heard of a message that is being written, for the case that nobody gets to close it."""
    tx.run("draft.add", message=message_id, text=clean(piece))


def drafted(tx: Tx, message_id: str) -> str:
    """Read what was heard of a message that is being written."""
    return "".join(row["text"] for row in tx.all("draft.pieces", message=message_id))


def open_answers(tx: Tx, run: Run) -> Sequence[dict[str, Any]]:
    """Read the messages of a run that are still in progress (one at most, after a crash or a cancel)."""
    return [json.loads(row["body"]) for row in tx.all("answer.open", run=run.id)]


def answers_of(tx: Tx, run_id: str) -> Sequence[dict[str, Any]]:
    """Read all messages that a run has written, oldest first."""
    return [json.loads(row["body"]) for row in tx.all("answer.of_run", run=run_id)]


def add_item(tx: Tx, run: Run, chat: str, *, message: str | None = None, turn: str | None = None) -> None:
    """Append a chat message to what the model reads of the thread."""
    tx.run(
        "item.insert",
        thread=run.thread,
        run=run.id,
        message=message,
        turn=turn,
        size=len(chat.encode()),
        chat=chat,
    )
