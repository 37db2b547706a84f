"""`toolkit runs`: which runs there are, what one is about, and how a stuck one ends."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from toolkit.cli import remote, settings
from toolkit.cli.mistakes import Mistake
from toolkit.cli.record import HEAD, Record, entry, facts, page
from toolkit.cli.stored import Stored, file_of, opened
from toolkit.engine import upkeep
from toolkit.engine.states import ACTIVE
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["list_", "show", "unlock"]

Status = Literal[
    "queued", "in_progress", "requires_action", "cancelled", "failed", "completed", "incomplete", "expired"
]
RunId = Annotated[str, typer.Argument(metavar="ID", help="A run's; a thread's stands for its newest run.")]


def list_(
    status: Annotated[
        Status | None, typer.Option(metavar="STATUS", help="Only these, such as requires_action.")
    ] = None,
    project: Annotated[str | None, typer.Option(metavar="NAME", help="Only this project's.")] = None,
    limit: Annotated[int, typer.Option(metavar="RUNS", min=1, help="How many at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    url: remote.Url = None,
    url_key: remote.Key = None,
    url_key_file: remote.KeyFile = None,
) -> None:
    """List runs, newest first, and what they wait for.

    With --url it asks thread by thread, and for the 200 newest threads only.
    """
    if url:
        if project is not None:
            raise Mistake("A server shows the project of the key it is sent. Leave --project out, or use --store.")
        with remote.client_of(url, url_key, url_key_file) as client:
            listing = remote.newest(client, status=status, limit=limit)
    else:
        with opened(file_of(store, data_dir)) as stored:
            found = stored.read(lambda tx: upkeep.newest_runs(tx, project=project, status=status, limit=limit))
            listing = remote.Listing([_record(stored, seen) for seen in found], more=False)
    if as_json:
        typer.echo(json.dumps([facts(record) for record in listing.records], indent=2, ensure_ascii=False))
    else:
        now = time.time()
        typer.echo("\n".join([HEAD, *(entry(record, now) for record in listing.records)]))
    if listing.more:
        typer.echo(f"(of the {remote.LOOKED_AT} newest threads; for all: --store, where the file is)", err=True)


def show(
    run_id: RunId,
    content: Annotated[bool, typer.Option("--content", help="Also what was said: texts, arguments, outputs.")] = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    url: remote.Url = None,
    url_key: remote.Key = None,
    url_key_file: remote.KeyFile = None,
) -> None:
    """Show a run: state, times, steps and calls.

    What users and models said is left out, since such pages are passed around; --content shows it.
    """
    if url:
        with remote.client_of(url, url_key, url_key_file) as client:
            record = remote.record_of(client, _found(client, run_id))
    else:
        with opened(file_of(store, data_dir)) as stored:
            seen = stored.read(lambda tx: upkeep.see(tx, run_id))
            if seen is None:
                raise _nothing(run_id, "this store")
            record = _record(stored, seen)
    typer.echo("\n".join(page(record, time.time(), content=content)))


def unlock(
    run_id: RunId,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    url: remote.Url = None,
    url_key: remote.Key = None,
    url_key_file: remote.KeyFile = None,
) -> None:
    """Cancel a stuck run, so that its thread is free.

    Works beside a running server; a worker that is still at the run writes nothing more.
    """
    if url:
        with remote.client_of(url, url_key, url_key_file) as client:
            typer.echo(_unlocked_there(client, run_id))
        return
    with opened(file_of(store, data_dir)) as stored:
        done = stored.write(lambda tx: upkeep.unlock(tx, run_id, int(time.time())))
    if done is None:
        raise _nothing(run_id, "this store")
    typer.echo(_told(done))


def _told(done: upkeep.Unlocked) -> str:
    if done.run is None or done.was not in ACTIVE:
        state = f"Run {done.run.id} is {done.was}" if done.run else f"Thread {done.thread} has no active run"
        return f"{state}; its thread was locked all the same, and is free now." if done.freed else f"{state}; {_NOT}"
    return f"Run {done.run.id} was {done.was} and is cancelled now.\nThread {done.thread} is free."


_NOT = "there was nothing to do."


def _unlocked_there(client: OpenAI, run_id: str) -> str:
    run = _found(client, run_id)
    if run["status"] not in ACTIVE:
        return f"Run {run['id']} is {run['status']}; {_NOT}"
    remote.cancelled(client, run)
    return f"Run {run['id']} was {run['status']} and is cancelled now.\nThread {run['thread_id']} is free."


def _found(client: OpenAI, run_id: str) -> remote.Object:
    run = remote.found(client, run_id)
    if run is None:
        raise _nothing(run_id, f"the {remote.LOOKED_AT} newest threads there")
    return run


def _nothing(run_id: str, place: str) -> ToolkitError:
    return ToolkitError(f"No run or thread with id {run_id!r} in {place}. See: toolkit runs list")


def _record(stored: Stored, seen: upkeep.Seen) -> Record:
    moving = seen.run.status in ("queued", "in_progress")
    return Record(
        run=json.loads(seen.run.wire),
        project=seen.run.project,
        steps=seen.steps,
        messages=seen.messages,
        attempt=seen.run.attempt,
        worker=seen.owner if moving else None,
        unattended=moving and (seen.owner is None or stored.is_gone(seen.owner)),
    )
