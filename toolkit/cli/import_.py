"""`toolkit import`: what was exported, or saved from elsewhere, into a store."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from toolkit.cli import settings
from toolkit.cli.export import check_project, counted
from toolkit.cli.mistakes import Mistake
from toolkit.cli.progress import Progress
from toolkit.engine.blobs import Blobs
from toolkit.engine.store.address import SQLiteAddress, default_url, parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.engine.transfer.contents import Folder
from toolkit.engine.transfer.importing import Tally
from toolkit.engine.transfer.intake import Intake
from toolkit.engine.transfer.taking import Ending, Options
from toolkit.errors import StoreUnavailable

__all__ = ["import_"]

_SHOWN: Final = 20
"""Problems that are shown; of the others their number."""
_TICK_S: Final = 0.1
_COLUMNS: Final[Mapping[Ending, str]] = {
    "new": "NEW",
    "there": "THERE",
    "replaced": "REPLACED",
    "different": "DIFFERENT",
    "left": "LEFT OUT",
}
_ROWS: Final = {
    "assistant": "assistants",
    "file": "files",
    "vector_store": "vector stores",
    "vector_store_file": "files in these",
    "thread": "threads",
    "message": "messages",
    "run": "runs",
    "step": "steps",
}


def import_(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Exports and dumps; - is stdin.", show_default=False)
    ],
    project: Annotated[str | None, typer.Option(metavar="NAME", help="Put everything into this project.")] = None,
    files_from: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Contents of files, by id or file name, for dumps.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite what is there with other content.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
) -> None:
    """Put exports, or what was saved of another service, into a store.

    FILE is what `toolkit export` wrote, or JSON or JSON lines of the API's own
    objects, in any order. Ids, times and order are kept; what is there already
    stays. Servers may be at work on the store, which is made if it is not there.
    """
    check_project(project)
    address = _address_of(store, data_dir, must_be_there=dry_run)
    folder = _folder(files_from)
    options = Options(replace=replace, dry_run=dry_run)
    problems = _Problems()
    began = time.monotonic()
    try:
        intake = asyncio.run(_imported(address, _inputs(files), options, project, folder, problems))
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error}\nWhat was imported stays. Import again, and the rest follows.") from error
    taken_s = time.monotonic() - began
    typer.echo("\n".join(_said(intake, dry_run, taken_s)))
    if problems.number:
        problems.sum_up()
        raise typer.Exit(1)


class _Problems:
    """What could not be taken over, told as it comes; after some, only counted."""

    def __init__(self) -> None:
        self.number = 0
        self.progress = Progress()

    def tell(self, problem: str) -> None:
        """Tell one."""
        self.number += 1
        if self.number <= _SHOWN:
            self.progress.end()
            typer.echo(problem, err=True)

    def sum_up(self) -> None:
        """Say how many there were, where not all were told."""
        if self.number > _SHOWN:
            typer.echo(f"... and {self.number - _SHOWN:,} more such lines.", err=True)


async def _imported(
    address: SQLiteAddress,
    inputs: Iterator[tuple[str, BinaryIO]],
    options: Options,
    project: str | None,
    folder: Folder | None,
    problems: _Problems,
) -> Intake:
    store = SQLite(address)
    blobs = Blobs(store.files)
    try:
        intake = Intake(
            store, blobs, tell=problems.tell, options=options, now=int(time.time()), project=project, folder=folder
        )
        showing = asyncio.create_task(_show(intake, problems.progress))
        try:
            for name, file in inputs:
                await intake.read(name, file)
            await intake.finish()
        finally:
            showing.cancel()
            problems.progress.end()
        return intake
    finally:
        await store.aclose()
        blobs.close()


async def _show(intake: Intake, progress: Progress) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        done = sum(intake.tally.counts.values())
        progress.say(f"{intake.read_lines:,} lines read, {done:,} of them done")


def _address_of(store: str | None, data_dir: Path | None, *, must_be_there: bool) -> SQLiteAddress:
    """Settle on the store. A dry run makes none: where there is none yet, an empty one stands in."""
    address = parse(settings.store_url(store, data_dir) or default_url())
    if address.path is None:
        raise Mistake("A store in memory is gone with its program. Name one in a file: --store sqlite:///PATH")
    return SQLiteAddress(None) if must_be_there and not address.path.is_file() else address


def _folder(path: Path | None) -> Folder | None:
    if path is None:
        return None
    if not path.is_dir():
        raise Mistake(f"There is no folder {path}. Name the one with the contents of files.")
    return Folder(path)


def _inputs(files: Sequence[str]) -> Iterator[tuple[str, BinaryIO]]:
    """Open one input after the other. Raises Mistake before the first when one is not there."""
    for file in files:
        if file != "-" and not Path(file).is_file():
            raise Mistake(f"There is no file {file}. Name what toolkit export wrote, or what was saved.")
    for file in files:
        if file == "-":
            yield "stdin", sys.stdin.buffer
        else:
            with Path(file).open("rb") as opened:
                yield file, opened


def _said(intake: Intake, dry_run: bool, taken_s: float) -> Iterator[str]:
    tally = intake.tally
    shown: list[Ending] = [how for how in _COLUMNS if how in ("new", "there") or any(_counts(tally, how))]
    yield f"{'':<16}" + "".join(f"{_COLUMNS[how]:>11}" for how in shown)
    for row in zip(_ROWS.values(), *(_counts(tally, how) for how in shown), strict=True):
        if any(row[1:]):
            yield f"{row[0]:<16}" + "".join(f"{number:>11,}" for number in row[1:])
    if tally.made:
        yield f"{counted(tally.made, 'thread')} made for messages whose own thread was not there."
    if tally.ended:
        yield f"{counted(tally.ended, 'run')} under way where they come from: expired here."
    if tally.lacking:
        yield f"{counted(tally.lacking, 'file')} without contents: they answer 404 for them until those are imported."
    if intake.expired:
        yield f"{counted(intake.expired, 'file')} whose time was up: left out."
    for noun, number in sorted(intake.passed_over.items()):
        yield f"{number:,} x {noun}: not imported."
    end = "Nothing was written: a dry run." if dry_run else f"Done in {taken_s:.1f} s."
    yield end


def _counts(tally: Tally, how: Ending) -> list[int]:
    return [tally.counts[kind, how] for kind in _ROWS]
