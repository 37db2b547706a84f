"""Measure against the budgets, and print one table: `python tests/benchmarks/run.py [NAME...]`.

Each subject is a file of this folder with a `measure(scale)` that gives rows. Whatever can be is a ratio to its floor,
both measured in turn in this run, so that the figures mean the same on any machine. What the floors are, and a table:
docs/performance.md.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

if __name__ == "__main__":  # started as a program, so that this folder is on the path instead of the checkout
    sys.path[0] = str(Path(__file__).parents[2])

from tests.benchmarks.table import Row, Scale, markdown

__all__ = ["SUBJECTS", "main", "measured"]

SUBJECTS = (
    "imports",
    "definitions",
    "dispatch",
    "rounds",
    "hosts",
    "awaited",
    "parallel",
    "serving",
    "first_words",
    "polling",
    "memory",
    "long_threads",
    "vectors",
    "ingest",
    "sessions",
)


def measured(names: Sequence[str], scale: Scale) -> Iterator[Row]:
    """Measure these subjects, one after another."""
    for name in names:
        print(f"{name} ...", end="\r", file=sys.stderr, flush=True)
        yield from importlib.import_module(f"tests.benchmarks.{name}").measure(scale)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit code is 1 when a budget is not kept."""
    parser = argparse.ArgumentParser(description="Measure against the budgets of docs/performance.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer repetitions; 1 by default")
    given = parser.parse_args(arguments)
    if unknown := sorted({*given.names} - {*SUBJECTS}):
        parser.error(f"there is no {unknown[0]}; there are {', '.join(SUBJECTS)}")
    rows = list(measured(given.names or SUBJECTS, Scale(given.scale)))
    print("\n".join(markdown(rows)))
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
