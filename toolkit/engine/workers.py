"""Who executes runs and processes files: signs of life, and what becomes of the work of one that works no more.

A worker is one `Execution`: an event loop of one process. The runs and files it has name it. It is gone when its
process is, which the store may know at once (`Store.is_gone`), or when its beat has stood still for long: stopped,
hung, or on a machine that cannot be asked. Then they are anybody's to take, and what it still writes is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from toolkit.engine.store import Tx

__all__ = ["Other", "Pulse", "beat", "forget", "leave", "others"]


_REGULARLY_S: Final = 3.0


class Other(NamedTuple):
    """Another worker, as the store knows it."""

    id: str
    beat: int
    busy: bool
    """Whether it has work; one without may stand still."""


def beat(tx: Tx, worker: str) -> None:
    """Show that a worker lives. Whatever gives it work does so too, so that no work names a worker nobody knows."""
    tx.run("worker.beat", id=worker)


def others(tx: Tx, worker: str) -> list[Other]:
    """List the other workers on this store."""
    return [Other(row["id"], row["beat"], bool(row["busy"])) for row in tx.all("worker.others", id=worker)]


def forget(tx: Tx, other: Other) -> bool:
    """Let the work of another worker go, unless it has shown life since it was looked at."""
    if not tx.run("worker.forget", id=other.id, beat=other.beat):
        return False
    _let_go(tx, other.id)
    return True


def leave(tx: Tx, worker: str) -> None:
    """Let all work of a worker go, which works no more."""
    tx.run("worker.leave", id=worker)
    _let_go(tx, worker)


def _let_go(tx: Tx, worker: str) -> None:
    tx.run("run.let_go", owner=worker)
    tx.run("store_file.let_go", owner=worker)


class Pulse:
    """Tells whose beat has stood still for `patience_s`, as seen from here: no clock is compared with another's."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._seen: dict[str, tuple[int, float]] = {}
        """Worker -> its beat, and since when it has been that."""
        self._looked_at = 0.0

    def stopped(self, seen: Iterable[Other], now: float) -> list[Other]:
        """Take a look at a moment of a clock that never jumps; give the busy workers that stand still.

        Only time in which we looked regularly counts: what held us up, a locked store or a stopped machine, may have
        held them up too.
        """
        before = self._seen if now - self._looked_at <= _REGULARLY_S else {}
        self._looked_at, self._seen = now, {}
        stopped: list[Other] = []
        for other in seen:
            if not other.busy:
                continue
            count, since = before.get(other.id, (other.beat, now))
            self._seen[other.id] = (other.beat, since if count == other.beat else now)
            if now - self._seen[other.id][1] >= self._patience_s:
                stopped.append(other)
        return stopped
