"""`toolkit files`: put files into a vector store, and see how their processing goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from toolkit.cli import meaning, settings
from toolkit.cli.config import ConfigFile, config_of
from toolkit.cli.mistakes import Mistake
from toolkit.cli.models import answering_of
from toolkit.cli.remote import Key, KeyFile, Url, client_of

if TYPE_CHECKING:
    from openai import OpenAI
    from rich.progress import Progress

__all__ = ["add", "files_of"]

_LOOK_S: Final = 0.1
_AT_ONCE: Final = 500
"""How many files come in one batch, at most."""
_SHOWN: Final = 20
"""How many files that failed are named."""


def add(
    into: Annotated[str, typer.Argument(metavar="STORE", help="Id of a vector store, or a name for one.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files, and folders with all that is in them.")
    ],
    url: Url = None,
    url_key: Key = None,
    url_key_file: KeyFile = None,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    model_url: settings.ModelUrl = None,
    model_key: settings.ModelKey = None,
    model_key_file: settings.ModelKeyFile = None,
    config: ConfigFile = None,
    embeddings_model: meaning.EmbeddingsModel = None,
    embeddings_url: meaning.EmbeddingsUrl = None,
    embeddings_key_file: meaning.EmbeddingsKeyFile = None,
) -> None:
    """Put files into a vector store, and wait until they can be searched.

    A name that no store has makes a new one. A file that is there already, with
    the same name and size, is left as it is, so the command can be repeated.
    The exit code is 1 when some could not be read.
    """
    wanted = files_of(paths)
    with ExitStack() as stack:
        if url:
            client = client_of(url, url_key, url_key_file)
        else:
            from toolkit.engine import Engine

            said = config_of(config)
            default = settings.model_settings(model_url, model_key, model_key_file, ambient=not said.endpoints)
            answering = answering_of(default, said, {})
            embeddings = (embeddings_model, embeddings_url, embeddings_key_file)
            about = meaning.meaning_of(said, answering, embeddings, (None, None, None))
            place = settings.store_url(store, data_dir)
            engine = Engine(place, model=answering.default, endpoints=answering.endpoints, **about.settings)
            client = stack.enter_context(engine).client()
        ended = _put(client, into, wanted)
    _tell(ended)
    if ended.failed:
        raise typer.Exit(1)


def files_of(paths: Sequence[Path]) -> Sequence[Path]:
    """List the files that are meant: those named, and all in the folders named, but hidden ones. Raises Mistake."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise Mistake(f"There is no {path}. Name files, or folders of files.")
        found |= dict.fromkeys([path] if path.is_file() else sorted(_inside(path)))
    if not found:
        raise Mistake(f"There are no files in {', '.join(map(str, paths))}.")
    return list(found)


def _inside(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name == "__pycache__" or path.is_symlink():
            continue
        if path.is_dir():
            yield from _inside(path)
        elif path.is_file():
            yield path


@dataclass(frozen=True, slots=True)
class _Ended:
    """How it ended: the store, how many files were added and how many were there, and why others failed."""

    store: Any
    added: int
    there: int
    failed: Sequence[tuple[str, str]]
    seconds: float


def _put(client: OpenAI, name: str, paths: Sequence[Path]) -> _Ended:
    began = time.monotonic()
    store = _store(client, name)
    there = _there(client, store.id)
    new = [path for path in paths if (path.name, path.stat().st_size) not in there]
    failed: list[tuple[str, str]] = []
    with _progress() as progress:
        sent = progress.add_task("sent", total=len(new), text="")
        done = progress.add_task("processed", total=len(new), text="")
        for at in range(0, len(new), _AT_ONCE):
            named: dict[str, str] = {}
            for path in new[at : at + _AT_ONCE]:
                with path.open("rb") as file:
                    named[client.files.create(file=(path.name, file), purpose="assistants").id] = str(path)
                progress.advance(sent)
            batch = client.vector_stores.file_batches.create(store.id, file_ids=list(named))
            while batch.status == "in_progress":
                time.sleep(_LOOK_S)
                batch = client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id)
                store = client.vector_stores.retrieve(store.id)
                processed = at + batch.file_counts.total - batch.file_counts.in_progress
                progress.update(done, completed=processed, text=_chunks(store))
            for ended in client.vector_stores.file_batches.list_files(
                batch.id, vector_store_id=store.id, filter="failed", limit=100
            ):
                failed.append((named[ended.id], ended.last_error.message if ended.last_error else "unknown"))
    store = client.vector_stores.retrieve(store.id)
    return _Ended(store, len(new) - len(failed), len(paths) - len(new), failed, time.monotonic() - began)


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:>9}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),  # nobody looks
    )


def _store(client: OpenAI, name: str) -> Any:
    """Find a vector store by its id or its name, or make one. Raises Mistake for an id that no store has."""
    from openai import NotFoundError

    if name.startswith("vs_"):
        try:
            return client.vector_stores.retrieve(name)
        except NotFoundError:
            raise Mistake(f"There is no vector store {name}. A name instead of an id makes a new one.") from None
    for store in client.vector_stores.list(limit=100):
        if store.name == name:
            return store
    return client.vector_stores.create(name=name)


def _chunks(store: Any) -> str:
    """Say how many chunks a store has; the hosted service counts none."""
    count = getattr(store, "chunks", None)
    return "" if count is None else f"{count:,} chunks"


def _there(client: OpenAI, store_id: str) -> set[tuple[str, int]]:
    """List the names and sizes of files that a store has, but those that failed."""
    listed = client.vector_stores.files.list(store_id, limit=100)
    ids = {file.id for file in listed if file.status in ("completed", "in_progress")}
    if not ids:
        return set()
    return {(file.filename, file.bytes) for file in client.files.list(purpose="assistants") if file.id in ids}


def _tell(ended: _Ended) -> None:
    counts = ended.store.file_counts
    there = f", {ended.there} there before" if ended.there else ""
    typer.echo(f"{ended.store.id}  {ended.store.name}")
    typer.echo(f"  {ended.added} added{there}, in {ended.seconds:.1f} s; {counts.completed} files can be searched")
    for path, why in ended.failed[:_SHOWN]:
        typer.echo(f"  FAIL  {path}: {why}")
    if len(ended.failed) > _SHOWN:
        typer.echo(f"  and {len(ended.failed) - _SHOWN} more failed")
