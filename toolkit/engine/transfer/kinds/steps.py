"""Steps of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from toolkit.engine.jsontext import dump
from toolkit.engine.store import Tx
from toolkit.engine.transfer.kinds.kind import Export, Kind, There, Written, text_of, walk
from toolkit.engine.transfer.lines import StepLine

__all__ = ["KIND", "written"]

_ELSEWHERE = ""
"""The session in which code was run: it stayed where the step comes from, and the model is told so."""


def written(export: Export, project: str, run_id: str) -> Iterator[Written]:
    """Write the steps of a run."""
    for row in walk(export.tx, "transfer.steps", run=run_id):
        more: dict[str, Any] = {}
        if row["full"] is not None:
            more["full"] = json.loads(row["full"])["step_details"]
        if row["status"] == "in_progress":
            more |= {"at": export.at, "used": json.loads(row["used"]) if row["used"] else None}
        yield text_of("step", project, row["body"], **more)


def _find(tx: Tx, line: StepLine) -> There | None:
    row = tx.one("transfer.step", id=line.id)
    return None if row is None else There(row["project"], json.loads(row["body"]) == line.object, row["thread"])


def _insert(tx: Tx, line: StepLine) -> None:
    step = line.object
    tx.run(
        "transfer.add_step",
        id=line.id,
        project=line.project,
        thread=step["thread_id"],
        run=step["run_id"],
        created_at=step["created_at"],
        status=step["status"],
        type=step["type"],
        body=dump(step),
        full=_full(line),
    )
    if any(call["type"] == "code_interpreter" for call in step["step_details"].get("tool_calls", ())):
        tx.run("code.set_session", thread=step["thread_id"], session=_ELSEWHERE)


def _replace(tx: Tx, line: StepLine) -> None:
    step = line.object
    tx.run(
        "transfer.save_step",
        id=line.id,
        created_at=step["created_at"],
        status=step["status"],
        type=step["type"],
        body=dump(step),
        full=_full(line),
    )


def _full(line: StepLine) -> str | None:
    return dump({**line.object, "step_details": line.full}) if line.full else None


KIND = Kind(_find, _insert, _replace, needs=lambda line: ("run.by_id", line.object["run_id"]))
