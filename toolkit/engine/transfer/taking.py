"""What becomes of lines that come to a store, in one transaction: each is put there, or is there, or cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from toolkit.engine.store import Row, Tx
from toolkit.engine.transfer.kinds import KINDS, threads
from toolkit.engine.transfer.kinds.kind import There
from toolkit.engine.transfer.lines import ItemLine, MessageLine, ObjectLine, PassageLine, RunLine, StepLine
from toolkit.engine.transfer.rest import at_rest

__all__ = ["Ending", "Options", "Outcome", "Placed", "take", "thread_of"]

Ending = Literal["new", "there", "replaced", "different", "left"]
"""What became of a line: `different` is there with other content, `left` could not be put there."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A line, and where it was read."""

    line: ObjectLine
    place: str


@dataclass(frozen=True, slots=True)
class Options:
    """How to import."""

    replace: bool = False
    """Whether what is there with other content is to become as the line says."""
    dry_run: bool = False
    """Whether to look only."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line."""

    ending: Ending
    problem: str | None = None
    """Why it is not there as it was to be."""
    at_rest: bool = False
    """Whether it was under way where it came from, and is over now."""
    made: bool = False
    """Whether a thread was made for it, since nobody had saved its own."""


def take(tx: Tx, batch: Sequence[Placed], options: Options, seen: set[str]) -> list[Outcome]:
    """Put lines into a store, in order; what became of each. A dry run notes in `seen` what would be there by now."""
    clock = _Clock()
    outcomes = [_taken(tx, placed, options, seen, clock) for placed in batch]
    if not options.dry_run:
        clock.write(tx)
    return outcomes


def thread_of(line: ObjectLine) -> str | None:
    """Give the thread that a line belongs into."""
    if isinstance(line, (ItemLine, PassageLine)):
        return line.thread
    return line.object["thread_id"] if isinstance(line, (MessageLine, RunLine, StepLine)) else None


def _taken(tx: Tx, placed: Placed, options: Options, seen: set[str], clock: _Clock) -> Outcome:
    line = at_rest(placed.line)
    kind, thread_id = KINDS[type(line)], thread_of(line)
    there = kind.find(tx, line)
    if line.id in seen or (there is not None and there.same and there.project == line.project):
        return Outcome("there")
    thread = tx.one("transfer.thread", id=thread_id) if thread_id else None
    lost = isinstance(line, (ItemLine, PassageLine)) and thread is None and thread_id not in seen
    needed = ("transfer.thread", thread_id or "") if lost else kind.needs(line)
    why_not = _differs(line, there, options) or _closed(line, thread) or _lacks(tx, needed, line, seen)
    if why_not is not None:
        return Outcome("different" if there else "left", f"{placed.place}: {line.id} {why_not}")
    made = thread_id is not None and thread is None and thread_id not in seen
    if options.dry_run:
        seen |= {line.id, thread_id or line.id}
    else:
        if made and not isinstance(line, (ItemLine, PassageLine)):
            threads.KIND.insert(tx, threads.made(line.project, thread_id or "", line.object["created_at"]))
        (kind.replace if there else kind.insert)(tx, line)
        clock.note(line)
    ending: Ending = "replaced" if there and not there.made else "new"
    return Outcome(ending, at_rest=line is not placed.line, made=made)


def _differs(line: ObjectLine, there: There | None, options: Options) -> str | None:
    if there is None:
        return None
    if there.project != line.project:
        return f"is there already, in project {there.project}."
    if there.thread != thread_of(line):
        return f"is there already, in {there.thread}."
    return None if there.made or options.replace else "is there with other content, and stays as it is."


def _closed(line: ObjectLine, thread: Row | None) -> str | None:
    """Say why nothing can be put into a thread that is there."""
    if thread is None:
        return None
    if thread["project"] != line.project:
        return f"is of a thread that is in project {thread['project']}."
    active = thread["active_run"]
    return None if active is None else f"is left out: run {active} is active on its thread. Import again after it."


def _lacks(tx: Tx, needed: tuple[str, str] | None, line: ObjectLine, seen: set[str]) -> str | None:
    if needed is None or needed[1] in seen:
        return None
    row = tx.one(needed[0], id=needed[1])
    there = row is not None and row["thread"] == thread_of(line) and row["project"] == line.project
    return None if there else f"is left out: {needed[1]} is not there."


_STEP_TIMES: Final = ("completed_at", "failed_at", "cancelled_at", "expired_at")


class _Clock:
    """The times that threads go on from."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}

    def note(self, line: ObjectLine) -> None:
        """Note the times of what was put into a thread."""
        if isinstance(line, (MessageLine, RunLine)):
            self._note(line.object["thread_id"], line.object["created_at"], 0)
        elif isinstance(line, StepLine):
            self._note(line.object["thread_id"], 0, max(line.object.get(name) or 0 for name in _STEP_TIMES))

    def _note(self, thread_id: str, at: int, step_at: int) -> None:
        last, last_step = self._last.get(thread_id, (0, 0))
        self._last[thread_id] = max(at, last), max(step_at, last_step)

    def write(self, tx: Tx) -> None:
        """Have the threads go on from there."""
        for thread_id, (last_at, last_step_at) in self._last.items():
            tx.run("transfer.clock", id=thread_id, last_at=last_at, last_step_at=last_step_at)
