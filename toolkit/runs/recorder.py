"""The journal's listener: hears of a run's events and of each call where it is made, and writes down what must survive.

It decides nothing; what was written is read by `kept.py`, and what follows from it is decided in `gate.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.errors import JournalError
from toolkit.runs.effects import Json, Note, Record, RunTools
from toolkit.runs.events import Event, ServerEvent
from toolkit.runs.journal import Journal
from toolkit.runs.kept import (
    finished_note,
    kept_calls,
    run_note,
    started_note,
    state_note,
    state_of,
    states_in,
    submitted_note,
    uploaded_note,
)
from toolkit.runs.late import continued_by
from toolkit.runs.result import Result
from toolkit.tools.calls import Call, FinishedCall

__all__ = ["Recorder"]

_log = logging.getLogger("toolkit.runs")
_OVER = frozenset({"completed", "incomplete", "failed", "cancelled"})
_HEARD = frozenset({"thread.run.created", "thread.run.step.completed"})


class Recorder:
    """Keeps the journal of one run; without a journal it hears nothing and does nothing."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._entries: Mapping[str, str] = {}
        self._number = 0
        self._state: Json | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is a journal."""
        return self._journal is not None

    def cares(self, event: Event) -> bool:
        """Whether an event is one to hear of: most are not, and hearing takes the time of a write."""
        return self._journal is not None and isinstance(event, ServerEvent) and event.name in _HEARD

    def heard(self, event: Event) -> None:
        """Write down that a run has begun, or that the server has outputs; what cannot be written is logged."""
        if self._journal is None or not isinstance(event, ServerEvent):
            return
        try:
            data = event.data
        except ValueError:  # broken JSON: as if it had been lost
            return
        try:
            if event.name == "thread.run.created":
                self._journal.add(data["id"], *run_note(data["thread_id"]))
                self._forget_before(self._journal, data)
            elif data["type"] == "tool_calls":
                for call in data["step_details"]["tool_calls"]:
                    self._journal.add(data["run_id"], *submitted_note(call["id"]))
        except JournalError:  # no call is made before `turn` has written, and what is missing here does no harm
            _log.warning("run %s: %s is not in the journal", data.get("run_id", data["id"]), event.name, exc_info=True)

    def recall(self, run_id: str) -> Mapping[str, str]:
        """Read what there is of a run. Raises JournalError."""
        if self._journal is None:
            return {}
        self._entries = self._journal.read(run_id)
        number = max(states_in(self._entries), default=0)
        if self._state is None or number != self._number:
            self._number, self._state = number, state_of(self._entries)
        return self._entries

    def turn(self, effect: RunTools) -> _Turn | None:
        """Get ready for the calls of a turn, which are then told to what this gives. Raises JournalError."""
        if self._journal is None:
            return None
        if effect.state is None:
            self._journal.add(effect.run_id, *run_note(effect.thread_id))
        else:
            self._go_on(self._journal, effect, effect.state)
        for note in effect.notes:
            self._journal.add(effect.run_id, *note)
        known = kept_calls(self._entries, {call.id for call in effect.calls})
        return _Turn(self._journal, effect.run_id, {call_id: kept.starts for call_id, kept in known.items()})

    def _go_on(self, journal: Journal, effect: RunTools, state: Json) -> None:
        """Write down what is new in a run that no server keeps, unless another process has: then the two would mix."""
        note: Note | None = run_note(effect.thread_id, state)
        if self._state is not None:
            note = state_note(self._number + 1, self._state, state)
            self._number += note is not None
        if note is not None and not journal.add(effect.run_id, *note):
            raise JournalError(f"Another process goes on with run {effect.run_id}, or has ended it.")
        self._state = state

    def uploaded(self, effect: Record) -> None:
        """Write down which file an upload has made; that it has made none, and what cannot be written, is logged."""
        where = (effect.call.name, effect.call.id, effect.run_id)
        if effect.file_id is None:
            why = type(effect.error).__name__ if effect.error is not None else "no file"
            _log.warning("tool %s: what call %s of run %s returned could not be uploaded: %s", *where, why)
        elif self._journal is not None:
            try:
                self._journal.add(effect.run_id, *uploaded_note(effect.key, effect.file_id))
            except JournalError:
                _log.warning("tool %s: a file of call %s of run %s is not in the journal", *where, exc_info=True)

    def ended(self, result: Result | None) -> None:
        """Forget a run that is over; not one that expired before it had all outputs, since a new one may get them."""
        if self._journal is None or result is None:
            return
        run = result.run_json
        try:
            if run["status"] in _OVER or (run["status"] == "expired" and self._has_all(run["id"])):
                self._journal.forget(run["id"])
                self._forget_before(self._journal, run)
        except Exception:  # the result is there all the same, and a run that is not forgotten does no harm
            _log.warning("run %s: the journal could not forget it", run["id"], exc_info=True)

    async def aended(self, result: Result | None) -> None:
        """Do as `ended`, without blocking."""
        if self.is_on:
            await asyncio.to_thread(self.ended, result)

    def _forget_before(self, journal: Journal, run: Json) -> None:
        """Forget the expired run that this one goes on with: its outputs are in the thread now."""
        before = continued_by(run)
        if before is not None:
            journal.forget(before)

    def _has_all(self, run_id: str) -> bool:
        return all(kept.is_submitted or not kept.starts for kept in kept_calls(self.recall(run_id)).values())


@dataclass(frozen=True, slots=True)
class _Turn:
    """Hears of the calls of one turn."""

    journal: Journal
    run_id: str
    starts: Mapping[str, int]

    def started(self, call: Call) -> None:
        """Write down that a call begins. Raises JournalError, and the call is not made."""
        if not self.journal.add(self.run_id, *started_note(call, self.starts.get(call.id, 0))):
            raise JournalError(f"Another process has just begun the call {call.id} of run {self.run_id}.")

    def finished(self, finished: FinishedCall) -> None:
        """Write down what a call gave; where that cannot be, the run still gets it."""
        try:
            self.journal.add(self.run_id, *finished_note(finished))
        except JournalError:
            where = (finished.call.name, finished.call.id, self.run_id)
            _log.warning("tool %s: what call %s of run %s gave is not in the journal", *where, exc_info=True)
