"""The answers to the calls of one turn: what is known of them, who must be asked, then the calls, then their files."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from toolkit.errors import CallsUnknown
from toolkit.runs.asking import ask
from toolkit.runs.effects import Ask, Call, Effect, FinishedCall, Recall, Reply, RunTools
from toolkit.runs.gate import Sorted
from toolkit.runs.kept import kept_calls, uploads_in
from toolkit.runs.progress import Progress
from toolkit.runs.uploading import uploaded

__all__ = ["answers"]


def answers(progress: Progress, calls: Sequence[Call]) -> Generator[Effect, Reply, Sequence[FinishedCall] | None]:
    """Answer the calls of a turn; None when somebody must decide first, `progress.pending` says on what.

    Raises CallsUnknown, ApprovalMismatch, and what the app's own functions raise.
    """
    gate, run = progress.gate, progress.known
    recalled = (yield from ask(progress, Recall(run["id"]))) if gate.has_journal else Reply()
    kept = kept_calls(recalled.kept, {call.id for call in calls})
    progress.uploads |= uploads_in(recalled.kept)
    found = gate.sort(run, calls, kept, gate.decisions)
    if found.unknown:
        raise _unknown(progress, found)
    if found.to_approve:
        asked = yield from ask(progress, Ask(tuple(found.to_approve)))
        found = gate.sort(run, calls, kept, {**gate.decisions, **asked.decisions})
    if found.to_approve:  # all of them are to be decided on together: who decides on some is asked for all again
        progress.pending = progress.pending_of(run, gate.sort(run, calls, kept, {}).to_approve)
        return None
    done = yield from ask(
        progress,
        RunTools(
            tuple(found.calls),
            progress.limits.retries_left(calls, progress.retried),
            run["id"],
            run["thread_id"],
            found.settled,
            frozenset(found.changed),
            tuple(found.notes),
            progress.host.state(run) if gate.has_journal else None,
        ),
    )
    return (yield from uploaded(progress, done.finished))


def _unknown(progress: Progress, found: Sorted) -> CallsUnknown:
    names = ", ".join(f"{call.name} ({call.id})" for call in found.unknown)
    begun = {call.id: starts for call, starts in found.unknown.items()}
    return CallsUnknown(
        f"The program stopped while it called {names}, and whether that took effect is not known. It was not called "
        'again. Resume error.pending with a decision on each call, or with on_unknown="tell".',
        pending=progress.pending_of(progress.known, list(found.unknown), begun),
    )
