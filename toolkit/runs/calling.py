"""The drivers' way to answer the calls of a turn: one blocks, one awaits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing

from toolkit.runs.effects import RunTools
from toolkit.runs.events import CallStarted, Event
from toolkit.runs.job import Job
from toolkit.runs.outcome import Outcome
from toolkit.tools.dispatch import adispatch, dispatch

__all__ = ["acall_tools", "call_tools"]


def call_tools(job: Job, effect: RunTools, outcome: Outcome, timeout_s: float | None) -> Generator[Event]:
    """Make the calls that are not settled, and tell the journal first; `timeout_s` is for all of them."""
    listener = job.recorder.turn(effect)
    yield from outcome.settle(effect)
    places, calls = effect.to_make
    for call in calls:
        yield CallStarted(call)
    running = dispatch(
        job.gate.toolset,
        calls,
        deps=job.gate.deps,
        run_id=effect.run_id,
        thread_id=effect.thread_id,
        retries_left=effect.retries_left,
        timeout_s=timeout_s,
        listener=listener,
        around=job.around,
    )
    with closing(running):
        for position, finished in running:
            yield outcome.finish(places[position], effect.told(places[position], finished))


async def acall_tools(job: Job, effect: RunTools, outcome: Outcome, timeout_s: float | None) -> AsyncGenerator[Event]:
    """Do as `call_tools`."""
    listener = await asyncio.to_thread(job.recorder.turn, effect) if job.recorder.is_on else None
    for event in outcome.settle(effect):
        yield event
    places, calls = effect.to_make
    for call in calls:
        yield CallStarted(call)
    running = adispatch(
        job.gate.toolset,
        calls,
        deps=job.gate.deps,
        run_id=effect.run_id,
        thread_id=effect.thread_id,
        retries_left=effect.retries_left,
        timeout_s=timeout_s,
        listener=listener,
        around=job.around,
    )
    async with aclosing(running):
        async for position, finished in running:
            yield outcome.finish(places[position], effect.told(places[position], finished))
