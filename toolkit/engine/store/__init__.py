"""The seam to the database.

A *statement* is SQL with a name, in `queries/<noun>.sql`; nothing else holds SQL, and values only ever travel as
parameters. A *transaction function* is an ordinary function `work(tx)`: it reads and writes through `tx` and returns
plain data. The store runs it where its connection lives (a thread), commits when it returns and rolls everything back
when it raises, so one call of `write` is one transaction. Work must not await, sleep or do other I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

__all__ = ["Row", "Store", "Tx"]

T = TypeVar("T")
Row = Mapping[str, Any]


class Tx(Protocol):
    """One transaction's view of the database. `name` names a statement; parameters are its named parameters."""

    def one(self, name: str, **values: Any) -> Row | None:
        """The first row, or None."""
        ...

    def all(self, name: str, **values: Any) -> Sequence[Row]:
        """Every row."""
        ...

    def run(self, name: str, **values: Any) -> int:
        """Execute a statement that changes rows; how many it changed."""
        ...


class Store(Protocol):
    """A database with our tables in it, already migrated."""

    @property
    def files(self) -> Path | None:
        """The folder for the bytes of files, beside the database; None is one that goes with the process."""
        ...

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction of its own; committed when this returns."""
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a consistent snapshot; it must not write."""
        ...

    def appear(self, worker: str) -> None:
        """Show others on the same database that a worker lives, until this process ends or `disappear`."""
        ...

    def disappear(self, worker: str) -> None:
        """Take the sign of a worker away."""
        ...

    def is_gone(self, worker: str) -> bool:
        """Say whether a worker is known to live no more; False when that is not known."""
        ...

    async def aclose(self) -> None:
        """Finish what is queued and close."""
        ...
