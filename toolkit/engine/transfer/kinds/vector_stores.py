"""Vector stores, each followed by its files.

What is kept of a file in a vector store, beside what its object says, follows from its bytes: it is read, cut and
indexed anew, by the first server that sees it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from toolkit.engine.jsontext import dump
from toolkit.engine.objects.files import LACKING
from toolkit.engine.objects.store_files import AUTO, remove
from toolkit.engine.objects.store_files import wire as file_wire
from toolkit.engine.objects.vector_stores import wire
from toolkit.engine.store import Row, Tx
from toolkit.engine.transfer.kinds.kind import Export, Kind, There, Written, text_of, walk, walk_by_time
from toolkit.engine.transfer.lines import VectorStoreFileLine, VectorStoreLine
from toolkit.engine.transfer.shapes import as_object

__all__ = ["FILES", "STORES", "bytes_came", "written"]

_SAME: Final = ("created_at", "name", "description", "metadata")
_NOT_HERE: Final = dump(
    {"code": "invalid_file", "message": "The contents of this file are not here: it was imported without them."}
)
_NOTHING: Final = dict.fromkeys(("in_progress", "completed", "failed", "cancelled", "usage_bytes", "chunks"), 0)


def written(export: Export) -> Iterator[Written]:
    """Write all vector stores."""
    for row in walk(export.tx, "transfer.vector_stores", project=export.project):
        chunking = json.loads(row["chunking"]) if row["chunking"] else None
        yield text_of("vector_store", row["project"], wire(row, export.at), chunking=chunking)
        for file in walk_by_time(export.tx, "transfer.store_files", store=row["id"]):
            yield text_of("vector_store_file", row["project"], file_wire(file))


# Stores


def _find(tx: Tx, line: VectorStoreLine) -> There | None:
    row = tx.one("transfer.vector_store", id=line.id)
    if row is None:
        return None
    there = json.loads(wire(row, 0))
    days = (row["expires_days"] or None) == _days(line)
    same = all(there.get(name) == line.object.get(name) for name in _SAME) and days
    return There(row["project"], same or line.made)


def _insert(tx: Tx, line: VectorStoreLine) -> None:
    """Insert a store. One that expires by itself, and had not when it was last seen, has all its days before it."""
    store = line.object
    tx.run(
        "transfer.add_vector_store",
        **_columns(line),
        project=line.project,
        last_active_at=store.get("last_active_at") or store["created_at"],
        expires_at=store.get("expires_at") or store["created_at"],
        expired=store["status"] == "expired",
    )


def _replace(tx: Tx, line: VectorStoreLine) -> None:
    tx.run("transfer.save_vector_store", **_columns(line))


def _columns(line: VectorStoreLine) -> dict[str, Any]:
    store = line.object
    return {
        "id": line.id,
        "created_at": store["created_at"],
        "expires_days": _days(line),
        "about": dump({name: store.get(name) for name in ("name", "description", "metadata")}),
        "chunking": dump(line.chunking) if line.chunking else None,
    }


def _days(line: VectorStoreLine) -> int | None:
    days: int | None = as_object(line.object.get("expires_after")).get("days")
    return days


STORES = Kind(_find, _insert, _replace)


# Their files


def _find_file(tx: Tx, line: VectorStoreFileLine) -> There | None:
    row = _row(tx, line)
    if row is None:
        return None
    there, chunking = json.loads(file_wire(row)), _chunking(line)
    stays = {"created_at": line.object["created_at"], "attributes": _attributes(line), "chunking_strategy": chunking}
    return There(row["project"], line.made or all(there[name] == given for name, given in stays.items()))


def _insert_file(tx: Tx, line: VectorStoreFileLine) -> None:
    store_id, file = line.object["vector_store_id"], line.object
    status, error, size = _state(tx, line)
    tx.run(
        "transfer.add_store_file",
        store=store_id,
        id=file["id"],
        project=line.project,
        created_at=file["created_at"],
        status=status,
        attributes=dump(_attributes(line)) if _attributes(line) else None,
        chunking=dump(_chunking(line)),
        usage_bytes=size,
        last_error=error,
    )
    tx.run("vector_store.count", id=store_id, **{**_NOTHING, status: 1, "usage_bytes": size})


def _state(tx: Tx, line: VectorStoreFileLine) -> tuple[str, str | None, int]:
    """Settle on a file's status, error and bytes: what was, or is to be, processed is processed here."""
    file = line.object
    if file["status"] in ("failed", "cancelled"):
        return file["status"], dump(file["last_error"]) if file["last_error"] else None, 0
    store = tx.one("transfer.vector_store", id=file["vector_store_id"])
    if store is not None and store["emptied"]:
        return "completed", None, file["usage_bytes"]
    row = tx.one("transfer.file", id=file["id"])
    here = row is not None and row["project"] == line.project and row["sha256"] != LACKING
    return ("in_progress", None, 0) if here else ("failed", _NOT_HERE, 0)


def _replace_file(tx: Tx, line: VectorStoreFileLine) -> None:
    row = _row(tx, line)
    if row is not None:
        remove(tx, row)
    _insert_file(tx, line)


def _row(tx: Tx, line: VectorStoreFileLine) -> Row | None:
    return tx.one("transfer.store_file", store=line.object["vector_store_id"], id=line.object["id"])


def _attributes(line: VectorStoreFileLine) -> dict[str, Any]:
    return line.object.get("attributes") or {}


def _chunking(line: VectorStoreFileLine) -> dict[str, Any]:
    given: dict[str, Any] = line.object.get("chunking_strategy") or {}
    return given if given.get("type") == "static" and "static" in given else AUTO


FILES = Kind(
    _find_file,
    _insert_file,
    _replace_file,
    needs=lambda line: ("transfer.vector_store", line.object["vector_store_id"]),
)


def bytes_came(tx: Tx, project: str, file_id: str) -> None:
    """Have a file processed in the vector stores that it is in, now that its bytes are here."""
    for row in tx.all("store_file.in_stores", id=file_id, project=project):
        if row["status"] == "failed" and row["last_error"] == _NOT_HERE:
            tx.run("transfer.process_again", seq=row["seq"])
            tx.run("vector_store.count", id=row["store"], **{**_NOTHING, "in_progress": 1, "failed": -1})
