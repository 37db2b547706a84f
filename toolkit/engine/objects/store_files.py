"""Files in vector stores: how one is added, read, listed, changed and removed, and how its processing goes on.

A file is added at once and processed by a worker afterwards (`engine/indexing.py`). Every move of one changes the
counts of its store and of the batches it came in, in the same transaction. A file stands in a store once: added again
it keeps its place, unless it is to be cut otherwise or was not processed well, and then it is processed anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.jsontext import dump
from toolkit.engine.objects import references
from toolkit.engine.objects.fields import SHAPE, Request, Scalar, by_type, refuse_field
from toolkit.engine.objects.paging import PageQuery, bury, page
from toolkit.engine.states import StoreFileEvent, store_file_after
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = [
    "AUTO",
    "Attributes",
    "ChunkingStrategy",
    "CreateStoreFile",
    "Failure",
    "ListStoreFiles",
    "ModifyStoreFile",
    "Status",
    "add",
    "content",
    "create",
    "cut",
    "embedded",
    "forget_file",
    "get",
    "give_up_chunks",
    "list_",
    "modify",
    "move",
    "remove",
    "strategy",
    "wire",
]

Status = Literal["in_progress", "completed", "failed", "cancelled"]


@with_config(SHAPE)
class _AutoChunking(TypedDict):
    type: Literal["auto"]


def _fits(static: dict[str, int]) -> dict[str, int]:
    size, overlap = static["max_chunk_size_tokens"], static["chunk_overlap_tokens"]
    if overlap > size // 2:
        raise refuse_field(
            f"Invalid 'chunk_overlap_tokens': it must not exceed half of 'max_chunk_size_tokens' ({size}), but is "
            f"{overlap}.",
            code="invalid_value",
            below=".chunk_overlap_tokens",
        )
    return static


@with_config(SHAPE)
class _Static(TypedDict):
    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0)]


@with_config(SHAPE)
class _StaticChunking(TypedDict):
    type: Literal["static"]
    static: Annotated[_Static, AfterValidator(_fits)]


ChunkingStrategy = Annotated[
    Annotated[_AutoChunking, Tag("#auto")] | Annotated[_StaticChunking, Tag("#static")], Discriminator(by_type)
]
AUTO: Final = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
"""What `auto` is, in the form in which a file tells of it."""


def _attributes(value: Any) -> Any:
    if not isinstance(value, dict):
        return value  # refused as no object
    pairs: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - any JSON
    if len(pairs) > 16:
        raise refuse_field(
            "Invalid 'attributes': too many properties. Expected an object with at most 16 properties, but got an "
            f"object with {len(pairs)} properties instead.",
            code="object_above_max_properties",
        )
    for key, given in pairs.items():
        for what, text, most in (("property name", key, 64), ("value", given, 512)):
            if isinstance(text, str) and len(text) > most:
                raise refuse_field(
                    f"Invalid {what} in 'attributes': '{key}' is too long. Expected a string with maximum length "
                    f"{most}, but got a string with length {len(text)} instead.",
                    code="string_above_max_length",
                    below=f".{key}",
                )
    return pairs


Attributes = Annotated[dict[str, Scalar], BeforeValidator(_attributes)]
"""Up to 16 pairs that searches can filter by."""


class CreateStoreFile(Request):
    """The body of `POST /vector_stores/{vector_store_id}/files`, and one of the files of a batch."""

    file_id: str
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class ModifyStoreFile(Request):
    """The body of `POST /vector_stores/{vector_store_id}/files/{file_id}`; null clears."""

    attributes: Attributes | None


class ListStoreFiles(PageQuery):
    """The query of `GET /vector_stores/{vector_store_id}/files`, and of the files of a batch."""

    filter: Status | None = None


class Failure(NamedTuple):
    """Why a file was not processed: `code` is server_error, unsupported_file or invalid_file."""

    code: Literal["server_error", "unsupported_file", "invalid_file"]
    message: str


def strategy(given: Mapping[str, Any] | None, otherwise: str | None = None) -> str:
    """Give how a file is cut as it is kept, in the form in which it is told of: as asked, else as its store says."""
    if given is None:
        return otherwise or dump(AUTO)
    return dump(AUTO if given["type"] == "auto" else given)


def create(tx: Tx, project: str, store_id: str, request: CreateStoreFile, now: int) -> str:
    """Add a file to a store, to be processed. Raises Refused."""
    store = references.live_store(tx, project, store_id, now)
    references.file(tx, project, request.file_id, now, "file_id")
    add(tx, store, [request], now)
    return get(tx, project, store_id, request.file_id)


def add(tx: Tx, store: Row, requests: Sequence[CreateStoreFile], now: int) -> list[Row]:
    """Add files that are there to a store, to be processed; gives their rows, each file once."""
    tx.run("vector_store.touch", id=store["id"], now=now)
    by_id = {request.file_id: request for request in requests}  # of one named twice the last
    return [_put(tx, store, request, now) for request in by_id.values()]


def _put(tx: Tx, store: Row, request: CreateStoreFile, now: int) -> Row:
    row = tx.one("store_file.get", store=store["id"], id=request.file_id, project=store["project"])
    attributes = row["attributes"] if row is not None and request.attributes is None else _text(request.attributes)
    chunking = strategy(request.chunking_strategy, row["chunking"] if row is not None else store["chunking"])
    if row is not None and row["status"] in ("in_progress", "completed") and row["chunking"] == chunking:
        tx.run("store_file.set_attributes", seq=row["seq"], attributes=attributes)
    else:
        if row is not None:
            remove(tx, row)
        tx.run(
            "store_file.insert",
            store=store["id"],
            id=request.file_id,
            project=store["project"],
            created_at=now,
            attributes=attributes,
            chunking=chunking,
        )
        _count(tx, store["id"], in_progress=1)
    return _row(tx, store["project"], store["id"], request.file_id)


def _text(attributes: Mapping[str, Any] | None) -> str | None:
    """Give attributes as they are kept."""
    return dump(attributes) if attributes else None


def get(tx: Tx, project: str, store_id: str, file_id: str) -> str:
    """Read a file of a store. Raises Refused (404)."""
    return wire(_row(tx, project, store_id, file_id))


def modify(tx: Tx, project: str, store_id: str, file_id: str, request: ModifyStoreFile) -> str:
    """Replace the attributes. Raises Refused (404)."""
    row = _row(tx, project, store_id, file_id)
    attributes = _text(request.attributes)
    tx.run("store_file.set_attributes", seq=row["seq"], attributes=attributes)
    return wire({**row, "attributes": attributes})


def list_(tx: Tx, project: str, store_id: str, query: ListStoreFiles) -> str:
    """Read a page of a store's files, newest first unless asked otherwise. Raises Refused."""
    references.vector_store(tx, project, store_id)
    scope: dict[str, Any] = {"store": store_id, "project": project, "within": f"{store_id}/", "wire": wire}
    if query.filter:
        return page(tx, "store_file.of_status", query, status=query.filter, **scope)
    return page(tx, "store_file.page", query, **scope)


