"""What a benchmark finds, how two things are timed side by side, and the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Pair", "Row", "Scale", "against", "interleaved", "markdown", "middle", "ms", "us"]

Pair = tuple[float, float]
"""How long we took, and how long the floor did."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How thorough to be: 1 measures, 0 only sees that everything works."""

    factor: float = 1.0

    def times(self, count: int, least: int = 1) -> int:
        """Scale a count."""
        return max(least, round(count * self.factor))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    score: float
    """What the budget bounds from above, in `unit`."""
    budget: float
    unit: str = "x"
    others: str = ""
    """What the same takes other libraries."""

    @property
    def ok(self) -> bool:
        """Whether the budget is kept."""
        return self.score <= self.budget

    @property
    def cells(self) -> tuple[str, ...]:
        """What is printed."""
        verdict = "ok" if self.ok else "**over**"
        score, budget = _number(self.score, self.unit), _number(self.budget, self.unit)
        return self.what, self.measured, score, budget, verdict, self.others


def against(what: str, ours_s: float, floor_s: float, budget: float, show: Callable[[float], str]) -> Row:
    """Make the row of something that is measured as a ratio to its floor."""
    return Row(what, f"{show(ours_s)} / {show(floor_s)}", ours_s / floor_s, budget)


def middle(pairs: Sequence[Pair]) -> Pair:
    """Of pairs that were timed one behind the other, give the one whose ratio is the median.

    Where the machine is slow for a while, it is so for both.
    """
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def interleaved(
    ours: Callable[[], object], floor: Callable[[], object], *, rounds: int, batch: int = 1
) -> Sequence[float]:
    """Time both in turn, A B A B, `batch` calls at a time; the median seconds of one call of each."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, seconds in zip((ours, floor), took, strict=True):
            began = time.perf_counter()
            for _ in range(batch):
                work()
            seconds.append((time.perf_counter() - began) / batch)
    return [median(seconds) for seconds in took]


def ms(seconds: float) -> str:
    """Write a duration in milliseconds."""
    return f"{seconds * 1e3:.3g} ms"


def us(seconds: float) -> str:
    """Write a duration in microseconds."""
    return f"{seconds * 1e6:.3g} µs"


def markdown(rows: Sequence[Row]) -> Iterator[str]:
    """Write the table in lines that read well as they are, and in a page of Markdown; others, where there are any."""
    lines = [("what", "measured / floor", "score", "budget", "", "others"), *(row.cells for row in rows)]
    if not any(row.others for row in rows):
        lines = [line[:-1] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, cells in enumerate(lines):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"


def _number(value: float, unit: str) -> str:
    return f"{value:.3g}{unit}" if abs(value) < 1000 else f"{value:.0f}{unit}"
