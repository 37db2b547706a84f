"""Assistants."""

from __future__ import annotations

import json
from collections.abc import Iterator

from toolkit.engine.jsontext import dump
from toolkit.engine.store import Tx
from toolkit.engine.transfer.kinds.kind import Export, Kind, There, Written, note_resources, text_of, walk
from toolkit.engine.transfer.lines import AssistantLine

__all__ = ["KIND", "written"]


def written(export: Export) -> Iterator[Written]:
    """Write all assistants."""
    for row in walk(export.tx, "transfer.assistants", project=export.project):
        yield text_of("assistant", row["project"], row["body"])


def _find(tx: Tx, line: AssistantLine) -> There | None:
    row = tx.one("transfer.assistant", id=line.id)
    return None if row is None else There(row["project"], json.loads(row["body"]) == line.object)


def _insert(tx: Tx, line: AssistantLine) -> None:
    at, body = line.object["created_at"], dump(line.object)
    tx.run("assistant.insert", id=line.id, project=line.project, created_at=at, body=body)
    note_resources(tx, line.id, line.object)


def _replace(tx: Tx, line: AssistantLine) -> None:
    tx.run("transfer.save_assistant", id=line.id, created_at=line.object["created_at"], body=dump(line.object))
    note_resources(tx, line.id, line.object)


KIND = Kind(_find, _insert, _replace)
