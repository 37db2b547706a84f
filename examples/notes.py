"""An assistant that works on a folder of your own notes and tables.

    cd ~/my-notes && toolkit run path/to/examples/notes.py "Search my notes for roof"
    NOTES_DIR=examples/notes toolkit run examples/notes.py "Figures of the column amount in expenses.csv"

The folder is NOTES_DIR, or the current one. The tools only read, only text of moderate size, and never outside it.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field

from toolkit import ToolError, Toolset, tool

FOLDER = Path(os.environ.get("NOTES_DIR") or ".").resolve()
KINDS = {".md", ".txt", ".csv"}
LARGEST_BYTES = 1_000_000
MOST_FILES = 1_000


@dataclass
class Note:
    """A file as it is listed."""

    file: str
    bytes: int
    changed: datetime


@dataclass
class Hit:
    """A line in which something was found; lines count from 1."""

    file: str
    line: int
    text: str


@dataclass
class Figures:
    """What there is to say about a column of numbers."""

    rows: int
    empty: int
    sum: float
    mean: float
    smallest: float
    largest: float


def notes_in(folder: Path) -> Iterator[Path]:
    """Find notes and tables, hidden folders left out."""
    found = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")) and name != "node_modules")
        for name in sorted(files):
            path = Path(place, name)
            if path.suffix.lower() in KINDS and not path.is_symlink():
                yield path
                found += 1
                if found == MOST_FILES:
                    return


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def text_of(file: str) -> str:
    """Read a file the model named. Links are followed first, so that none leads out of the folder."""
    path = (FOLDER / file).resolve()
    if not path.is_relative_to(FOLDER):
        raise ToolError(f"{file!r} is outside the folder of notes.")
    if path.suffix.lower() not in KINDS:
        raise ToolError(f"{file!r} is not a note or table; those end in {', '.join(sorted(KINDS))}.")
    if not path.is_file():
        raise ToolError(f"There is no file {file!r}. list_notes says what there is.")
    if path.stat().st_size > LARGEST_BYTES:
        raise ToolError(f"{file!r} is larger than {LARGEST_BYTES:,} bytes.")
    return path.read_bytes().decode("utf-8-sig", errors="replace")


@tool
def list_notes() -> list[Note]:
    """List the notes and tables in the folder."""
    return [
        Note(name_of(path), path.stat().st_size, datetime.fromtimestamp(int(path.stat().st_mtime)).astimezone())
        for path in notes_in(FOLDER)
    ]


@tool
def search_notes(words: str, most: Annotated[int, Field(ge=1, le=100)] = 20) -> list[Hit]:
    """Search the notes for words; upper and lower case are the same.

    Args:
        words: What to look for. A line is found when it holds all of the words.
        most: How many lines to give back at most.
    """
    wanted = words.casefold().split()
    if not wanted:
        raise ToolError("Give at least one word to search for.")
    hits: list[Hit] = []
    for path in notes_in(FOLDER):
        if path.stat().st_size > LARGEST_BYTES:
            continue
        for number, line in enumerate(text_of(name_of(path)).splitlines(), start=1):
            if all(word in line.casefold() for word in wanted):
                hits.append(Hit(name_of(path), number, line.strip()[:200]))
                if len(hits) == most:
                    return hits
    return hits


@tool
def read_note(file: str) -> str:
    """Read one note in full.

    Args:
        file: File name as it is listed, such as ideas.md.
    """
    return text_of(file)


@tool
def table_figures(file: str, column: str) -> Figures:
    """Compute the figures of a column of a CSV table: rows, sum, mean, smallest, largest.

    Args:
        file: Name of the CSV file, such as expenses.csv.
        column: Name of a column of numbers, as the table's first line gives it.
    """
    lines = text_of(file).splitlines() or [""]
    table = csv.DictReader(lines, delimiter=max(",;\t", key=lines[0].count))
    columns = table.fieldnames or []
    if column not in columns:
        raise ToolError(f"{file!r} has no column {column!r}; it has {', '.join(columns) or 'none'}.")
    cells = [(row[column] or "").strip() for row in table]
    try:
        numbers = [float(cell) for cell in cells if cell]
    except ValueError as problem:
        raise ToolError(f"The column {column!r} of {file!r} is not all numbers: {problem}.") from None
    if not numbers:
        raise ToolError(f"The column {column!r} of {file!r} is empty.")
    total = round(sum(numbers), 6)
    mean = round(total / len(numbers), 6)
    return Figures(len(cells), len(cells) - len(numbers), total, mean, min(numbers), max(numbers))


tools = Toolset(list_notes, search_notes, read_note, table_figures)
