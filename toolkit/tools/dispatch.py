"""Run the calls of one turn: in parallel, with time-outs, each answered as soon as it is done.

Whatever a tool or a model does becomes a FinishedCall, and never disturbs the other calls. What is decided is decided
here once, in `batch.py` (what starts, what is late, what is told); `dispatch` waits for it blocking, `adispatch`
awaiting.

Sync tools run in daemon threads, with the caller's context variables; async tools are tasks: of the caller's loop under
`adispatch`, of one background loop under `dispatch`. Sync tools that take no time share a thread, one after another;
where one takes longer than two milliseconds, those behind it get threads of their own. A blocking turn of a single sync
call without time-out runs inline. A call that is out of time is answered at once; its thread goes on until the tool
returns, and what it returns is dropped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import MappingProxyType

from toolkit.tools.batch import Batch, Ending, Invoker, PendingCall, Post
from toolkit.tools.calls import Around, Call, CallListener, FinishedCall
from toolkit.tools.threads import Line, background_loop, wait_for
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
    listener: CallListener | None = None,
    around: Around | None = None,
) -> Generator[tuple[int, FinishedCall]]:
    """Run the calls of one turn and give (position, finished) for each as it finishes, in whatever order that is.

    retries_left: tool name -> how often Retry may still ask the model again, none for a name that is missing; who
        counts takes one off for each call with `asked_again`.
    timeout_s: how long the whole turn may take, beside the tools' own time-outs.
    listener: hears of each call where it is made; what it raises ends the turn.
    around: put around each call where it is made, for somebody who must be there and not only hear of it.
    Raises nothing that a tool or a model does, only KeyboardInterrupt and SystemExit. Closing the iterator early
    cancels async tools and leaves sync ones to end by themselves.
    """
    toolset = toolset.visible(deps, run_id=run_id, thread_id=thread_id)
    invoker = Invoker(toolset, deps, run_id, thread_id, retries_left, listener, around)
    if len(calls) == 1 and timeout_s is None:
        tool = toolset.find(calls[0].name)
        if tool is not None and tool.timeout_s is None and not tool.is_async:
            yield 0, invoker.attempt(tool, calls[0])
            return
    batch = Batch(invoker, calls, timeout_s)
    yield from batch.unknown
    ended: deque[tuple[PendingCall, Ending]] = deque()
    bell: SimpleQueue[None] = SimpleQueue()
    line = Line(partial(bell.put, None))

    def post(one: tuple[PendingCall, Ending]) -> None:
        ended.append(one)
        bell.put(None)

    try:
        while batch.is_open:
            if batch.waiting:
                _start(batch, line, partial(_run, ended.append, wait_for), partial(_begin, post=post))
            if not ended:
                look_s = line.look_s(batch.wait_s())
                if not ended:  # what ended before the line began its last one, for which nobody rings, is seen here
                    with suppress(Empty):
                        bell.get(timeout=look_s)
            line.spread()  # before others have their say: nobody looks after it then
            if ended:
                yield batch.ended(*ended.popleft())
            else:
                yield from batch.overdue()
    finally:
        line.drop()
        batch.give_up()


async def adispatch(
    toolset: Toolset,
    calls: Sequence[Call],
    *,
    deps: object = None,
    run_id: str = "",
    thread_id: str = "",
    retries_left: Mapping[str, int] = NO_RETRIES,
    timeout_s: float | None = None,
    listener: CallListener | None = None,
    around: Around | None = None,
) -> AsyncGenerator[tuple[int, FinishedCall]]:
    """Run the calls of a turn as `dispatch` does, without blocking the loop; cancelling or closing it cancels them."""
    toolset = toolset.visible(deps, run_id=run_id, thread_id=thread_id)
    invoker = Invoker(toolset, deps, run_id, thread_id, retries_left, listener, around)
    if len(calls) == 1 and timeout_s is None:
        tool = toolset.find(calls[0].name)
        if tool is not None and tool.timeout_s is None and tool.is_async:
            yield 0, await invoker.aattempt(tool, calls[0])
            return
    batch = Batch(invoker, calls, timeout_s)
    for unknown in batch.unknown:
        yield unknown
    loop = asyncio.get_running_loop()
    ended: deque[tuple[PendingCall, Ending]] = deque()
    bell = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    def ring() -> None:
        with suppress(RuntimeError):  # the loop was closed with the turn unfinished: nobody waits any more
            loop.call_soon_threadsafe(bell.set)

    def post(one: tuple[PendingCall, Ending]) -> None:
        ended.append(one)
        bell.set()

    def wait(awaitable: Awaitable[object]) -> object:
        return asyncio.run_coroutine_threadsafe(_awaited(awaitable), loop).result()

    line = Line(ring)
    try:
        while batch.is_open:
            if batch.waiting:
                begin = partial(_abegin, post=post, tasks=tasks)
                _start(batch, line, partial(_run, ended.append, wait), begin)
                if tasks:
                    await asyncio.sleep(0)  # they begin now, and not when what has ended was looked at
            if not ended:
                look_s = line.look_s(batch.wait_s())
                if not ended:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(look_s):
                            await bell.wait()
                    bell.clear()
            line.spread()
            if ended:
                yield batch.ended(*ended.popleft())
            else:
                for overdue in batch.overdue():
                    yield overdue
    except BaseException:
        line.drop()
        batch.give_up()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_GRACE_S)
        raise


def _start(
    batch: Batch, line: Line, run: Callable[[PendingCall], object], begin: Callable[[PendingCall], object]
) -> None:
    """Start what may start now: sync tools are run in the line, async ones are begun each by itself."""
    started = list(batch.to_start())
    line.add(partial(run, pending) for pending in started if not pending.tool.is_async)
    for pending in started:
        if pending.tool.is_async:
            begin(pending)


def _begin(pending: PendingCall, post: Post) -> None:
    """Begin an async call whose ending a thread waits for."""
    background = background_loop()
    running = background.start(_arun(pending, post))
    pending.cancel = partial(background.cancel, running)


def _abegin(pending: PendingCall, post: Post, tasks: set[asyncio.Task[None]]) -> None:
    """Begin an async call whose ending the running loop waits for."""
    task = asyncio.get_running_loop().create_task(_arun(pending, post))
    pending.cancel = task.cancel
    for held in (tasks, _tasks):
        held.add(task)
        task.add_done_callback(held.discard)


_tasks: set[asyncio.Task[None]] = set()
"""Tasks under way, cancelled ones too: the loop itself holds tasks only weakly."""


def _run(post: Post, wait: Callable[[Awaitable[object]], object], pending: PendingCall) -> None:
    try:
        ending: Ending = pending.invoker.attempt(pending.tool, pending.call, wait)
    except BaseException as error:
        ending = error
    pending.report(ending, post)


async def _arun(pending: PendingCall, post: Post) -> None:
    try:
        ending: Ending = await pending.invoker.aattempt(pending.tool, pending.call)
    except BaseException as error:
        ending = error
    pending.report(ending, post)


async def _awaited(awaitable: Awaitable[object]) -> object:
    return await awaitable
