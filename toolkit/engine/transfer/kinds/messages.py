"""Messages of a thread."""

from __future__ import annotations

import json
from collections.abc import Iterator

from toolkit.engine.jsontext import dump
from toolkit.engine.objects.answers import drafted
from toolkit.engine.store import Tx
from toolkit.engine.transfer.kinds.kind import Export, Kind, There, Written, text_of, walk
from toolkit.engine.transfer.lines import MessageLine
from toolkit.engine.transfer.remembered import message_chat

__all__ = ["KIND", "written"]


def written(export: Export, project: str, thread_id: str) -> Iterator[Written]:
    """Write the messages of a thread."""
    for row in walk(export.tx, "transfer.messages", thread=thread_id):
        if row["status"] == "in_progress":
            draft = drafted(export.tx, row["id"])
            yield text_of("message", project, row["body"], at=export.at, draft=draft)
        else:
            yield text_of("message", project, row["body"])


def _find(tx: Tx, line: MessageLine) -> There | None:
    row = tx.one("transfer.message", id=line.id)
    return None if row is None else There(row["project"], json.loads(row["body"]) == line.object, row["thread"])


def _insert(tx: Tx, line: MessageLine) -> None:
    message = line.object
    tx.run(
        "transfer.add_message",
        id=line.id,
        project=line.project,
        thread=message["thread_id"],
        run=message.get("run_id"),
        created_at=message["created_at"],
        status=message["status"],
        body=dump(message),
    )
    tx.run("transfer.count_message", thread=message["thread_id"])
    if line.draft:  # no item came along: it was being written
        _remember(tx, line)


def _replace(tx: Tx, line: MessageLine) -> None:
    message = line.object
    there = json.loads((tx.one("transfer.message", id=line.id) or {})["body"])
    tx.run(
        "transfer.save_message",
        id=line.id,
        run=message.get("run_id"),
        created_at=message["created_at"],
        status=message["status"],
        body=dump(message),
    )
    chat = message_chat(message)
    if chat is not None and there["content"] != message["content"]:
        for item in tx.all("message.items", id=line.id):
            text = dump({**json.loads(item["chat"]), **chat})
            tx.run("transfer.save_item", seq=item["seq"], size=len(text.encode()), chat=text)


def _remember(tx: Tx, line: MessageLine) -> None:
    message, chat = line.object, message_chat(line.object)
    if chat is None:
        return
    text = dump(chat)
    tx.run(
        "item.insert",
        thread=message["thread_id"],
        run=message.get("run_id"),
        message=line.id,
        turn=None,
        size=len(text.encode()),
        chat=text,
    )


KIND = Kind(_find, _insert, _replace)
