"""Runs of a thread, each with its steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from toolkit.engine.jsontext import dump, members
from toolkit.engine.objects.runs import run_of
from toolkit.engine.store import Tx
from toolkit.engine.transfer.kinds import steps
from toolkit.engine.transfer.kinds.kind import Export, Kind, There, Written, text_of, walk_by_time
from toolkit.engine.transfer.lines import RunLine
from toolkit.engine.transfer.rest import EXPIRES_S

__all__ = ["KIND", "written"]

_STATE: Final = frozenset(
    {
        "status",
        "required_action",
        "last_error",
        "started_at",
        "cancelled_at",
        "failed_at",
        "completed_at",
        "incomplete_details",
        "usage",
        "expires_at",
    }
)
"""The members that a run's moves change, which are kept beside those that they do not."""


def written(export: Export, project: str, thread_id: str) -> Iterator[Written]:
    """Write the runs of a thread, each followed by its steps."""
    for row in walk_by_time(export.tx, "transfer.runs", thread=thread_id):
        run = run_of(row)
        yield text_of(
            "run",
            project,
            run.wire,
            used=list(run.used),
            turns=run.turns,
            attempt=run.attempt,
            entered_at=run.entered_at,
            expires_at=run.expires_at,
            calls=[call["id"] for call in export.tx.all("call.of_run", run=run.id)],
        )
        yield from steps.written(export, project, run.id)


def _find(tx: Tx, line: RunLine) -> There | None:
    row = tx.one("run.by_id", id=line.id)
    return None if row is None else There(row["project"], json.loads(run_of(row).wire) == line.object, row["thread"])


def _insert(tx: Tx, line: RunLine) -> None:
    run = line.object
    tx.run(
        "transfer.add_run",
        project=line.project,
        thread=run["thread_id"],
        assistant=run["assistant_id"],
        attempt=line.attempt,
        expires_at=line.expires_at or run.get("expires_at") or run["created_at"] + EXPIRES_S,
        entered_at=line.entered_at or run["created_at"],
        **_columns(line),
    )
    for call_id in line.calls:
        tx.run("call.add", run=line.id, id=call_id)


def _replace(tx: Tx, line: RunLine) -> None:
    tx.run("transfer.save_run", **_columns(line))


def _columns(line: RunLine) -> dict[str, Any]:
    run = line.object
    fixed = {name: value for name, value in run.items() if name not in _STATE and name != "metadata"}
    return {
        "id": line.id,
        "created_at": run["created_at"],
        "status": run["status"],
        "fixed": members(fixed),
        "state": dump({name: value for name, value in run.items() if name in _STATE}),
        "metadata": dump(run["metadata"]),
        "used": dump(line.used),
        "turns": line.turns,
    }


KIND = Kind(_find, _insert, _replace)
