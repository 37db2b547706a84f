"""Drivers do what the loop decides, and know nothing of the protocol: one blocks, one awaits.

Both carry out effect after effect and give the app every event in between. Whatever ends an effect early (the app
closes the stream, its task is cancelled, Ctrl-C, the limit in seconds) becomes `Reply.left`. The effects that follow
are the loop's way of leaving: they bring no events, and neither that limit nor another cancellation stops them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream, OpenAI, Stream, Timeout

from toolkit.runs.coverage import Coverage, Missing
from toolkit.runs.effects import Effect, Request, RunTools, TimeUp
from toolkit.runs.events import CallStarted, Event, RunEnded
from toolkit.runs.hosts import Host
from toolkit.runs.limits import Limits
from toolkit.runs.loop import loop
from toolkit.runs.outcome import Outcome
from toolkit.runs.result import Result
from toolkit.runs.watch import watched
from toolkit.tools.dispatch import adispatch, dispatch
from toolkit.tools.toolset import Toolset

if TYPE_CHECKING:
    from httpx2 import Response
    from openai._types import RequestOptions

__all__ = ["Job", "adrive", "drive"]

Client = TypeVar("Client", OpenAI, AsyncOpenAI)

_CONNECT_S = 10.0
# An answer is read to its end so that the connection can be used again; a server that leaves it open is not waited for.
_LINGER_S = 0.2
_leaving: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Job(Generic[Client]):
    """Everything a driver needs for one run."""

    client: Client
    host: Host
    toolset: Toolset
    limits: Limits
    deps: object
    missing: Missing = "raise"


class _Clock:
    """Time since the loop began, and until its limit in seconds."""

    def __init__(self, limit_s: float | None) -> None:
        self._began = time.monotonic()
        self.ends = math.inf if limit_s is None else self._began + limit_s
        self.is_leaving = False

    def left_s(self) -> float:
        """Seconds until the limit, infinite without one; raises TimeUp when it has come."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeUp
        return left

    def elapsed_s(self) -> float:
        """Seconds since the loop began."""
        return time.monotonic() - self._began

    def leave(self) -> None:
        """Lift the limit: the loop bounds what it does on its way out."""
        self.is_leaving, self.ends = True, math.inf


def drive(job: Job[OpenAI]) -> Generator[Event]:
    """Run the loop, blocking. The last event is RunEnded; a run that did not end well raises."""
    effects, clock = loop(job.host, job.limits), _Clock(job.limits.seconds)
    coverage = Coverage(job.host, job.toolset, job.missing)
    effect = next(effects)
    while True:
        outcome, left = Outcome(job.host, coverage), None
        try:
            yield from _carry_out(job, effect, outcome, clock)
        except BaseException as reason:
            left = reason
            clock.leave()
        try:
            effect = effects.send(outcome.reply(left, clock.elapsed_s()))
        except StopIteration as end:
            result: Result = end.value
            break
    yield RunEnded(result)


def _carry_out(job: Job[OpenAI], effect: Effect, outcome: Outcome, clock: _Clock) -> Generator[Event]:
    left_s = clock.left_s()
    if isinstance(effect, Request):
        yield from _exchange(job.client, effect, outcome, clock)
    elif isinstance(effect, RunTools):
        for call in effect.calls:
            yield CallStarted(call)
        for position, finished in dispatch(
            job.toolset,
            effect.calls,
            deps=job.deps,
            run_id=effect.run_id,
            thread_id=effect.thread_id,
            retries_left=effect.retries_left,
            timeout_s=None if left_s == math.inf else left_s,
        ):
            yield outcome.finish(position, finished)
    else:
        time.sleep(min(effect.seconds, left_s))


def _exchange(client: OpenAI, request: Request, outcome: Outcome, clock: _Clock) -> Generator[Event]:
    """Send a request and read its answer, with a look at the clock between two reads."""
    try:
        with _send(client, request, clock) as stream, watched(stream.response, clock.ends) as watch:
            outcome.begin(stream.response.status_code, stream.response.headers)
            for chunk in _chunks(stream.response):
                yield from outcome.feed(chunk)
                if outcome.is_complete:
                    watch.ends = min(watch.ends, time.monotonic() + _LINGER_S)
                else:
                    clock.left_s()
            _finish(outcome, stream.response)
    except APIError as error:
        _fail(outcome, error, clock)


def _send(client: OpenAI, request: Request, clock: _Clock) -> Stream[object]:
    options = _options(request, clock.left_s())
    # A plain stream, whose bytes we read ourselves: no models are built, and no deprecated method is called.
    if request.method == "GET":
        return client.get(request.path, cast_to=object, options=options, stream=True, stream_cls=Stream[object])
    return client.post(
        request.path, cast_to=object, body=request.body, options=options, stream=True, stream_cls=Stream[object]
    )


