"""Files: what may be asked, what a file looks like, how one is created, read, listed and deleted.

A row says that a file is there; its bytes are elsewhere (`engine/blobs.py`), whole and synced before there is a row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, with_config
from pydantic_core import from_json
from typing_extensions import TypedDict

from toolkit.engine.blobs import Blob
from toolkit.engine.jsontext import dump
from toolkit.engine.objects import references, resources
from toolkit.engine.objects.fields import SHAPE, Request
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.paging import PageQuery, bury, page
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = [
    "LACKING",
    "MOST_BYTES",
    "CreateFile",
    "ExpiresAfter",
    "FileName",
    "ListFiles",
    "Purpose",
    "Stored",
    "base_name",
    "create",
    "delete",
    "digests",
    "expire",
    "forget",
    "get",
    "list_",
    "stored",
]

MOST_BYTES: Final = 512 * 2**20
LACKING: Final = "0" * 64
"""The sha256 of a file whose bytes are not here: it was imported without them. No bytes have this one."""
_NAMELESS: Final = "upload"
_LONGEST_NAME: Final = 1024
_BATCH_S: Final = 30 * 24 * 3600
"""How long files for batches are kept unless it is said."""

Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]


def base_name(name: str) -> str:
    """Give the name of a file without the folders and control characters that it was sent with; never an empty one."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(letter for letter in name if letter >= " " and not "\x7f" <= letter <= "\x9f")
    return _NAMELESS if name.strip() in ("", ".", "..") else name


FileName = Annotated[str, Field(max_length=_LONGEST_NAME), AfterValidator(base_name)]


@with_config(SHAPE)
class ExpiresAfter(TypedDict):
    """When a file goes by itself."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=3600, le=30 * 24 * 3600)]


def _read(value: Any) -> Any:
    """Take an object that stands in a form as JSON, which is how OpenAPI has it; official clients write `a[b]`."""
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        members: dict[str, Any] = from_json(value)
    except ValueError:
        return value  # refused as no object
    return {name: str(member) for name, member in members.items()}


class CreateFile(Request):
    """The form of `POST /files`; `file` is the name of the file that came with it."""

    file: FileName
    purpose: Purpose
    expires_after: Annotated[ExpiresAfter, BeforeValidator(_read)] | None = None


class ListFiles(PageQuery):
    """The query of `GET /files`."""

    limit: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file is, and the sha256 (hex) by which its bytes are found."""

    id: str
    filename: str
    purpose: str
    bytes: int
    sha256: str


def create(
    tx: Tx, project: str, blob: Blob, now: int, *, filename: str, purpose: str, expires_after: ExpiresAfter | None
) -> str:
    """Create a file whose bytes are kept, and held, by the caller."""
    expires_at = _expires_at(purpose, expires_after, now)
    file: dict[str, Any] = {
        "id": new_id("file"),
        "object": "file",
        "bytes": blob.size,
        "created_at": now,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
    }
    if expires_at is not None:
        file["expires_at"] = expires_at
    body = dump(file)
    tx.run(
        "file.insert",
        id=file["id"],
        project=project,
        created_at=now,
        expires_at=expires_at,
        purpose=purpose,
        filename=filename,
        bytes=blob.size,
        sha256=blob.sha256,
        body=body,
    )
    return body


def get(tx: Tx, project: str, file_id: str, now: int) -> str:
    """Read a file. Raises Refused (404)."""
    body: str = _row(tx, project, file_id, now)["body"]
    return body


def stored(tx: Tx, project: str, file_id: str, now: int) -> Stored:
    """Read where the bytes of a file are. Raises Refused (404)."""
    row = _row(tx, project, file_id, now)
    if row["sha256"] == LACKING:
        raise Refused(
            f"The contents of file '{file_id}' are not here: it was imported without them. Import them, or upload the "
            "file again.",
            status=404,
            param="id",
            code="file_content_missing",
        )
    return Stored(row["id"], row["filename"], row["purpose"], row["bytes"], row["sha256"])


def list_(tx: Tx, project: str, query: ListFiles, now: int) -> str:
    """Read a page of a project's files, newest first unless asked otherwise. Raises Refused."""
    if query.purpose:
        return page(tx, "file.of_purpose", query, project=project, purpose=query.purpose, now=now)
    return page(tx, "file.page", query, project=project, now=now)


def delete(tx: Tx, project: str, file_id: str, now: int) -> tuple[str, str]:
    """Delete a file, and take it out of wherever it is used. Gives the answer and the sha256 of its bytes.

    Whoever calls this looks afterwards whether the bytes are still needed. Raises Refused (404).
    """
    row = _row(tx, project, file_id, now)
    _drop(tx, project, row)
    return dump({"id": file_id, "object": "file", "deleted": True}), row["sha256"]


def expire(tx: Tx, now: int, *, limit: int) -> list[str]:
    """Delete files whose time is up, `limit` at most; gives the sha256 of their bytes."""
    rows = tx.all("file.expired", now=now, limit=limit)
    for row in rows:
        _drop(tx, row["project"], row)
    return [row["sha256"] for row in rows]


def digests(tx: Tx, low: str = "", high: str = "g") -> set[str]:
    """List the sha256 (hex) of all bytes that files and parts of uploads need, from `low` to before `high`."""
    return {row["sha256"] for row in tx.all("file.all_bytes", low=low, high=high)}


def forget(tx: Tx, project: str, file_id: str) -> None:
    """Take a file that goes out of everything that names it."""
    resources.forget_file(tx, project, file_id)


def _drop(tx: Tx, project: str, row: Row) -> None:
    forget(tx, project, row["id"])
    tx.run("file.delete", id=row["id"], project=project)
    bury(tx, project, row)


def _row(tx: Tx, project: str, file_id: str, now: int) -> Row:
    row = tx.one("file.get", id=file_id, project=project, now=now)
    if row is None:
        raise references.no_such_file(file_id, "id")
    return row


def _expires_at(purpose: str, expires_after: ExpiresAfter | None, now: int) -> int | None:
    if expires_after is not None:
        return now + expires_after["seconds"]
    return now + _BATCH_S if purpose == "batch" else None
