"""Lines, put into a store: what is not there yet, in short transactions, so that others can work on it meanwhile.

Each line is put there whole or not at all, and what is there already stays, so an import that was stopped anywhere is
simply done again. In the end the threads that were touched are put in order: what came last may be older.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from toolkit.engine.pace import TURN_S, Pace
from toolkit.engine.store import Store, Tx
from toolkit.engine.transfer.lines import FileLine, RunLine
from toolkit.engine.transfer.settling import out_of_order, put_in_order
from toolkit.engine.transfer.taking import Ending, Options, Outcome, Placed, take, thread_of

__all__ = ["Import", "Tally"]

_ALONE_S: Final = 0.1
"""How long a transaction may take where nobody else works on the store."""
_LOOKED_AT: Final = 100
"""How many threads are looked at together."""


@dataclass(slots=True)
class Tally:
    """What became of all lines."""

    counts: Counter[tuple[str, Ending]] = field(default_factory=Counter[tuple[str, Ending]])
    """By kind and ending."""
    ended: int = 0
    """Runs that were under way."""
    made: int = 0
    """Threads that were made, since nobody had saved them."""
    bytes: int = 0
    """Of files that are new."""
    lacking: int = 0
    """Files that are new and came without their bytes."""

    def add(self, placed: Placed, outcome: Outcome) -> None:
        """Count what became of a line."""
        line, new = placed.line, outcome.ending == "new"
        self.counts[line.kind, outcome.ending] += 1
        self.made += outcome.made
        if isinstance(line, RunLine):
            self.ended += new and outcome.at_rest
        elif isinstance(line, FileLine) and new:
            self.bytes += line.object["bytes"] if line.sha256 else 0
            self.lacking += line.sha256 is None


class Import:
    """An import under way: `take` lines, then `finish`. What goes wrong with one is told to `tell`, and not raised.

    Raises StoreUnavailable when the store does not work; then nothing of the last lines is there.
    """

    def __init__(self, store: Store, options: Options, tell: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._store, self._options, self._tell = store, options, tell
        self._waiting: list[Placed] = []
        self._pace = Pace()
        self._threads: dict[str, None] = {}
        """Those that were touched, in order."""
        self._seen: set[str] = set()

    async def take(self, placed: Placed) -> None:
        """Put a line into the store, soon."""
        self._waiting.append(placed)
        if len(self._waiting) >= self._pace.size:
            await self.flush()

    async def put(self, placed: Placed) -> None:
        """Put a line into the store, now."""
        self._waiting.append(placed)
        await self.flush()

    async def flush(self) -> None:
        """Put what waits into the store."""
        batch, self._waiting = self._waiting, []
        if batch:
            await self._write(batch)

    async def finish(self) -> None:
        """Put what waits into the store, and the threads that were touched in order."""
        await self.flush()
        threads = [] if self._options.dry_run else list(self._threads)
        for start in range(0, len(threads), _LOOKED_AT):
            for thread_id in await self._store.read(partial(out_of_order, threads[start : start + _LOOKED_AT])):
                await self._store.write(partial(put_in_order, thread_id))

    async def _write(self, batch: Sequence[Placed]) -> None:
        def work(tx: Tx) -> tuple[list[Outcome], bool]:
            others = tx.one("transfer.others")
            return take(tx, batch, self._options, self._seen), others is not None and bool(others["others"])

        began = time.monotonic()
        outcomes, others = await (self._store.read(work) if self._options.dry_run else self._store.write(work))
        took = time.monotonic() - began
        for placed, outcome in zip(batch, outcomes, strict=True):
            self._note(placed, outcome)
        self._pace.took(took, TURN_S if others else _ALONE_S)
        if others:
            await asyncio.sleep(took)  # the store is theirs for as long

    def _note(self, placed: Placed, outcome: Outcome) -> None:
        self.tally.add(placed, outcome)
        if outcome.problem is not None:
            self._tell(outcome.problem)
        thread_id = thread_of(placed.line)
        if thread_id is not None and outcome.ending != "left":
            self._threads[thread_id] = None