def content(tx: Tx, project: str, store_id: str, file_id: str, now: int) -> str:
    """Read the text of a file as it was taken out of it. Raises Refused: 404, or 400 when there is none."""
    row = _row(tx, project, store_id, file_id)
    references.live_store(tx, project, store_id, now)
    if row["status"] != "completed":
        raise Refused(f"File '{file_id}' of vector store '{store_id}' has status '{row['status']}', and no content.")
    text: list[str] = []
    end = 0
    for chunk in tx.all("chunk.of_file", store_file=row["seq"]):
        text.append(chunk["text"][end - chunk["start"] :])  # chunks overlap
        end = chunk["start"] + len(chunk["text"])
    data = [{"type": "text", "text": "".join(text)}] if text else []
    return dump({"object": "vector_store.file_content.page", "data": data, "has_more": False, "next_page": None})


def delete(tx: Tx, project: str, store_id: str, file_id: str) -> str:
    """Take a file out of a store; the file itself stays. Raises Refused (404)."""
    row = _row(tx, project, store_id, file_id)
    remove(tx, row)
    return dump({"id": file_id, "object": "vector_store.file.deleted", "deleted": True})


def forget_file(tx: Tx, project: str, file_id: str) -> None:
    """Take a file that is being deleted out of all stores."""
    for row in tx.all("store_file.in_stores", id=file_id, project=project):
        remove(tx, row)


