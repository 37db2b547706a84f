"""File batches: many files that come into a vector store at once, and are counted together."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from toolkit.engine.jsontext import dump
from toolkit.engine.objects import references, store_files
from toolkit.engine.objects.fields import Request
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.paging import page
from toolkit.engine.objects.store_files import Attributes, ChunkingStrategy, CreateStoreFile, ListStoreFiles
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = ["CreateFileBatch", "cancel", "create", "get", "list_files"]

_MOST_FILES = 2000


class CreateFileBatch(Request):
    """The body of `POST /vector_stores/{vector_store_id}/file_batches`: `file_ids`, all alike, or `files`."""

    file_ids: Annotated[list[str], Field(min_length=1, max_length=_MOST_FILES)] | None = None
    files: Annotated[list[CreateStoreFile], Field(min_length=1, max_length=_MOST_FILES)] | None = None
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


def create(tx: Tx, project: str, store_id: str, request: CreateFileBatch, now: int) -> str:
    """Add files to a store, to be processed. Raises Refused, and then none is added."""
    store = references.live_store(tx, project, store_id, now)
    batch_id = new_id("vsfb")
    tx.run("file_batch.insert", id=batch_id, store=store_id, project=project, created_at=now)
    counts = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0}
    for row in store_files.add(tx, store, _files(tx, project, request, now), now):
        tx.run("file_batch.add", batch=batch_id, store_file=row["seq"])
        counts[row["status"]] += 1
    tx.run("file_batch.start", id=batch_id, **counts)
    return get(tx, project, store_id, batch_id)


def get(tx: Tx, project: str, store_id: str, batch_id: str) -> str:
    """Read a batch. Raises Refused (404)."""
    return _wire(_row(tx, project, store_id, batch_id))


def cancel(tx: Tx, project: str, store_id: str, batch_id: str) -> str:
    """Stop the processing of the files that are not done yet. Raises Refused (404; 400 when all are)."""
    row = _row(tx, project, store_id, batch_id)
    if not row["in_progress"]:
        raise Refused(f"Cannot cancel file batch '{batch_id}' with status '{_status(row)}'.")
    for file in tx.all("file_batch.under_way", batch=batch_id):
        store_files.move(tx, file, "cancel")
        store_files.give_up_chunks(tx, file)
    tx.run("file_batch.stop", id=batch_id)
    return get(tx, project, store_id, batch_id)


def list_files(tx: Tx, project: str, store_id: str, batch_id: str, query: ListStoreFiles) -> str:
    """Read a page of the files of a batch, newest first unless asked otherwise. Raises Refused."""
    _row(tx, project, store_id, batch_id)
    scope: dict[str, Any] = {"batch": batch_id, "store": store_id, "project": project, "within": f"{store_id}/"}
    if query.filter:
        return page(tx, "file_batch.of_status", query, wire=store_files.wire, status=query.filter, **scope)
    return page(tx, "file_batch.page", query, wire=store_files.wire, **scope)


def _files(tx: Tx, project: str, request: CreateFileBatch, now: int) -> list[CreateStoreFile]:
    if (request.files is None) == (request.file_ids is None):
        said = (
            "Give either 'file_ids' or 'files'." if request.files is None else "Give 'file_ids' or 'files', not both."
        )
        raise Refused(said, param="file_ids", code="invalid_value" if request.files else "missing_required_parameter")
    if request.files is not None:
        for name in ("attributes", "chunking_strategy"):
            if getattr(request, name) is not None:
                said = f"With 'files', '{name}' must be specified for each file instead."
                raise Refused(said, param=name, code="invalid_value")
        for position, file in enumerate(request.files):
            references.file(tx, project, file.file_id, now, f"files[{position}].file_id")
        return request.files
    for position, file_id in enumerate(request.file_ids or ()):
        references.file(tx, project, file_id, now, f"file_ids[{position}]")
    alike: dict[str, Any] = {"attributes": request.attributes, "chunking_strategy": request.chunking_strategy}
    return [CreateStoreFile.model_construct(file_id=file_id, **alike) for file_id in request.file_ids or ()]


def _row(tx: Tx, project: str, store_id: str, batch_id: str) -> Row:
    row = tx.one("file_batch.get", id=batch_id, store=store_id, project=project)
    if row is None:
        references.vector_store(tx, project, store_id)
        raise Refused(f"No file batch found with id '{batch_id}' in vector store '{store_id}'.", status=404)
    return row


def _status(row: Row) -> str:
    if row["stopped"]:
        return "cancelled"
    if row["in_progress"]:
        return "in_progress"
    return "failed" if row["failed"] and not row["completed"] else "completed"


def _wire(row: Row) -> str:
    counts = {name: row[name] for name in ("in_progress", "completed", "failed", "cancelled")}
    return dump(
        {
            "id": row["id"],
            "object": "vector_store.files_batch",
            "created_at": row["created_at"],
            "vector_store_id": row["store"],
            "status": _status(row),
            "file_counts": {**counts, "total": sum(counts.values())},
        }
    )
