"""`toolkit backup`: a copy of a store, whoever is at work on it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import settings
from toolkit.cli.mistakes import Mistake
from toolkit.cli.stored import file_of
from toolkit.engine.store.backup import backup as copy_to

__all__ = ["backup"]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")] = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
) -> None:
    """Copy a store and its files, while servers work on them.

    The files go into FILE-files. The copy is checked before it gets its name,
    and is a store itself: --store sqlite:///FILE.
    """
    if file.is_file() and not force:
        raise Mistake(f"{file} is there already. Name another file, or replace it with --force.")
    began = time.monotonic()
    copied = copy_to(file_of(store, data_dir), file, overwrite=force)
    files = f" and {copied.files / 1e6:,.1f} MB in {file}-files" if copied.files else ""
    typer.echo(f"{file}: {copied.database / 1e6:,.1f} MB{files} in {time.monotonic() - began:.1f} s, checked.")
    if copied.missing:
        typer.echo(f"The store lacks the bytes of {copied.missing} files, and so does the copy.", err=True)
