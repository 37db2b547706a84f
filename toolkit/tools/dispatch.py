"""Run the calls of one turn: in parallel, with time-outs, each answered as soon as it is done.

Whatever a tool or a model does becomes a FinishedCall, and never disturbs the other calls. What is decided is decided
here once, in `flights.py` (what starts, what is late, what is told); `dispatch` waits for it blocking, `adispatch`
awaiting.

Sync tools run in daemon threads, with the caller's context variables; async tools are tasks: of the caller's loop under
`adispatch`, of one background loop under `dispatch`. A blocking turn of a single sync call without time-out runs
inline. A call that is out of time is answered at once; its thread goes on until the tool returns, and what it returns
is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import MappingProxyType

from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.flights import Board, Flight, Outcome, Post, Turn
from toolkit.tools.threads import background_loop, start, wait_for
from toolkit.tools.toolset import Toolset

__all__ = ["adispatch", "dispatch"]

CANCEL_GRACE_S = 1.0
"""How long async tools may take to clean up when the turn is cancelled."""
NO_RETRIES: Mapping[str, int] = MappingProxyType({})


def dispatch(
    toolset: Toolset,
    calls: Sequence[Call],
    *,
    deps: object = None,
    run_id: str = "",
    thread_id: str = "",
    retries_left: Mapping[str, int] = NO_RETRIES,
    timeout_s: float | None = None,
) -> Generator[tuple[int, FinishedCall]]:
    """Run the calls of one turn and give (position, finished) for each as it finishes, in whatever order that is.

    retries_left: tool name -> how often Retry may still ask the model again, none for a name that is missing; who
    counts
        takes one off for each call with `asked_again`.
    timeout_s: how long the whole turn may take, beside the tools' own time-outs.
    Raises nothing that a tool or a model does, only KeyboardInterrupt and SystemExit. Closing the iterator early
    cancels async tools and leaves sync ones to end by themselves.
    """
    turn = Turn(toolset, deps, run_id, thread_id, retries_left)
    if len(calls) == 1 and timeout_s is None:
        tool = toolset.find(calls[0].name)
        if tool is not None and tool.timeout_s is None and not tool.is_async:
            yield 0, turn.attempt(tool, calls[0])
            return
    board = Board(turn, calls, timeout_s)
    yield from board.unknown
    inbox: SimpleQueue[tuple[Flight, Outcome]] = SimpleQueue()
    try:
        while board.is_open:
            for flight in board.take_off():
                _launch(flight, inbox.put)
            try:
                landed = inbox.get(timeout=board.patience_s())
            except Empty:
                yield from board.overdue()
            else:
                yield board.landed(*landed)
    finally:
        board.give_up()


async def adispatch(
    toolset: Toolset,
    calls: Sequence[Call],
    *,
    deps: object = None,
    run_id: str = "",
    thread_id: str = "",
    retries_left: Mapping[str, int] = NO_RETRIES,
    timeout_s: float | None = None,
) -> AsyncGenerator[tuple[int, FinishedCall]]:
    """Run the calls of a turn as `dispatch` does, without blocking the loop; cancelling or closing it cancels them."""
    turn = Turn(toolset, deps, run_id, thread_id, retries_left)
    if len(calls) == 1 and timeout_s is None:
        tool = toolset.find(calls[0].name)
        if tool is not None and tool.timeout_s is None and tool.is_async:
            yield 0, await turn.aattempt(tool, calls[0])
            return
    board = Board(turn, calls, timeout_s)
    for unknown in board.unknown:
        yield unknown
    inbox: asyncio.Queue[tuple[Flight, Outcome]] = asyncio.Queue()
    tasks: set[asyncio.Task[None]] = set()
    try:
        while board.is_open:
            for flight in board.take_off():
                _alaunch(flight, inbox, tasks)
            try:
                async with asyncio.timeout(board.patience_s()):
                    landed = await inbox.get()
            except TimeoutError:
                for overdue in board.overdue():
                    yield overdue
            else:
                yield board.landed(*landed)
    except BaseException:
        board.give_up()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_GRACE_S)
        raise


def _launch(flight: Flight, post: Post) -> None:
    """Start a flight whose outcome a thread waits for."""
    if flight.tool.is_async:
        background = background_loop()
        running = background.start(_afly(flight, post))
        flight.cancel = partial(background.cancel, running)
    else:
        start(partial(_fly, flight, post, wait_for))


def _alaunch(flight: Flight, inbox: asyncio.Queue[tuple[Flight, Outcome]], tasks: set[asyncio.Task[None]]) -> None:
    """Start a flight whose outcome the running loop waits for."""
    loop = asyncio.get_running_loop()
    if flight.tool.is_async:
        task = loop.create_task(_afly(flight, inbox.put_nowait))
        flight.cancel = task.cancel
        for held in (tasks, _tasks):
            held.add(task)
            task.add_done_callback(held.discard)
        return

    def post(landed: tuple[Flight, Outcome]) -> None:
        with suppress(RuntimeError):  # the loop was closed with the turn unfinished: nobody waits any more
            loop.call_soon_threadsafe(inbox.put_nowait, landed)

    def wait(awaitable: Awaitable[object]) -> object:
        return asyncio.run_coroutine_threadsafe(_awaited(awaitable), loop).result()

    start(partial(_fly, flight, post, wait))


_tasks: set[asyncio.Task[None]] = set()
"""Tasks under way, cancelled ones too: the loop itself holds tasks only weakly."""


def _fly(flight: Flight, post: Post, wait: Callable[[Awaitable[object]], object]) -> None:
    try:
        outcome: Outcome = flight.turn.attempt(flight.tool, flight.call, wait)
    except BaseException as error:
        outcome = error
    flight.land(outcome, post)


async def _afly(flight: Flight, post: Post) -> None:
    try:
        outcome: Outcome = await flight.turn.aattempt(flight.tool, flight.call)
    except BaseException as error:
        outcome = error
    flight.land(outcome, post)


async def _awaited(awaitable: Awaitable[object]) -> object:
    return await awaitable
