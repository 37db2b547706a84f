"""`toolkit prune`: forget what nobody has touched for long."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from toolkit.cli import settings
from toolkit.cli.mistakes import Mistake
from toolkit.cli.stored import Stored, file_of, opened
from toolkit.engine import upkeep
from toolkit.engine.objects import kept
from toolkit.engine.pace import Pace
from toolkit.engine.store.space import reclaim
from toolkit.errors import ToolkitError

__all__ = ["prune", "seconds_of"]

T = TypeVar("T")

_UNITS: Final = {"m": 60, "h": 3600, "d": 86400}


def prune(
    older_than: Annotated[
        str, typer.Option(metavar="TIME", help="Since the last message or run: 30d, 12h, 90m.", show_default=False)
    ],
    project: Annotated[str | None, typer.Option(metavar="NAME", help="Only this project's; else all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Shrink the file wholly; servers cannot write meanwhile.")
    ] = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
) -> None:
    """Delete threads that were long unused, and what is in them.

    Servers may be at work meanwhile. A thread with an active run stays, and so do assistants.
    """
    now = int(time.time())
    before = now - seconds_of(older_than)
    address = file_of(store, data_dir)
    with opened(address) as stored:
        work = _Work(stored, before, now, project)
        if dry_run:
            answers = stored.read(lambda tx: upkeep.old_answers(tx, now))
            typer.echo(f"Would delete {_said(work.threads(), older_than, answers)}")
            return
        if not yes and sys.stdin.isatty():
            _confirm(f"Delete {_said(work.threads(), older_than)}")
        done = work.threads(delete=True)
        answers = work.forget_answers()
    typer.echo(f"Deleted {_said(done, older_than, answers)}")
    if address.path is not None:
        typer.echo(_shrunk(address.path, vacuum))


def seconds_of(text: str) -> int:
    """Read a length of time, such as 30d, 12h or 90m. Raises Mistake."""
    match = re.fullmatch(r"([1-9]\d{0,5})([mhd])", text.strip())
    if match is None:
        raise Mistake(f"The time {text!r} is not understood. Write it like 30d, 12h or 90m.")
    return int(match[1]) * _UNITS[match[2]]


def _confirm(what: str) -> None:
    """Ask; raises ToolkitError when it is not to be, or nobody answers."""
    typer.echo(what)
    try:
        agreed = typer.confirm("There is no way back. Go on?")
    except typer.Abort:
        agreed = False
    if not agreed:
        raise ToolkitError("Nothing was deleted.")


@dataclass(frozen=True, slots=True)
class _Work:
    """Goes through a store in short transactions, with a pause after each as long as it took."""

    stored: Stored
    before: int
    now: int
    project: str | None

    def threads(self, *, delete: bool = False) -> upkeep.Counts:
        """Count the old threads, or delete them."""
        counts, place, pace = upkeep.Counts(), upkeep.START, Pace()
        while True:
            batch = _paced(pace, partial(self._look, place, delete))
            counts = counts.plus(batch.counts)
            if batch.next is None:
                return counts
            place = batch.next

    def _look(self, place: upkeep.Place, delete: bool, limit: int) -> upkeep.Batch:
        do = self.stored.write if delete else self.stored.read
        return do(
            lambda tx: upkeep.old_threads(
                tx, place, before=self.before, limit=limit, project=self.project, delete=delete
            )
        )

    def forget_answers(self) -> int:
        """Delete the answers that are kept for requests that come again, once their day is over; how many."""
        forget, pace, forgotten = partial(kept.forget, now=self.now), Pace(), 0
        while some := _paced(pace, lambda limit: self.stored.write(partial(forget, limit=limit))):
            forgotten += some
        return forgotten


def _paced(pace: Pace, work: Callable[[int], T]) -> T:
    """Do a piece of work of the right size, and leave the store to others for as long as it took."""
    began = time.monotonic()
    result = work(pace.size)
    took = time.monotonic() - began
    pace.took(took)
    time.sleep(took)
    return result


def _said(counts: upkeep.Counts, older_than: str, answers: int = 0) -> str:
    text = (
        f"{_count(counts.threads, 'thread')} unused for {older_than}, with {_count(counts.messages, 'message')}, "
        f"{_count(counts.runs, 'run')} and {_count(counts.steps, 'step')}."
    )
    if answers:
        text += f"\nAlso {_count(answers, 'answer')} kept for requests that come again, a day old and more."
    if counts.busy:
        text += f"\n{_count(counts.busy, 'old thread')} with an active run: left alone. See: toolkit runs list"
    return text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _shrunk(path: Path, vacuum: bool) -> str:
    space = reclaim(path, full=vacuum)
    text = f"The store holds {_mb(space.size)}, {_mb(space.freed)} less than before."
    if space.spare > space.size // 10:
        text += f"\n{_mb(space.spare)} of it are free for new data; --vacuum gives them back to the disk."
    return text


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
