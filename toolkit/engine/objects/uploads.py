"""Uploads: files that come in parts, in any order, and are put together at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field

from toolkit.engine.blobs import Blob
from toolkit.engine.jsontext import dump
from toolkit.engine.objects import files
from toolkit.engine.objects.fields import Request
from toolkit.engine.objects.files import ExpiresAfter, FileName, Purpose
from toolkit.engine.objects.ids import new_id
from toolkit.engine.states import upload_after
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = [
    "MOST_BYTES",
    "MOST_PART_BYTES",
    "AddPart",
    "CompleteUpload",
    "CreateUpload",
    "Expired",
    "Part",
    "add_part",
    "cancel",
    "chosen",
    "complete",
    "create",
    "expire",
    "parts_of",
]

MOST_BYTES: Final = 8 * 2**30
MOST_PART_BYTES: Final = 64 * 2**20
_MOST_PARTS: Final = 10_000
_OPEN_S: Final = 3600
_REMEMBERED_S: Final = 24 * 3600
"""How long an upload is known after its time, so that a late request is told how it ended."""


class CreateUpload(Request):
    """The body of `POST /uploads`."""

    filename: FileName
    purpose: Purpose
    bytes: Annotated[int, Field(ge=0, le=MOST_BYTES)]
    mime_type: Annotated[str, Field(max_length=256)]
    expires_after: ExpiresAfter | None = None


class AddPart(Request):
    """The form of `POST /uploads/{upload_id}/parts`; `data` is the name its file came with, which says nothing."""

    data: str


class CompleteUpload(Request):
    """The body of `POST /uploads/{upload_id}/complete`."""

    part_ids: Annotated[list[str], Field(max_length=_MOST_PARTS)]
    md5: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was received."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Expired:
    """How many uploads a sweep has ended, and the sha256 of the bytes of their parts."""

    ended: int
    digests: Sequence[str]


def create(tx: Tx, project: str, request: CreateUpload, now: int) -> str:
    """Begin an upload; it is open for an hour."""
    row = {
        "id": new_id("upload"),
        "project": project,
        "created_at": now,
        "expires_at": now + _OPEN_S,
        "bytes": request.bytes,
        "request": dump(request.model_dump(include={"filename", "purpose", "expires_after"})),
    }
    tx.run("upload.insert", **row)
    return _wire({**row, "status": "pending", "file": None})


def add_part(tx: Tx, project: str, upload_id: str, blob: Blob, now: int) -> str:
    """Add a part whose bytes are kept, and held, by the caller. Raises Refused."""
    row = _row(tx, project, upload_id)
    upload_after(upload_id, _status(row, now), "add_part")
    if row["parts"] >= _MOST_PARTS:
        raise Refused(f"Upload '{upload_id}' has {_MOST_PARTS} parts already, the most there may be.", param="data")
    if row["received"] + blob.size > MOST_BYTES:
        raise Refused(f"The parts of upload '{upload_id}' are more than {MOST_BYTES} bytes together.", param="data")
    part = {"id": new_id("part"), "object": "upload.part", "created_at": now, "upload_id": upload_id}
    tx.run("upload.receive", id=upload_id, bytes=blob.size)
    tx.run("upload.add_part", id=part["id"], upload=upload_id, bytes=blob.size, sha256=blob.sha256)
    return dump(part)


def chosen(tx: Tx, project: str, upload_id: str, request: CompleteUpload, now: int) -> Sequence[Part]:
    """Give the parts of which the file is to be made, in order. Raises Refused when they do not make it up."""
    row = _row(tx, project, upload_id)
    upload_after(upload_id, _status(row, now), "complete")
    received = {part["id"]: Part(part["sha256"], part["bytes"]) for part in tx.all("upload.parts", upload=upload_id)}
    listed: set[str] = set()
    for position, part_id in enumerate(request.part_ids):
        place = f"part_ids[{position}]"
        if part_id not in received:
            raise Refused(f"Upload '{upload_id}' has no part with id '{part_id}'.", param=place, code="invalid_value")
        if part_id in listed:
            raise Refused(f"Part '{part_id}' is listed more than once.", param=place, code="invalid_value")
        listed.add(part_id)
    parts = [received[part_id] for part_id in request.part_ids]
    total = sum(part.size for part in parts)
    if total != row["bytes"]:
        raise Refused(
            f"Expected {row['bytes']} bytes, as the upload was created with, but its parts have {total} bytes.",
            param="part_ids",
            code="invalid_value",
        )
    return parts


def complete(tx: Tx, project: str, upload_id: str, blob: Blob, now: int) -> str:
    """End an upload with its file, whose bytes are kept, and held, by the caller. Raises Refused."""
    row = _row(tx, project, upload_id)
    upload_after(upload_id, _status(row, now), "complete")
    file = files.create(tx, project, blob, now, **json.loads(row["request"]))
    return _end(tx, row, "completed", file)


def cancel(tx: Tx, project: str, upload_id: str, now: int) -> str:
    """Cancel an upload. Raises Refused."""
    row = _row(tx, project, upload_id)
    return _end(tx, row, upload_after(upload_id, _status(row, now), "cancel"))


def parts_of(tx: Tx, upload_id: str) -> list[str]:
    """List the sha256 of the bytes of an upload's parts."""
    return [part["sha256"] for part in tx.all("upload.parts", upload=upload_id)]


def expire(tx: Tx, now: int, *, limit: int) -> Expired:
    """End uploads whose time is up, `limit` at most, and forget those that ended long ago."""
    rows = tx.all("upload.overdue", now=now, limit=limit)
    digests: list[str] = []
    for row in rows:
        digests += parts_of(tx, row["id"])
        _end(tx, row, upload_after(row["id"], row["status"], "expire"))
    tx.run("upload.forget", before=now - _REMEMBERED_S, limit=limit)
    return Expired(len(rows), digests)


def _end(tx: Tx, row: Row, status: str, file: str | None = None) -> str:
    tx.run("upload.save", id=row["id"], status=status, file=file, read_status=row["status"])
    tx.run("upload.drop_parts", upload=row["id"])
    return _wire({**row, "status": status, "file": file})


def _row(tx: Tx, project: str, upload_id: str) -> Row:
    row = tx.one("upload.get", id=upload_id, project=project)
    if row is None:
        raise Refused(f"No such Upload object: {upload_id}", status=404, param="id")
    return row


def _status(row: Row, now: int) -> str:
    """Give the status as of now: one whose time is up is expired, whether that is written down yet or not."""
    status: str = row["status"]
    return "expired" if status == "pending" and row["expires_at"] <= now else status


def _wire(upload: Mapping[str, Any]) -> str:
    request = json.loads(upload["request"])
    wire = {
        "id": upload["id"],
        "object": "upload",
        "bytes": upload["bytes"],
        "created_at": upload["created_at"],
        "filename": request["filename"],
        "purpose": request["purpose"],
        "status": upload["status"],
        "expires_at": upload["expires_at"],
    }
    if upload["file"] is not None:
        wire["file"] = json.loads(upload["file"])
    return dump(wire)
