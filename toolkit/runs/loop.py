"""The run loop: decides, without I/O.

`loop` is a generator of effects. A driver carries each out and sends back one `Reply`; what the loop returns is the
`Result`, and what it raises is the run's end. It has no clock: the driver says `TimeUp` when the limit in seconds
comes, as it tells the app's own reasons to leave (`Reply.left`), and leaving cancels the remote run, once, here.

Nothing happens twice. What was lost is looked for before it is sent again: outputs are handed in again only while the
run still waits for them, and a creation is repeated only where the server keeps Idempotency-Keys or shows no run of
ours.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

from toolkit.errors import RunKept
from toolkit.runs.answers import answers
from toolkit.runs.asking import Leave, ask, insist, pauses, rest, watch
from toolkit.runs.beginning import begin, read
from toolkit.runs.effects import Effect, Json, Reply, Turn
from toolkit.runs.form import Form
from toolkit.runs.gate import Gate
from toolkit.runs.hosts import Host
from toolkit.runs.limits import Limits
from toolkit.runs.progress import Progress
from toolkit.runs.result import Result

__all__ = ["loop"]

_LEAVE_S = 5.0
_ACTIVE = ("working", "waiting")

Move = Generator[Effect, Reply, Turn]


def loop(
    host: Host, limits: Limits, gate: Gate, form: Form[Any] | None = None
) -> Generator[Effect, Reply, Result[Any]]:
    """Bring a run to its end: start it, run the tools it asks for, hand in their outputs, until it is over."""
    progress = Progress(host, limits, gate, run=host.run, form=form)
    try:
        turn = yield from begin(progress)
        while True:
            while turn.status in _MOVES:
                turn = yield from _MOVES[turn.status](progress, turn)
            if progress.has_gaps:
                yield from _list_messages(progress)
            complaint = progress.complaint(turn)
            if complaint is None:
                return progress.end(turn)
            progress.go_on(progress.host.corrected(progress.known, complaint))
            turn = yield from begin(progress)
    except Leave as leave:
        reason, early = leave.reason, True
    except Exception as error:
        reason, early = error, False
    # Outside of the handlers, so that the app's own exception leaves without ours as its context.
    if not (progress.host.picked_up or isinstance(reason, RunKept)):
        try:
            yield from _depart(progress, early)
        except Leave as again:  # a second reason, another Ctrl-C say, ends even this
            reason = again.reason
    raise progress.reason(reason)


def _watch(progress: Progress, turn: Turn) -> Move:
    """Read a run until it waits for us or is over: its stream broke, or it has none."""
    progress.has_gaps = True
    return (yield from watch(progress, progress.to_read, (turn.status,)))


def _answer(progress: Progress, turn: Turn) -> Move:
    """Answer the calls of a turn and hand in their outputs, the same ones however often it takes."""
    progress.allow(turn)
    finished = yield from answers(progress, turn.calls)
    if finished is None:
        return replace(turn, status="paused")
    request = progress.host.submit(progress.known, finished, progress.turns)
    tries = pauses(progress)
    while True:
        reply = yield from ask(progress, request)
        carried = progress.host.run_in(reply.body)
        if carried is not None:
            return progress.hand_in(progress.host.turn(carried))
        if reply.refused or not progress.keeps_keys:
            now = yield from read(progress)
            if now != turn:
                return progress.hand_in(now)
        yield from rest(progress, reply, tries)


def _hand_over(progress: Progress, turn: Turn) -> Move:
    """Answer what an expired run still asks for, and let a new run go on from there; unless that was done before."""
    run, expiry = progress.known, progress.host.expiry
    if expiry is None:
        return replace(turn, status="expired")
    heir = expiry.heir(run, (yield from insist(progress, expiry.runs(run))))
    if heir is not None:
        progress.run, progress.has_gaps = heir, True
        return progress.host.turn(heir)
    calls = expiry.unanswered((yield from insist(progress, expiry.steps(run))))
    if not calls:
        return replace(turn, status="expired")
    made = {one.call.id: one for one in progress.calls}
    missing = tuple(call for call in calls if call.id not in made)
    if missing:
        progress.allow(replace(turn, calls=missing))
        finished = yield from answers(progress, missing)
        if finished is None:
            return replace(turn, status="paused")
        made |= {one.call.id: one for one in finished}
    progress.go_on(expiry.successor(run, [made[call.id] for call in calls]))
    return (yield from begin(progress))


_MOVES: Mapping[str, Callable[[Progress, Turn], Move]] = {"working": _watch, "waiting": _answer, "late": _hand_over}


def _list_messages(progress: Progress) -> Generator[Effect, Reply, None]:
    """List the run's messages, for those that no stream brought."""
    found: list[Json] = []
    request = progress.host.messages(progress.known, None)
    if request is None:
        return
    while request is not None:
        messages, after = progress.host.listed(progress.known, (yield from insist(progress, request)))
        found += messages
        request = progress.host.messages(progress.known, after) if after is not None else None
    progress.messages = found


def _depart(progress: Progress, early: bool) -> Generator[Effect, Reply, None]:
    """Cancel the run if it may still go on; when its creation was cut short, look for it first."""
    host, threads = progress.host, progress.host.threads
    if early and progress.is_unsure and progress.run is None and threads is not None and threads.can_find:
        reply = yield from ask(progress, replace(threads.look(), timeout_s=_LEAVE_S))
        progress.run = threads.found(reply) if reply.status == 200 else None
    if progress.run is not None and host.turn(progress.run).status in _ACTIVE:
        cancel = host.cancel(progress.run)
        if cancel is not None:
            yield from ask(progress, replace(cancel, timeout_s=_LEAVE_S))
