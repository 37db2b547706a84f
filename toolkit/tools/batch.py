"""The calls of one turn, without waiting for any: what starts, what is late, and what each comes to.

Whoever runs a call and whoever waits for it may both want to end it, so its end is settled once: a result that loses
against its time-out is dropped and logged.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, cast

from toolkit.errors import ToolError
from toolkit.tools.calls import Around, Call, CallListener, FinishedCall
from toolkit.tools.context import RunContext
from toolkit.tools.failures import failure, late, log_failure, log_late, passes_through, unknown_tool
from toolkit.tools.output import Output, output_of
from toolkit.tools.threads import wait_for
from toolkit.tools.tool import Tool
from toolkit.tools.toolset import Toolset

__all__ = ["Batch", "Ending", "Invoker", "PendingCall", "Post"]

MOST_AT_ONCE = 32
"""Calls of one turn that run at a time; further ones wait for a place."""

Ending = FinishedCall | BaseException
Post = Callable[[tuple["PendingCall", Ending]], object]
"""How an ending gets to whoever waits for it."""


class Invoker:
    """Makes calls, one at a time, and tells what each comes to. Holds what is the same for all calls of a turn."""

    __slots__ = ("around", "deps", "listener", "retries_left", "run_id", "thread_id", "toolset")

    def __init__(
        self,
        toolset: Toolset,
        deps: object,
        run_id: str,
        thread_id: str,
        retries_left: Mapping[str, int],
        listener: CallListener | None = None,
        around: Around | None = None,
    ) -> None:
        self.toolset = toolset
        self.deps = deps
        self.run_id = run_id
        self.thread_id = thread_id
        self.retries_left = retries_left
        self.listener = listener
        self.around = around

    def unknown(self, call: Call) -> FinishedCall:
        """Answer a call of a tool that nobody has."""
        output = unknown_tool(call.name, self.toolset)
        return FinishedCall(call, output, ToolError(output.content))

    def context(self, call: Call) -> RunContext[Any]:
        """Make what a tool may know of the call."""
        return RunContext(self.deps, call.id, call.name, self.run_id, self.thread_id)

    def attempt(
        self, tool: Tool[..., Any], call: Call, wait: Callable[[Awaitable[object]], object] = wait_for
    ) -> FinishedCall:
        """Make a call here. Raises only what ends the program; `wait` serves sync functions that give an awaitable."""
        if self.around is None:
            return self._attempt(tool, call, wait)
        with self.around(call) as tell:
            finished = self._attempt(tool, call, wait)
            tell(finished)
            return finished

    def _attempt(self, tool: Tool[..., Any], call: Call, wait: Callable[[Awaitable[object]], object]) -> FinishedCall:
        if self.listener is not None:
            self.listener.started(call)
        began = perf_counter()
        try:
            value = tool.invoke(call.arguments, self.context(call) if tool.takes_context else None)
            if type(value) is not str and inspect.isawaitable(value):
                value = wait(value)
            output = output_of(value, tool.terms.max_output_bytes)
            finished = FinishedCall(call, output, None, perf_counter() - began)
        except BaseException as error:
            finished = self.failed(tool, call, error, perf_counter() - began)
        if self.listener is not None:
            self.listener.finished(finished)
        return finished

    async def aattempt(self, tool: Tool[..., Any], call: Call) -> FinishedCall:
        """Make a call of an async tool here. Raises what ends the program, and being cancelled or closed."""
        if self.around is None:
            return await self._aattempt(tool, call)
        with self.around(call) as tell:
            finished = await self._aattempt(tool, call)
            tell(finished)
            return finished

    async def _aattempt(self, tool: Tool[..., Any], call: Call) -> FinishedCall:
        if self.listener is not None:
            await asyncio.to_thread(self.listener.started, call)
        began = perf_counter()
        try:
            value = tool.invoke(call.arguments, self.context(call) if tool.takes_context else None)
            output = output_of(await cast("Awaitable[object]", value), tool.terms.max_output_bytes)
            finished = FinishedCall(call, output, None, perf_counter() - began)
        except BaseException as error:
            if _ends_us(error):
                raise
            finished = self.failed(tool, call, error, perf_counter() - began)
        if self.listener is not None:
            await asyncio.to_thread(self.listener.finished, finished)
        return finished

    def failed(self, tool: Tool[..., Any], call: Call, error: BaseException, seconds: float) -> FinishedCall:
        """Answer a call whose tool raised. Raises the error itself when it is one that ends the program."""
        if passes_through(error):
            raise error
        log_failure(call.name, error, call_id=call.id, run_id=self.run_id, thread_id=self.thread_id)
        tries_left = self.retries_left.get(call.name, 0)
        output = failure(call.name, error, tries_left=tries_left, max_bytes=tool.terms.max_output_bytes)
        return FinishedCall(call, output, error, seconds)


def _ends_us(error: BaseException) -> bool:
    """Say whether we are being cancelled or closed; else a tool raised this by itself, and has failed."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    # Closing closes what we wait for first, and then raises an exception of our own here, not within the tool.
    return isinstance(error, GeneratorExit) and error.__traceback__ is not None and error.__traceback__.tb_next is None


