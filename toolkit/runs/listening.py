"""Who else hears of the runs of this process, beside whoever carries one out: nobody, unless somebody asks to.

One listener at most, for all runs: told the events of each, put around each call where it is made, and told how the run
ended. It decides nothing. Without one, a run costs nothing more.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from dataclasses import replace
from typing import Protocol

from openai import AsyncOpenAI, OpenAI

from toolkit.runs.events import Event, RunEnded
from toolkit.runs.job import Job
from toolkit.tools.calls import Around

__all__ = ["Begin", "Listener", "atold", "listen", "told"]


class Listener(Protocol):
    """Hears of one run. It must neither block nor raise."""

    @property
    def around(self) -> Around:
        """What is put around each call, in the thread or task that makes it."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What the run's requests say beside their own headers."""
        ...

    def heard(self, event: Event) -> None:
        """Hear of an event, before whoever carries the run out does."""
        ...

    def ended(self, error: BaseException | None) -> None:
        """Hear that the run was left: at its end, behind a RunEnded, or with what was raised."""
        ...


Begin = Callable[[OpenAI | AsyncOpenAI, Job], Listener]
"""Makes the listener of one run, when it begins."""

Drive = Callable[[OpenAI, Job], Generator[Event]]
ADrive = Callable[[AsyncOpenAI, Job], AsyncGenerator[Event]]

_begin: Begin | None = None


def listen(begin: Begin | None) -> None:
    """Let somebody hear of all runs that begin from now on; None for nobody."""
    global _begin
    _begin = begin


def told(drive: Drive, client: OpenAI, job: Job) -> Generator[Event]:
    """Carry a run out, and tell the listener, if there is one."""
    if _begin is None:
        return drive(client, job)
    return _told(_begin, drive, client, job)


def atold(drive: ADrive, client: AsyncOpenAI, job: Job) -> AsyncGenerator[Event]:
    """Do as `told`."""
    if _begin is None:
        return drive(client, job)
    return _atold(_begin, drive, client, job)


def _told(begin: Begin, drive: Drive, client: OpenAI, job: Job) -> Generator[Event]:
    listener = begin(client, job)
    client, job = client.with_options(default_headers=listener.headers), replace(job, around=listener.around)
    end: RunEnded | None = None
    try:
        with closing(drive(client, job)) as events:
            for event in events:
                listener.heard(event)
                if isinstance(event, RunEnded):
                    end = event
                    break
                yield event
    except BaseException as error:
        listener.ended(error)
        raise
    listener.ended(None)  # first, since nobody need ask for more behind the last event
    if end is not None:
        yield end


async def _atold(begin: Begin, drive: ADrive, client: AsyncOpenAI, job: Job) -> AsyncGenerator[Event]:
    listener = begin(client, job)
    client, job = client.with_options(default_headers=listener.headers), replace(job, around=listener.around)
    end: RunEnded | None = None
    try:
        async with aclosing(drive(client, job)) as events:
            async for event in events:
                listener.heard(event)
                if isinstance(event, RunEnded):
                    end = event
                    break
                yield event
    except BaseException as error:
        listener.ended(error)
        raise
    listener.ended(None)  # first, since nobody need ask for more behind the last event
    if end is not None:
        yield end
