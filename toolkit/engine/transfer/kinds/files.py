"""Files, each followed by its bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from toolkit.engine.jsontext import dump
from toolkit.engine.objects.files import LACKING, base_name
from toolkit.engine.store import Row, Tx
from toolkit.engine.transfer.kinds.kind import Export, Kind, There, Written, text_of, walk
from toolkit.engine.transfer.kinds.vector_stores import bytes_came
from toolkit.engine.transfer.lines import FileLine

__all__ = ["KIND", "written"]

_PIECE: Final = 3 * 2**16
"""Bytes in a line: a multiple of three, so that no line but the last is padded."""


def written(export: Export) -> Iterator[Written]:
    """Write all files. Bytes that several files have are written once."""
    for row in walk(export.tx, "transfer.files", project=export.project, now=export.at):
        yield from _written(export, row)


def _written(export: Export, row: Row) -> Iterator[Written]:
    project, sha256 = row["project"], row["sha256"]
    if export.contents is None:
        yield text_of("file", project, row["body"])
    elif sha256 in export.sent:
        yield text_of("file", project, row["body"], sha256=sha256)
    elif (file := _opened(export.contents / sha256[:2] / sha256)) is None:
        export.missing += 1
        yield text_of("file", project, row["body"])
    else:
        with file:
            yield text_of("file", project, row["body"], sha256=sha256)
            yield from _pieces(export, row["id"], file)
        export.sent.add(sha256)


def _opened(place: Path) -> BinaryIO | None:
    try:
        return place.open("rb")
    except FileNotFoundError:
        return None


def _pieces(export: Export, file_id: str, file: BinaryIO) -> Iterator[Written]:
    at = 0
    while piece := file.read(_PIECE):
        data = base64.b64encode(piece).decode()
        yield "bytes", f'{{"kind":"bytes","file":"{file_id}","at":{at},"data":"{data}"}}'
        at += len(piece)
    export.bytes += at


def _find(tx: Tx, line: FileLine) -> There | None:
    row = tx.one("transfer.file", id=line.id)
    if row is None:
        return None
    same = json.loads(row["body"]) == line.object
    lacking = row["sha256"] == LACKING and line.sha256 is not None
    return There(row["project"], same and line.sha256 in (None, row["sha256"]), made=same and lacking)


def _insert(tx: Tx, line: FileLine) -> None:
    tx.run("file.insert", project=line.project, **_columns(line))


def _replace(tx: Tx, line: FileLine) -> None:
    there = tx.one("transfer.file", id=line.id) or {"sha256": LACKING}
    tx.run("transfer.save_file", **{**_columns(line), "sha256": line.sha256 or there["sha256"]})
    bytes_came(tx, line.project, line.id)


def _columns(line: FileLine) -> dict[str, Any]:
    file = line.object
    return {
        "id": line.id,
        "created_at": file["created_at"],
        "expires_at": file.get("expires_at"),
        "purpose": file["purpose"],
        "filename": base_name(file["filename"]),  # by which it may be called where it is used; the object says all
        "bytes": file["bytes"],
        "sha256": line.sha256 or LACKING,
        "body": dump(file),
    }


KIND = Kind(_find, _insert, _replace)
