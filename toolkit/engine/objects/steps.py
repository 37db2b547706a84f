"""Run steps: what they look like, how one opens and closes, how they are read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from toolkit.engine.jsontext import dump
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.paging import PageQuery, page
from toolkit.engine.objects.runs import Event, LastError, Run, Tokens, load, usage_object
from toolkit.engine.objects.threads import tick
from toolkit.engine.states import StepEvent, step_after
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = ["close_step", "get", "list_", "open_step", "open_steps", "steps_of"]

_TIME_OF: Final[Mapping[str, str]] = {
    "completed": "completed_at",
    "failed": "failed_at",
    "cancelled": "cancelled_at",
    "expired": "expired_at",
}


def get(tx: Tx, project: str, thread_id: str, run_id: str, step_id: str, *, contents: bool = False) -> str:
    """Read a step; with the `contents` of results of file_search if wanted. Raises Refused (404)."""
    row = tx.one("step.get", id=step_id, run=run_id, thread=thread_id, project=project)
    if row is None:
        raise Refused(f"No run step found with id '{step_id}'.", status=404)
    return (_full if contents else _body)(row)


def list_(tx: Tx, project: str, thread_id: str, run_id: str, query: PageQuery, *, contents: bool = False) -> str:
    """Read a page of a run's steps, newest first unless asked otherwise; `contents` as in `get`. Raises Refused."""
    load(tx, project, thread_id, run_id)
    return page(tx, "step.page", query, wire=_full if contents else _body, project=project, run=run_id)


def _body(row: Row) -> str:
    body: str = row["body"]
    return body


def _full(row: Row) -> str:
    return row["full"] or _body(row)


def open_step(tx: Tx, run: Run, created_at: int, details: dict[str, Any]) -> tuple[dict[str, Any], tuple[Event, ...]]:
    """Insert a step in progress with these `step_details`; returns it, to be closed later, and its events."""
    step: dict[str, Any] = {
        "id": new_id("step"),
        "object": "thread.run.step",
        "created_at": created_at,
        "run_id": run.id,
        "assistant_id": run.assistant,
        "thread_id": run.thread,
        "type": details["type"],
        "status": "in_progress",
        "cancelled_at": None,
        "completed_at": None,
        "expired_at": None,
        "failed_at": None,
        "last_error": None,
        "step_details": details,
        "usage": None,
        "metadata": {},
    }
    body = dump(step)
    tx.run(
        "step.insert",
        id=step["id"],
        project=run.project,
        thread=run.thread,
        run=run.id,
        created_at=created_at,
        status="in_progress",
        type=step["type"],
        body=body,
    )
    return step, (("thread.run.step.created", body), ("thread.run.step.in_progress", body))


def close_step(
    tx: Tx,
    run: Run,
    step: dict[str, Any],
    event: StepEvent,
    now: int,
    used: Tokens,
    error: LastError | None = None,
    *,
    full: Mapping[str, Any] | None = None,
    contents: bool = False,
) -> tuple[Event, ...]:
    """End a step. Its time comes after every other step's of the thread, also within one second: clients sort by it.

    `full` are its details with the contents of results, where it has any; the event has them if `contents`.
    """
    thread = tx.one("run.thread", id=run.thread, project=run.project)
    last = thread["last_step_at"] if thread is not None else 0
    at = tick(max(last, step["created_at"] - 1), now)
    tx.run("run.step_time", thread=run.thread, at=at)
    step = {**step, "status": step_after(step["status"], event)}
    step[_TIME_OF[step["status"]]] = at
    step["usage"] = usage_object(used)
    if error is not None:
        code = error.code if error.code == "rate_limit_exceeded" else "server_error"
        step["last_error"] = {"code": code, "message": error.message}
    body, whole = dump(step), dump({**step, "step_details": full}) if full else None
    tx.run("step.close", id=step["id"], status=step["status"], body=body, full=whole)
    return ((f"thread.run.step.{step['status']}", whole if whole and contents else body),)


def open_steps(tx: Tx, run: Run) -> Sequence[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Read the steps of a run that are in progress: each as the object, and with its row."""
    return [(json.loads(row["body"]), row) for row in tx.all("step.open", run=run.id)]


def steps_of(tx: Tx, run_id: str) -> Sequence[dict[str, Any]]:
    """Read all steps of a run, oldest first."""
    return [json.loads(row["body"]) for row in tx.all("step.of_run", run=run_id)]
