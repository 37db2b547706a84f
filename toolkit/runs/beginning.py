"""How a run begins: it is created, found after its creation was not answered, or picked up."""

from __future__ import annotations

from collections.abc import Generator

from toolkit.errors import RunLost
from toolkit.runs.asking import ask, insist, pauses
from toolkit.runs.busy import Place, make_way
from toolkit.runs.effects import Effect, Reply, Sleep, Turn
from toolkit.runs.progress import Progress

__all__ = ["begin", "read"]

_CANNOT_KNOW = (
    "The creation of the thread and its run was not answered, and this server cannot say whether they were made. It "
    "was not sent again: that could start a second run. (In a thread passed as thread_id=, a lost run can be found.)"
)
_NOT_AGAIN = (
    "The first request of the run was not answered, and nobody can tell whether it was carried out. It was not sent "
    "again: what it says could be said twice."
)

Beginning = Generator[Effect, Reply, Turn]


def begin(progress: Progress) -> Beginning:
    """Create the run, or find the one whose creation was not answered; or read the one to pick up."""
    if progress.host.picked_up:
        return (yield from read(progress))
    with Place(progress.host) as place:
        while place.is_taken:
            progress.waits_for = "Other runs of this process are before it in the line of its thread."
            yield from ask(progress, Sleep(place.pause_s))
        progress.waits_for = ""
        return (yield from _create(progress))


def _create(progress: Progress) -> Beginning:
    host, tries, was_unsure = progress.host, pauses(progress), False
    while True:
        progress.is_unsure = True
        reply = yield from ask(progress, host.start())
        if progress.run is not None:
            return host.turn(progress.run)
        progress.is_unsure = was_unsure = was_unsure or not (reply.refused or reply.status == 429)
        if was_unsure and not (progress.keeps_keys or host.may_repeat):
            yield from _find(progress, reply)
            if progress.run is not None:
                return (yield from read(progress))
        yield from make_way(progress, reply, tries)


def _find(progress: Progress, lost: Reply) -> Generator[Effect, Reply, None]:
    """Look whether a creation that was not answered made a run; raise when that cannot be known."""
    threads = progress.host.threads
    if threads is None:
        raise RunLost(_NOT_AGAIN) from lost.error
    reply = yield from insist(progress, threads.look())
    if progress.keeps_keys:
        return
    if not threads.can_find:
        raise RunLost(_CANNOT_KNOW) from lost.error
    progress.run = threads.found(reply)


def read(progress: Progress) -> Beginning:
    """Read the run as it is now, if it is at the server; what happened since we last heard of it was not seen."""
    request = progress.host.read(progress.run)
    if request is not None:
        progress.has_gaps = True
        yield from insist(progress, request)
    return progress.host.turn(progress.known)
