"""How the loop asks: one effect and its reply, a read until it is answered, a wait before the next try."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator

from toolkit.runs.effects import Effect, Reply, Request, Sleep, Turn
from toolkit.runs.progress import Progress

__all__ = ["Leave", "again", "ask", "insist", "pauses", "rest", "watch"]

# Seconds between tries. Nothing is lost by giving up on a run that was never made, so that is done within two seconds;
# a run that is under way is worth waiting for a server that starts again.
_BEFORE = (0.1, 0.4, 1.0)
_AFTER = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 4.0, 4.0, 4.0)

Asking = Generator[Effect, Reply, Reply]


class Leave(Exception):
    """The app leaves; `reason` is its own."""

    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


def ask(progress: Progress, effect: Effect) -> Asking:
    """Yield one effect, and note what came of it."""
    reply = yield effect
    progress.note(effect, reply)
    if reply.left is not None:
        raise Leave(reply.left)
    return reply


def insist(progress: Progress, request: Request) -> Asking:
    """Send a read until it is answered, for as long as there is hope."""
    tries = pauses(progress)
    while True:
        reply = yield from ask(progress, request)
        if reply.status == 200:
            return reply
        yield from rest(progress, reply, tries)


def watch(progress: Progress, read: Callable[[], Request], while_in: Collection[str]) -> Generator[Effect, Reply, Turn]:
    """Read a run for as long as it is in one of these states."""
    pause = 0.02
    while True:
        reply = yield from insist(progress, read())
        turn = progress.host.turn(progress.carried(reply))
        if turn.status not in while_in:
            return turn
        yield from ask(progress, Sleep(pause if reply.poll_after_s is None else reply.poll_after_s))
        pause = min(2 * pause, 1.0)


def pauses(progress: Progress) -> Iterator[float]:
    """Say how long to wait before each further try."""
    return iter(_BEFORE if progress.run is None else _AFTER)


def rest(progress: Progress, reply: Reply, tries: Iterator[float]) -> Generator[Effect, Reply, None]:
    """Wait before the next try; raise when there is none left, or no sense in one."""
    if not (yield from again(progress, reply, tries)):
        raise progress.trouble(reply)


def again(progress: Progress, reply: Reply, tries: Iterator[float]) -> Generator[Effect, Reply, bool]:
    """Wait before the next try; False when there is none left, or no sense in one."""
    pause = None if reply.refused else next(tries, None)
    if pause is None:
        return False
    yield from ask(progress, Sleep(pause if reply.wait_s is None else reply.wait_s))
    return True
