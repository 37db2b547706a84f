"""Ask the app's own function about calls that a person must approve, one after the other."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from toolkit.runs.decisions import Decision, decided
from toolkit.tools.calls import Call
from toolkit.tools.threads import start, wait_for

__all__ = ["Approver", "aconsult", "consult"]

Approver = Callable[[Call], bool | Decision | Awaitable[bool | Decision]]
"""Decides on a call; may be async. A person is asked one thing at a time, so it is called for one call at a time."""


def consult(approver: Approver | None, calls: Sequence[Call]) -> Mapping[str, Decision]:
    """Give the decisions by the calls' ids; none without anybody to ask. Raises what the approver raises."""
    decisions: dict[str, Decision] = {}
    if approver is None:
        return decisions
    for call in calls:
        said = approver(call)
        decisions[call.id] = decided(wait_for(said) if inspect.isawaitable(said) else said, call)
    return decisions


async def aconsult(approver: Approver | None, calls: Sequence[Call]) -> Mapping[str, Decision]:
    """Do as `consult`. An approver that is not async is called in a thread: it may wait for somebody at a keyboard."""
    decisions: dict[str, Decision] = {}
    if approver is None:
        return decisions
    for call in calls:
        said = approver(call) if inspect.iscoroutinefunction(approver) else await _in_thread(approver, call)
        decisions[call.id] = decided(await said if inspect.isawaitable(said) else said, call)
    return decisions


async def _in_thread(approver: Approver, call: Call) -> object:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[object] = loop.create_future()

    def settle(value: object, error: BaseException | None) -> None:
        if answer.cancelled():
            return  # nobody waits any more
        if error is None:
            answer.set_result(value)
        else:
            answer.set_exception(error)

    def ask() -> None:
        value, failure = None, None
        try:
            value = approver(call)
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(settle, value, failure)

    start(ask)
    return await answer