def remove(tx: Tx, row: Row) -> None:
    """Take a file out of its store. In its batches it counts on, as cancelled if it was not processed yet."""
    move(tx, row, "cancel")
    give_up_chunks(tx, row)
    left = _row(tx, row["project"], row["store"], row["id"])
    _count(tx, row["store"], **{left["status"]: -1}, usage_bytes=-left["usage_bytes"])
    tx.run("store_file.delete", seq=row["seq"])
    bury(tx, row["project"], row, within=f"{row['store']}/")


def move(
    tx: Tx,
    row: Row,
    event: StoreFileEvent,
    *,
    owner: str | None = None,
    usage_bytes: int = 0,
    failure: Failure | None = None,
) -> bool:
    """End the processing of a file; False when it has ended already, or is another worker's than `owner`."""
    status = store_file_after("in_progress", event)
    error = dump(failure._asdict()) if failure else None
    if not tx.run(
        "store_file.move", seq=row["seq"], status=status, owner=owner, usage_bytes=usage_bytes, last_error=error
    ):
        return False
    _count(tx, row["store"], in_progress=-1, **{status: 1}, usage_bytes=usage_bytes)
    ended = {**dict.fromkeys(("completed", "failed", "cancelled"), 0), status: 1}
    tx.run("file_batch.count", store_file=row["seq"], **ended)
    return True


def cut(tx: Tx, row: Row, chunks: int) -> None:
    """Count chunks that have been added to a file, or, below 0, taken away."""
    tx.run("store_file.cut", seq=row["seq"], chunks=chunks)
    _count(tx, row["store"], chunks=chunks)


def give_up_chunks(tx: Tx, row: Row) -> None:
    """Give up the chunks of a file: they count no more, and are removed afterwards."""
    now = tx.one("store_file.chunks", seq=row["seq"])
    assert now is not None  # it is there until its store is told
    cut(tx, row, -now["chunks"])
    tx.run("chunk.give_up", store_file=row["seq"])


def embedded(tx: Tx, row: Row, embedder: int) -> None:
    """Note that all chunks of a file have vectors by a model: older ones go, and its store tells of the newest."""
    tx.run("store_file.embedded", seq=row["seq"], embedder=embedder)
    tx.run("vector_block.remove_older", store_file=row["seq"], embedder=embedder)
    tx.run("vector_store.embedded", id=row["store"], embedder=embedder)


def wire(row: Row) -> str:
    """Make the API's object of a row."""
    return dump(
        {
            "id": row["id"],
            "object": "vector_store.file",
            "usage_bytes": row["usage_bytes"],
            "created_at": row["created_at"],
            "vector_store_id": row["store"],
            "status": row["status"],
            "last_error": json.loads(row["last_error"]) if row["last_error"] else None,
            "chunking_strategy": json.loads(row["chunking"]),
            "attributes": json.loads(row["attributes"]) if row["attributes"] else {},
        }
    )


def _count(tx: Tx, store_id: str, **changes: int) -> None:
    none = dict.fromkeys(("in_progress", "completed", "failed", "cancelled", "usage_bytes", "chunks"), 0)
    tx.run("vector_store.count", id=store_id, **{**none, **changes})


def _row(tx: Tx, project: str, store_id: str, file_id: str) -> Row:
    row = tx.one("store_file.get", store=store_id, id=file_id, project=project)
    if row is None:
        references.vector_store(tx, project, store_id)
        raise Refused(f"No file found with id '{file_id}' in vector store '{store_id}'.", status=404)
    return row