def _chunks(response: Response) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes()
    except Exception as error:
        raise APIConnectionError(request=response.request) from error


async def adrive(job: Job[AsyncOpenAI]) -> AsyncGenerator[Event]:
    """Run the loop, awaiting; otherwise as `drive`."""
    effects, clock = loop(job.host, job.limits), _Clock(job.limits.seconds)
    coverage = Coverage(job.host, job.toolset, job.missing)
    effect = next(effects)
    while True:
        outcome, left = Outcome(job.host, coverage), None
        try:
            if clock.is_leaving:
                await _shielded(_acarry_out(job, effect, outcome, clock))
            else:
                async with aclosing(_acarry_out(job, effect, outcome, clock)) as events:
                    async for event in events:
                        yield event
        except BaseException as reason:
            left = reason
            clock.leave()
        try:
            effect = effects.send(outcome.reply(left, clock.elapsed_s()))
        except StopIteration as end:
            result: Result = end.value
            break
    yield RunEnded(result)


async def _acarry_out(job: Job[AsyncOpenAI], effect: Effect, outcome: Outcome, clock: _Clock) -> AsyncGenerator[Event]:
    left_s = clock.left_s()
    if isinstance(effect, Request):
        async with aclosing(_aexchange(job.client, effect, outcome, clock)) as events:
            async for event in events:
                yield event
    elif isinstance(effect, RunTools):
        for call in effect.calls:
            yield CallStarted(call)
        running = adispatch(
            job.toolset,
            effect.calls,
            deps=job.deps,
            run_id=effect.run_id,
            thread_id=effect.thread_id,
            retries_left=effect.retries_left,
            timeout_s=None if left_s == math.inf else left_s,
        )
        async with aclosing(running):
            async for position, finished in running:
                yield outcome.finish(position, finished)
    else:
        await asyncio.sleep(min(effect.seconds, left_s))


async def _aexchange(client: AsyncOpenAI, request: Request, outcome: Outcome, clock: _Clock) -> AsyncGenerator[Event]:
    try:
        async with _until(clock.ends):
            stream = await _asend(client, request, clock)
        async with stream, aclosing(stream.response.aiter_bytes()) as chunks:
            outcome.begin(stream.response.status_code, stream.response.headers)
            ends = clock.ends
            while True:
                async with _until(ends):
                    chunk = await _next(chunks, stream.response)
                if not chunk:
                    break
                for event in outcome.feed(chunk):
                    yield event
                if outcome.is_complete:
                    ends = min(ends, time.monotonic() + _LINGER_S)
            _finish(outcome, stream.response)
    except (APIError, TimeoutError) as error:
        _fail(outcome, error, clock)


async def _asend(client: AsyncOpenAI, request: Request, clock: _Clock) -> AsyncStream[object]:
    options = _options(request, clock.left_s())
    if request.method == "GET":
        return await client.get(
            request.path, cast_to=object, options=options, stream=True, stream_cls=AsyncStream[object]
        )
    return await client.post(
        request.path, cast_to=object, body=request.body, options=options, stream=True, stream_cls=AsyncStream[object]
    )


async def _next(chunks: AsyncIterator[bytes], response: Response) -> bytes:
    """Read on; empty at the end."""
    try:
        return await anext(chunks, b"")
    except Exception as error:
        raise APIConnectionError(request=response.request) from error


def _until(ends: float) -> asyncio.Timeout:
    """Bound a wait by a time on the monotonic clock: the client's own time-out starts anew with every read."""
    return asyncio.timeout(None if ends == math.inf else ends - time.monotonic())


async def _shielded(events: AsyncIterator[Event]) -> None:
    """Carry an effect out to its end even if our task is cancelled once more."""

    async def exhaust() -> None:
        async for _ in events:
            pass

    task = asyncio.create_task(exhaust())
    _leaving.add(task)  # the event loop itself keeps weak references only
    task.add_done_callback(_leaving.discard)
    await asyncio.shield(task)


def _options(request: Request, left_s: float) -> RequestOptions:
    read_s = min(request.timeout_s, left_s)
    return {
        "headers": request.headers,
        "max_retries": 0,  # the loop decides what may be repeated
        "timeout": Timeout(read_s, connect=min(read_s, _CONNECT_S)),
    }


def _finish(outcome: Outcome, response: Response) -> None:
    outcome.end()
    if outcome.said is not None:
        message = str(outcome.said.get("message", "An error occurred during streaming"))
        outcome.fail(APIError(message, response.request, body=outcome.said), None)


def _fail(outcome: Outcome, error: APIError | TimeoutError, clock: _Clock) -> None:
    if isinstance(error, APIStatusError):
        outcome.fail(error, error.status_code, error.response.headers)
    elif outcome.is_complete:
        outcome.end()
    else:
        clock.left_s()
        outcome.fail(error, None)
