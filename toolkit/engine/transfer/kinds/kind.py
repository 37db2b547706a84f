"""What is to be known of a kind of object to bring it from store to store.

A kind is one file in this folder and one line in the table of `kinds/__init__.py`: how its objects are written as lines
of an export, and how a line is looked up, inserted and replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from toolkit.engine.jsontext import dump, quote
from toolkit.engine.objects.resources import let_go
from toolkit.engine.store import Row, Tx
from toolkit.engine.transfer.shapes import Object, as_list, as_object

__all__ = ["ROWS", "Export", "Kind", "There", "Written", "note_resources", "text_of", "walk", "walk_by_time"]

L = TypeVar("L")

ROWS: Final = 100
"""Read at a time: each may have a megabyte."""

Written = tuple[str, str]
"""A line of an export: its kind and its JSON text."""


@dataclass(slots=True)
class Export:
    """One export under way: what is read, and what is noticed."""

    tx: Tx
    """The store as it was at one moment."""
    at: int
    """That moment, in Unix seconds."""
    project: str | None = None
    """Only this project's; None is all."""
    contents: Path | None = None
    """The folder with the bytes of files; None leaves them out."""
    sent: set[str] = field(default_factory=set[str])
    """The sha256 of the bytes that are in the export already."""
    bytes: int = 0
    """How many."""
    missing: int = 0
    """Files whose bytes the store does not have."""


@dataclass(frozen=True, slots=True)
class There:
    """What a store has under the id of a line."""

    project: str
    same: bool
    """Whether it is what the line says."""
    thread: str | None = None
    """The thread that it is in, if it is in one."""
    made: bool = False
    """Whether it stands in for what nobody had saved, and gives way to it."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[L]):
    """How lines of one kind get into a store."""

    find: Callable[[Tx, L], There | None]
    """Look up what there is of a line."""
    insert: Callable[[Tx, L], None]
    replace: Callable[[Tx, L], None]
    needs: Callable[[L], tuple[str, str] | None] = lambda line: None
    """Say what has to be there first: the statement that reads it, and its id."""


def walk(tx: Tx, name: str, **values: Any) -> Generator[Row, None, None]:
    """Read all rows of a statement that takes `:after_seq` and `:limit`, a few at a time, in the order of `seq`."""
    after = -1
    while rows := tx.all(name, after_seq=after, limit=ROWS, **values):
        yield from rows
        after = rows[-1]["seq"]


def walk_by_time(tx: Tx, name: str, **values: Any) -> Generator[Row, None, None]:
    """Read all rows as `walk` does, of a statement that takes `:after_at` too and orders by `created_at` first."""
    after_at = after = -1
    while rows := tx.all(name, after_at=after_at, after_seq=after, limit=ROWS, **values):
        yield from rows
        after_at, after = rows[-1]["created_at"], rows[-1]["seq"]


def text_of(kind: str, project: str, body: str, **more: Any) -> Written:
    """Write a line around the text of an object."""
    members = f",{dump(more)[1:-1]}" if more else ""
    return kind, f'{{"kind":"{kind}","project":{quote(project)}{members},"object":{body}}}'


def note_resources(tx: Tx, holder: str, value: Object) -> None:
    """Note which files for code_interpreter and which vector stores an assistant or thread has, and no others."""
    let_go(tx, holder)
    resources = as_object(value.get("tool_resources"))
    for file_id in as_list(as_object(resources.get("code_interpreter")).get("file_ids")):
        tx.run("file.use", file=str(file_id), holder=holder)
    for store_id in as_list(as_object(resources.get("file_search")).get("vector_store_ids")):
        tx.run("vector_store.use", store=str(store_id), holder=holder)
