"""The run loop: decides, without I/O.

`loop` is a generator of effects. A driver carries each out and sends back one `Reply`; what the loop returns is the
`Result`, and what it raises is the run's end. It has no clock: the driver says `TimeUp` when the limit in seconds
comes, as it tells the app's own reasons to leave (`Reply.left`), and leaving cancels the remote run, once, here.

Nothing happens twice. What was lost is looked for before it is sent again: outputs are handed in again only while the
run still waits for them, and a creation is repeated only where the server keeps Idempotency-Keys or shows no run of
ours.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

from toolkit.errors import RunLost
from toolkit.runs.effects import Effect, Json, Reply, Request, RunTools, Sleep, Turn
from toolkit.runs.hosts import Host
from toolkit.runs.limits import Limits
from toolkit.runs.progress import Progress
from toolkit.runs.result import Result

__all__ = ["loop"]

# Seconds between tries. Nothing is lost by giving up on a run that was never made, so that is done within two seconds;
# a run that is under way is worth waiting for a server that starts again.
_PAUSES_BEFORE = (0.1, 0.4, 1.0)
_PAUSES_AFTER = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 4.0, 4.0, 4.0)
_LEAVE_S = 5.0
_ACTIVE = ("working", "waiting")
_CANNOT_KNOW = (
    "The creation of the thread and its run was not answered, and this server cannot say whether they were made. It "
    "was not sent again: that could start a second run. (In a thread passed as thread_id=, a lost run can be found.)"
)


class _Leave(Exception):
    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


def loop(host: Host, limits: Limits) -> Generator[Effect, Reply, Result]:
    """Bring a run to its end: start it, run the tools it asks for, hand in their outputs, until it is over."""
    progress = Progress()
    try:
        turn = yield from _begin(host, progress)
        while turn.status in _ACTIVE:
            if turn.status == "working":
                turn = yield from _watch(host, progress)
            else:
                turn = yield from _answer(host, limits, progress, turn)
        if progress.has_gaps:
            yield from _list_messages(host, progress)
        return progress.end(turn)
    except RunLost:
        raise  # cancelled, it could not be picked up again
    except _Leave as leave:
        reason, early = leave.reason, True
    except Exception as error:
        reason, early = error, False
    # Outside of the handlers, so that the app's own exception leaves without ours as its context.
    if not host.picked_up:
        try:
            yield from _depart(host, progress, early)
        except _Leave as again:  # a second reason, another Ctrl-C say, ends even this
            reason = again.reason
    raise progress.reason(reason, limits)


def _begin(host: Host, progress: Progress) -> Generator[Effect, Reply, Turn]:
    """Create the run, or find the one whose creation was not answered; or read the one to pick up."""
    if host.picked_up:
        return (yield from _read(host, progress))
    unsure = False
    pauses = iter(_PAUSES_BEFORE)
    while True:
        reply = yield from _ask(host, progress, host.start())
        if progress.run is not None:
            return host.turn(progress.run)
        unsure = unsure or not (reply.refused or reply.status == 429)
        if unsure and not progress.keeps_keys:
            yield from _find(host, progress, reply)
            if progress.run is not None:
                return (yield from _read(host, progress))
        yield from _rest(host, progress, reply, pauses)


def _find(host: Host, progress: Progress, lost: Reply) -> Generator[Effect, Reply, None]:
    """Look whether a creation that was not answered made a run; raise when that cannot be known."""
    reply = yield from _insist(host, progress, host.look())
    if progress.keeps_keys:
        return
    if not host.can_find:
        raise RunLost(_CANNOT_KNOW) from lost.error
    progress.run = host.found(reply)


def _watch(host: Host, progress: Progress) -> Generator[Effect, Reply, Turn]:
    """Read a run until it waits for us or is over: its stream broke, or it has none."""
    pause = 0.02
    progress.has_gaps = True
    while True:
        reply = yield from _insist(host, progress, host.read(progress.run))
        turn = host.turn(progress.known)
        if turn.status != "working":
            return turn
        yield from _ask(host, progress, Sleep(pause if reply.poll_after_s is None else reply.poll_after_s))
        pause = min(2 * pause, 1.0)


def _read(host: Host, progress: Progress) -> Generator[Effect, Reply, Turn]:
    """Read the run as it is now; what happened since we last heard of it was not seen."""
    progress.has_gaps = True
    yield from _insist(host, progress, host.read(progress.run))
    return host.turn(progress.known)


def _answer(host: Host, limits: Limits, progress: Progress, turn: Turn) -> Generator[Effect, Reply, Turn]:
    """Run the calls of a turn and hand in their outputs, the same ones however often it takes."""
    progress.allow(limits, turn)
    run = progress.known
    tools = RunTools(turn.calls, limits.retries_left(turn.calls, progress.calls), run["id"], run["thread_id"])
    done = yield from _ask(host, progress, tools)
    request = host.submit(run, done.finished, progress.turns)
    pauses = iter(_PAUSES_AFTER)
    while True:
        reply = yield from _ask(host, progress, request)
        carried = host.run_in(reply.body)
        if carried is not None:
            return host.turn(carried)
        if reply.refused or not progress.keeps_keys:
            now = yield from _read(host, progress)
            if now != turn:
                return now
        yield from _rest(host, progress, reply, pauses)


def _list_messages(host: Host, progress: Progress) -> Generator[Effect, Reply, None]:
    """List the run's messages, for those that no stream brought."""
    found: list[Json] = []
    after: str | None = ""
    while after is not None:
        reply = yield from _insist(host, progress, host.messages(progress.known, after or None))
        messages, after = host.listed(reply)
        found += messages
    progress.messages = found


def _depart(host: Host, progress: Progress, early: bool) -> Generator[Effect, Reply, None]:
    """Cancel the run if it may still go on; when its creation was cut short, look for it first."""
    if progress.run is None and early and host.can_find:
        reply = yield from _ask(host, progress, replace(host.look(), timeout_s=_LEAVE_S))
        progress.run = host.found(reply) if reply.status == 200 else None
    if progress.run is not None and host.turn(progress.run).status in _ACTIVE:
        yield from _ask(host, progress, replace(host.cancel(progress.run), timeout_s=_LEAVE_S))


def _insist(host: Host, progress: Progress, request: Request) -> Generator[Effect, Reply, Reply]:
    """Send a read until it is answered, for as long as there is hope."""
    pauses = iter(_PAUSES_BEFORE if progress.run is None else _PAUSES_AFTER)
    while True:
        reply = yield from _ask(host, progress, request)
        if reply.status == 200:
            return reply
        yield from _rest(host, progress, reply, pauses)


def _rest(host: Host, progress: Progress, reply: Reply, pauses: Iterator[float]) -> Generator[Effect, Reply, None]:
    """Wait before the next try; raise when there is none left, or no sense in one."""
    pause = None if reply.refused else next(pauses, None)
    if pause is None:
        raise progress.trouble(reply)
    yield from _ask(host, progress, Sleep(pause if reply.wait_s is None else reply.wait_s))


def _ask(host: Host, progress: Progress, effect: Effect) -> Generator[Effect, Reply, Reply]:
    """Yield one effect, and note what came of it."""
    reply = yield effect
    progress.note(reply, host.run_in(reply.body))
    if reply.left is not None:
        raise _Leave(reply.left)
    return reply
