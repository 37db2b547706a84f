"""What searches in a thread have found, so that answers to come can cite it."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.engine.jsontext import dump
from toolkit.engine.store import Tx
from toolkit.engine.transfer.kinds.kind import ROWS, Export, Kind, There, Written
from toolkit.engine.transfer.lines import PassageLine

__all__ = ["KIND", "written"]


def written(export: Export, project: str, thread_id: str) -> Iterator[Written]:
    """Write what was found in a thread."""
    search = place = -1
    while rows := export.tx.all("transfer.passages", thread=thread_id, search=search, place=place, limit=ROWS):
        for row in rows:
            yield "passage", dump({"kind": "passage", "project": project, "thread": thread_id, **dict(row)})
        search, place = rows[-1]["search"], rows[-1]["place"]


def _find(tx: Tx, line: PassageLine) -> There | None:
    row = tx.one("passage.get", thread=line.thread, search=line.search, place=line.place)
    return None if row is None else There(line.project, same=True, thread=line.thread)


def _insert(tx: Tx, line: PassageLine) -> None:
    found = {"search": line.search, "place": line.place, "file": line.file, "quote": line.quote}
    tx.run("passage.add", thread=line.thread, **found)


def _replace(tx: Tx, line: PassageLine) -> None:
    """Do nothing: what a search has found never changes."""


KIND = Kind(_find, _insert, _replace)
