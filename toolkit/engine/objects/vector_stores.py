"""Vector stores: what may be asked, what a store looks like, how it is created, read, listed, changed and deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, with_config
from typing_extensions import TypedDict

from toolkit.engine.jsontext import dump
from toolkit.engine.objects import references, store_files
from toolkit.engine.objects.fields import SHAPE, Metadata, Name, Request
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.paging import PageQuery, bury, page
from toolkit.engine.objects.store_files import ChunkingStrategy, CreateStoreFile
from toolkit.engine.store import Row, Tx

__all__ = [
    "CreateVectorStore",
    "ExpiresAfter",
    "ModifyVectorStore",
    "create",
    "empty_expired",
    "get",
    "is_idle",
    "list_",
    "modify",
    "new",
    "remove",
    "touch",
    "wire",
]

_DAY_S = 24 * 3600
_NOTED_S = 60
_MOST_FILES = 500


@with_config(SHAPE)
class ExpiresAfter(TypedDict):
    """When a store expires that is not used."""

    anchor: Literal["last_active_at"]
    days: Annotated[int, Field(ge=1, le=365)]


class CreateVectorStore(Request):
    """The body of `POST /vector_stores`; null means not given."""

    name: Name | None = None
    description: Annotated[str, Field(max_length=512)] | None = None
    file_ids: Annotated[list[str], Field(max_length=_MOST_FILES)] | None = None
    chunking_strategy: ChunkingStrategy | None = None
    expires_after: ExpiresAfter | None = None
    metadata: Metadata | None = None


class ModifyVectorStore(Request):
    """The body of `POST /vector_stores/{vector_store_id}`; null clears."""

    name: Name | None = None
    expires_after: ExpiresAfter | None = None
    metadata: Metadata | None = None


def create(tx: Tx, project: str, request: CreateVectorStore, now: int) -> str:
    """Create a store, with files to be processed. Raises Refused."""
    for position, file_id in enumerate(request.file_ids or ()):
        references.file(tx, project, file_id, now, f"file_ids[{position}]")
    store_id = new(
        tx,
        project,
        now,
        file_ids=request.file_ids or (),
        chunking=request.chunking_strategy,
        days=request.expires_after["days"] if request.expires_after else None,
        name=request.name,
        description=request.description,
        metadata=request.metadata,
    )
    return get(tx, project, store_id, now)


def new(
    tx: Tx,
    project: str,
    now: int,
    *,
    file_ids: Sequence[str] = (),
    chunking: Mapping[str, Any] | None = None,
    days: int | None = None,
    name: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> str:
    """Make a store with files that are there; gives its id. A chunking strategy counts for later files as well."""
    store_id = new_id("vs")
    tx.run(
        "vector_store.insert",
        id=store_id,
        project=project,
        created_at=now,
        expires_days=days,
        expires_at=now + days * _DAY_S if days else None,
        about=dump({"name": name or "", "description": description, "metadata": metadata or {}}),
        chunking=store_files.strategy(chunking) if chunking else None,
    )
    if file_ids:
        files = [CreateStoreFile.model_construct(file_id=file_id) for file_id in file_ids]
        store_files.add(tx, references.vector_store(tx, project, store_id), files, now)
    return store_id


def get(tx: Tx, project: str, store_id: str, now: int) -> str:
    """Read a store. Raises Refused (404)."""
    return wire(references.vector_store(tx, project, store_id), now)


def modify(tx: Tx, project: str, store_id: str, request: ModifyVectorStore, now: int) -> str:
    """Change what was given. Raises Refused: 404, or 400 for another expiry of a store that has expired."""
    row, given = references.vector_store(tx, project, store_id), request.model_fields_set
    about: dict[str, Any] = json.loads(row["about"])
    if "name" in given:
        about["name"] = request.name or ""
    if "metadata" in given:
        about["metadata"] = request.metadata or {}
    days, expires_at, active_at = row["expires_days"], row["expires_at"], row["last_active_at"]
    if "expires_after" in given:
        references.live_store(tx, project, store_id, now)
        days = request.expires_after["days"] if request.expires_after else None
        active_at = now
        expires_at = now + days * _DAY_S if days else None
    changed = {"about": dump(about), "last_active_at": active_at, "expires_days": days, "expires_at": expires_at}
    tx.run("vector_store.save", id=store_id, **changed)
    return wire({**row, **changed}, now)


def list_(tx: Tx, project: str, query: PageQuery, now: int) -> str:
    """Read a page of a project's stores, newest first unless asked otherwise. Raises Refused."""
    return page(tx, "vector_store.page", query, wire=lambda row: wire(row, now), project=project)


def remove(tx: Tx, project: str, store_id: str) -> str:
    """Delete a store; its files stay, and their chunks go. Raises Refused (404).

    Whoever calls this takes it out of the assistants and threads that have it.
    """
    row = references.vector_store(tx, project, store_id)
    tx.run("store_file.give_up_chunks", store=store_id)
    tx.run("vector_store.delete", id=store_id, project=project)
    bury(tx, project, row)
    return dump({"id": store_id, "object": "vector_store.deleted", "deleted": True})


def is_idle(tx: Tx, project: str, store_id: str, now: int) -> bool:
    """Say whether a store has not been used for a minute: expiry is in days, and its uses need not be noted oftener."""
    row = tx.one("vector_store.get", id=store_id, project=project)
    return row is not None and now - row["last_active_at"] >= _NOTED_S


def touch(tx: Tx, store_id: str, now: int) -> None:
    """Note that a store is used, which puts its expiry off."""
    tx.run("vector_store.touch", id=store_id, now=now)


def empty_expired(tx: Tx, now: int, *, limit: int) -> int:
    """Give up the chunks of stores whose time is up, `limit` at most; how many. What files they had stays known.

    Files that are still to be processed are cancelled: whoever waits for them is told.
    """
    rows = tx.all("vector_store.expired", now=now, limit=limit)
    for row in rows:
        for file in tx.all("store_file.under_way", store=row["id"]):
            store_files.move(tx, file, "cancel")
            store_files.give_up_chunks(tx, file)
        tx.run("store_file.give_up_chunks", store=row["id"])
        tx.run("vector_store.emptied", id=row["id"])
    return len(rows)


def wire(row: Row, now: int) -> str:
    """Make the API's object of a row."""
    about = json.loads(row["about"])
    counts = {name: row[name] for name in ("in_progress", "completed", "failed", "cancelled")}
    days = row["expires_days"]
    store = {
        "id": row["id"],
        "object": "vector_store",
        "created_at": row["created_at"],
        "name": about["name"],
        **({"description": about["description"]} if about.get("description") is not None else {}),
        "usage_bytes": row["usage_bytes"],
        "chunks": row["chunks"],
        "file_counts": {**counts, "total": sum(counts.values())},
        "status": "in_progress" if row["in_progress"] else "completed",
        **({"expires_after": {"anchor": "last_active_at", "days": days}} if days else {}),
        "expires_at": row["expires_at"],
        "last_active_at": row["last_active_at"],
        "metadata": about["metadata"],
        "embedding": json.loads(row["embedding"]) if row["embedding"] else None,
    }
    if references.is_expired(row, now):
        store["status"] = "expired"
    return dump(store)
