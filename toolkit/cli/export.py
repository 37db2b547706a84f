"""`toolkit export`: everything in a store, as lines of JSON in one file."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from toolkit import __version__
from toolkit.cli import settings
from toolkit.cli.mistakes import Mistake
from toolkit.cli.progress import Progress
from toolkit.cli.stored import file_of
from toolkit.engine.objects.keys import PROJECT
from toolkit.engine.store.backup_files import folder_of, sync
from toolkit.engine.store.snapshot import snapshot
from toolkit.engine.transfer.exporting import lines_of
from toolkit.engine.transfer.kinds.kind import Export
from toolkit.errors import ToolkitError

__all__ = ["check_project", "counted", "export"]


def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where the lines go; - is stdout.", show_default=False)],
    project: Annotated[str | None, typer.Option(metavar="NAME", help="Only this project's; else all.")] = None,
    files: Annotated[bool, typer.Option("--files/--no-files", help="With the contents of files, or without.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")] = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
) -> None:
    """Write everything in a store into one file, a JSON object a line.

    Servers may be at work on the store: the file shows it as it was at one
    moment. `toolkit import FILE` puts it into another store, ids and all.
    """
    check_project(project)
    address = file_of(store, data_dir)
    assert address.path is not None
    began, progress, counts = time.monotonic(), Progress(), Counter[str]()
    with _opened(file, force) as target, snapshot(address) as tx:
        contents = folder_of(address.path) if files else None
        under_way = Export(tx, int(time.time()), project, contents)
        try:
            for kind, text in lines_of(under_way, f"assistants-toolkit {__version__}"):
                target.write(text.encode() + b"\n")
                counts[kind] += 1
                progress.say(f"{counts.total():,} lines")
            target.flush()
        finally:
            progress.end()
        pending = tx.one("transfer.pending_upload", now=under_way.at) is not None
    taken_s = time.monotonic() - began
    typer.echo(_said(file, counts, under_way, taken_s), err=file == "-")
    for line in _left_out(under_way, pending, files):
        typer.echo(line, err=True)


def check_project(project: str | None) -> None:
    """Raise Mistake for a name that no project can have."""
    if project is not None and not PROJECT.fullmatch(project):
        raise Mistake(f"--project {project!r} is not understood. Take 1 to 64 letters, digits, dots, dashes.")


def counted(number: int, noun: str) -> str:
    """Write a number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@contextlib.contextmanager
def _opened(file: str, force: bool) -> Generator[BinaryIO, None, None]:
    """Open what is written to. A file gets its name when it is whole; only this user can read it."""
    if file == "-":
        with _stdout() as target:
            yield target
        return
    path = Path(file)
    if path.is_dir() or (path.exists() and not force):
        raise Mistake(f"{file} is there already. Name another file, or replace it with --force.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise Mistake(f"{file} cannot be written: {error.strerror}. Name a file that can.") from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            yield target
        sync(part)
        os.replace(part, path)
        sync(path.parent)
    except OSError as error:
        raise ToolkitError(f"{file} was not written: {error.strerror}. Make room, or name another file.") from error
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _stdout() -> Generator[BinaryIO, None, None]:
    try:
        yield sys.stdout.buffer
    except BrokenPipeError:  # whoever reads has read enough
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still held back goes nowhere
        raise ToolkitError(f"The export was not written whole: {error.strerror}. Make room for it.") from error


def _said(file: str, counts: Counter[str], export: Export, taken_s: float) -> str:
    name = "stdout" if file == "-" else file
    files = counted(counts["file"], "file")
    if export.contents is not None:
        files += f" ({export.bytes / 1e6:,.1f} MB)"
    if counts["vector_store"]:
        files += f", {counted(counts['vector_store'], 'vector store')}"
    inside = [counted(counts[kind], kind) for kind in ("message", "run", "step")]
    held = f"{counted(counts['thread'], 'thread')} with {inside[0]}, {inside[1]} and {inside[2]}"
    said = f"{name}: {counted(counts['assistant'], 'assistant')}, {files}, {held}, in {taken_s:.1f} s."
    return textwrap.fill(said, 80, break_long_words=False, break_on_hyphens=False)


def _left_out(export: Export, pending: bool, files: bool) -> list[str]:
    said: list[str] = []
    if not files:
        said.append("The contents of files are left out, as you asked.")
    if export.missing:
        said.append(f"The store lacks the contents of {counted(export.missing, 'file')}, and so does the export.")
    if pending:
        said.append("Uploads that are not complete are left out.")
    return said
