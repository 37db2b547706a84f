"""A thread as models read it: an item for each message, and for each turn of tool calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from toolkit.engine.jsontext import dump
from toolkit.engine.store import Row, Tx
from toolkit.engine.transfer.kinds.kind import Export, Kind, There, Written, walk
from toolkit.engine.transfer.lines import ItemLine
from toolkit.engine.transfer.shapes import Object

__all__ = ["KIND", "written"]


def written(export: Export, project: str, thread_id: str) -> Iterator[Written]:
    """Write the items of a thread; those of one turn, which are never apart, in one line."""
    rows = walk(export.tx, "transfer.items", thread=thread_id)
    for _, group in groupby(rows, key=lambda row: row["turn"] or row["seq"]):
        first, *others = group
        chats = [json.loads(row["chat"]) for row in (first, *others)]
        yield "item", dump({"kind": "item", "project": project, "thread": thread_id, **_names(first), "chats": chats})


def _names(row: Row) -> dict[str, str]:
    return {name: row[name] for name in ("run", "message", "turn") if row[name] is not None}


def _find(tx: Tx, line: ItemLine) -> There | None:
    found = tx.one("transfer.item_of_turn", turn=line.turn) if line.turn else None
    if found is None and line.message and not (line.turn and _is_text_alone(tx, line.message)):
        found = tx.one("transfer.item_of_message", message=line.message)
    return None if found is None else There(line.project, same=True)


def _is_text_alone(tx: Tx, message_id: str) -> bool:
    """Whether a message is remembered without the calls that came along with it."""
    row = tx.one("transfer.item_of_message", message=message_id)
    return row is not None and row["turn"] is None


def _insert(tx: Tx, line: ItemLine) -> None:
    message, chats = line.message, line.chats
    if message and _is_text_alone(tx, message):
        message, chats = None, [{**chats[0], "content": None}, *chats[1:]]
    for chat in chats:
        _add(tx, line, message, chat)
        message = None


def _add(tx: Tx, line: ItemLine, message: str | None, chat: Object) -> None:
    text = dump(chat)
    size = len(text.encode())
    tx.run("item.insert", thread=line.thread, run=line.run, message=message, turn=line.turn, size=size, chat=text)


def _replace(tx: Tx, line: ItemLine) -> None:
    """Do nothing: an item has no other content than its message and its steps."""


def _needs(line: ItemLine) -> tuple[str, str] | None:
    return ("transfer.message", line.message) if line.message else None


KIND = Kind(_find, _insert, _replace, _needs)