class PendingCall:
    """A call of a batch until it is answered: once, by whoever runs it, or by whoever waits for it and gives it up."""

    __slots__ = ("_open", "began", "call", "cancel", "invoker", "limit_s", "position", "tool")

    def __init__(self, invoker: Invoker, position: int, call: Call, tool: Tool[..., Any]) -> None:
        self.invoker = invoker
        self.position = position
        self.call = call
        self.tool = tool
        self.limit_s = math.inf
        self.began = 0.0
        self.cancel: Callable[[], object] | None = None
        self._open = threading.Lock()

    def settle(self) -> bool:
        """Claim the right to tell how this call ended: True for the first who asks."""
        return self._open.acquire(False)

    def give_up(self) -> bool:
        """Settle from the waiting side, and cancel what can be cancelled. False when the call has just ended."""
        if not self.settle():
            return False
        if self.cancel is not None:
            self.cancel()
        return True

    def report(self, ending: Ending, post: Post) -> None:
        """Hand the ending to the waiting side, or log that it comes too late."""
        if self.settle():
            post((self, ending))
        elif not isinstance(ending, asyncio.CancelledError):
            log_late(
                self.call.name,
                perf_counter() - self.began,
                call_id=self.call.id,
                run_id=self.invoker.run_id,
                thread_id=self.invoker.thread_id,
            )

    def never_started(self) -> FinishedCall:
        """Answer for a call that the turn had no time left for."""
        output = Output(f"The tool {self.call.name} was not started: the time for this turn is over.", ok=False)
        return FinishedCall(self.call, output, TimeoutError(output.content))

    def too_late(self) -> FinishedCall:
        """Answer for a call that was given up on."""
        output = late(self.call.name, self.limit_s)
        return FinishedCall(self.call, output, TimeoutError(output.content), self.limit_s)


class Batch:
    """The calls of a turn, waiting and running. Decides what starts and what is late; waits for nothing itself."""

    def __init__(self, invoker: Invoker, calls: Sequence[Call], timeout_s: float | None) -> None:
        self.invoker = invoker
        self.ends = math.inf if timeout_s is None else perf_counter() + timeout_s
        self.unknown: list[tuple[int, FinishedCall]] = []
        self.waiting: deque[PendingCall] = deque()
        self.running: set[PendingCall] = set()
        for position, call in enumerate(calls):
            tool = invoker.toolset.find(call.name)
            if tool is None:
                self.unknown.append((position, invoker.unknown(call)))
            else:
                self.waiting.append(PendingCall(invoker, position, call, tool))

    @property
    def is_open(self) -> bool:
        """Whether any call has no answer yet."""
        return bool(self.waiting or self.running)

    def to_start(self) -> Iterator[PendingCall]:
        """Give the calls to start now."""
        now = perf_counter()
        while len(self.running) < MOST_AT_ONCE and now < self.ends:
            pending = self._next()
            if pending is None:
                return
            pending.began = now
            pending.limit_s = min(pending.tool.timeout_s or math.inf, self.ends - now)
            self.running.add(pending)
            yield pending

    def _next(self) -> PendingCall | None:
        """Take the first call that may run: one of a toolset with a `concurrency` waits for a place among its own."""
        for position, pending in enumerate(self.waiting):
            lane = pending.tool.terms.lane
            if lane is None or sum(each.tool.terms.lane is lane for each in self.running) < lane.most:
                del self.waiting[position]
                return pending
        return None

    def wait_s(self) -> float | None:
        """Say how long to wait for the next ending before asking what is overdue; None for as long as it takes."""
        first = min((each.began + each.limit_s for each in self.running), default=self.ends)
        return None if first == math.inf else max(0.0, first - perf_counter())

    def overdue(self) -> Iterator[tuple[int, FinishedCall]]:
        """Give up, and answer, what is out of time: also what never started, when the whole turn is."""
        now = perf_counter()
        for pending in [each for each in self.running if each.began + each.limit_s <= now]:
            if pending.give_up():
                self.running.discard(pending)
                yield pending.position, pending.too_late()
        while now >= self.ends and self.waiting:
            pending = self.waiting.popleft()
            yield pending.position, pending.never_started()

    def ended(self, pending: PendingCall, ending: Ending) -> tuple[int, FinishedCall]:
        """Take an ending in. Raises what ends the program."""
        self.running.discard(pending)
        if isinstance(ending, BaseException):
            ending = self.invoker.failed(pending.tool, pending.call, ending, perf_counter() - pending.began)
        return pending.position, ending

    def give_up(self) -> None:
        """Leave everything behind: nobody waits for the answers any more."""
        for each in self.running:
            each.give_up()
