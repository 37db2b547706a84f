"""Drivers do what the loop decides, and know nothing of the protocol: one blocks, one awaits.

Both carry out effect after effect and give the app every event in between. Whatever ends an effect early (the app
closes the stream, its task is cancelled, Ctrl-C, the limit in seconds) becomes `Reply.left`. The effects that follow
are the loop's way of leaving: they bring no events, and neither that limit nor another cancellation stops them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, cast

from httpx2 import Response
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, OpenAI, Timeout

from toolkit.errors import RunError
from toolkit.runs.bodies import Bodies
from toolkit.runs.calling import acall_tools, call_tools
from toolkit.runs.consulting import aconsult, consult
from toolkit.runs.coverage import Coverage
from toolkit.runs.effects import Ask, Effect, Recall, Record, Request, RunTools, TimeUp
from toolkit.runs.events import Event, RunEnded
from toolkit.runs.job import Job
from toolkit.runs.listening import atold, told
from toolkit.runs.loop import loop
from toolkit.runs.outcome import Outcome
from toolkit.runs.result import Result
from toolkit.runs.watch import watched

if TYPE_CHECKING:
    from openai._types import RequestOptions

__all__ = ["adrive", "drive"]

_CONNECT_S = 10.0
# An answer is read to its end so that the connection can be used again; a server that leaves it open is not waited for.
_LINGER_S = 0.2
_leaving: set[asyncio.Task[None]] = set()


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


def drive(client: OpenAI, job: Job) -> Generator[Event]:
    """Run the loop, blocking. The last event is RunEnded; a run that did not end well raises."""
    return told(_drive, client, job)


def _drive(client: OpenAI, job: Job) -> Generator[Event]:
    effects, clock = loop(job.host, job.limits, job.gate, job.form), _Clock(job.limits.seconds)
    coverage = Coverage(job.host, job.gate.toolset, job.missing)
    effect, hears = next(effects), job.recorder.is_on
    coverage.foresee(effect)
    while True:
        outcome, left = _outcome(job, coverage, effect), None
        try:
            with closing(_carry_out(client, job, effect, outcome, clock)) as events:
                for event in events:
                    if hears and job.recorder.cares(event):
                        job.recorder.heard(event)
                    yield event
        except BaseException as reason:
            left = reason
            clock.leave()
        try:
            effect = effects.send(outcome.reply(left, clock.elapsed_s()))
        except StopIteration as end:
            result: Result[Any] = end.value
            break
        except RunError as end:
            job.recorder.ended(end.result)
            raise
    job.recorder.ended(result)
    yield RunEnded(result)


def _outcome(job: Job, coverage: Coverage, effect: Effect) -> Outcome:
    if not isinstance(effect, Request):
        return Outcome(job.host)
    return Outcome(job.host, coverage if effect.is_ours else None, effect)


def _carry_out(client: OpenAI, job: Job, effect: Effect, outcome: Outcome, clock: _Clock) -> Generator[Event]:
    left_s = clock.left_s()
    if isinstance(effect, Request):
        yield from _exchange(client, effect, outcome, clock, job.bodies)
    elif isinstance(effect, RunTools):
        yield from call_tools(job, effect, outcome, None if left_s == math.inf else left_s)
    elif isinstance(effect, Ask):
        outcome.decisions = consult(job.approver, effect.calls)
    elif isinstance(effect, Recall):
        outcome.kept = job.recorder.recall(effect.run_id)
    elif isinstance(effect, Record):
        job.recorder.uploaded(effect)
    else:
        time.sleep(min(effect.seconds, left_s))


def _exchange(client: OpenAI, request: Request, outcome: Outcome, clock: _Clock, bodies: Bodies) -> Generator[Event]:
    """Send a request and read its answer, with a look at the clock between two reads."""
    try:
        with closing(_send(client, request, clock, bodies)) as answer, watched(answer, clock.ends) as watch:
            outcome.begin(answer.status_code, answer.headers)
            if request.behind is not None:
                with closing(_send(client, request.behind, clock, bodies)) as accepted:
                    deque(_chunks(accepted), maxlen=0)
            for chunk in _chunks(answer):
                yield from outcome.feed(chunk)
                if outcome.is_complete and request.is_endless:
                    break
                if outcome.is_complete:
                    watch.ends = min(watch.ends, time.monotonic() + _LINGER_S)
                else:
                    clock.left_s()
            _finish(outcome, answer)
    except APIError as error:
        _fail(outcome, error, clock)


def _send(client: OpenAI, request: Request, clock: _Clock, bodies: Bodies) -> Response:
    options = _options(request, clock.left_s())
    # The answer as it comes, whose bytes we read ourselves: no models are built, and no deprecated method is called.
    if request.method == "GET":
        return client.get(request.path, cast_to=Response, options=options, stream=True)
    said: dict[str, Any] = {**bodies.said(client, request), "files": _form(request)}
    return cast("Response", client.post(request.path, cast_to=Response, **said, options=options, stream=True))


def _chunks(response: Response) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes()
    except Exception as error:
        raise APIConnectionError(request=response.request) from error


def adrive(client: AsyncOpenAI, job: Job) -> AsyncGenerator[Event]:
    """Run the loop, awaiting; otherwise as `drive`."""
    return atold(_adrive, client, job)


async def _adrive(client: AsyncOpenAI, job: Job) -> AsyncGenerator[Event]:
    effects, clock = loop(job.host, job.limits, job.gate, job.form), _Clock(job.limits.seconds)
    coverage = Coverage(job.host, job.gate.toolset, job.missing)
    effect, hears = next(effects), job.recorder.is_on
    coverage.foresee(effect)
    while True:
        outcome, left = _outcome(job, coverage, effect), None
        try:
            if clock.is_leaving:
                await _shielded(_acarry_out(client, job, effect, outcome, clock))
            else:
                async with aclosing(_acarry_out(client, job, effect, outcome, clock)) as events:
                    async for event in events:
                        if hears and job.recorder.cares(event):
                            await asyncio.to_thread(job.recorder.heard, event)
                        yield event
        except BaseException as reason:
            left = reason
            clock.leave()
        try:
            effect = effects.send(outcome.reply(left, clock.elapsed_s()))
        except StopIteration as end:
            result: Result[Any] = end.value
            break
        except RunError as end:
            await job.recorder.aended(end.result)
            raise
    await job.recorder.aended(result)
    yield RunEnded(result)


async def _acarry_out(
    client: AsyncOpenAI, job: Job, effect: Effect, outcome: Outcome, clock: _Clock
) -> AsyncGenerator[Event]:
    left_s = clock.left_s()
    if isinstance(effect, Request):
        async with aclosing(_aexchange(client, effect, outcome, clock, job.bodies)) as events:
            async for event in events:
                yield event
    elif isinstance(effect, RunTools):
        async with aclosing(acall_tools(job, effect, outcome, None if left_s == math.inf else left_s)) as events:
            async for event in events:
                yield event
    elif isinstance(effect, Ask):
        try:
            async with _until(clock.ends):
                outcome.decisions = await aconsult(job.approver, effect.calls)
        except TimeoutError:
            clock.left_s()
            raise  # the approver's own
    elif isinstance(effect, Recall):
        outcome.kept = await asyncio.to_thread(job.recorder.recall, effect.run_id)
    elif isinstance(effect, Record):
        await asyncio.to_thread(job.recorder.uploaded, effect)
    else:
        await asyncio.sleep(min(effect.seconds, left_s))


async def _aexchange(
    client: AsyncOpenAI, request: Request, outcome: Outcome, clock: _Clock, bodies: Bodies
) -> AsyncGenerator[Event]:
    try:
        async with _until(clock.ends):
            answer = await _asend(client, request, clock, bodies)
        async with aclosing(answer), aclosing(answer.aiter_bytes()) as chunks:
            outcome.begin(answer.status_code, answer.headers)
            ends = clock.ends
            if request.behind is not None:
                async with (
                    _until(ends),
                    aclosing(await _asend(client, request.behind, clock, bodies)) as accepted,
                    aclosing(accepted.aiter_bytes()) as rest,
                ):
                    while await _next(rest, accepted):
                        pass
            while True:
                async with _until(ends):
                    chunk = await _next(chunks, answer)
                if not chunk:
                    break
                for event in outcome.feed(chunk):
                    yield event
                if outcome.is_complete and request.is_endless:
                    break
                if outcome.is_complete:
                    ends = min(ends, time.monotonic() + _LINGER_S)
            _finish(outcome, answer)
    except (APIError, TimeoutError) as error:
        _fail(outcome, error, clock)


async def _asend(client: AsyncOpenAI, request: Request, clock: _Clock, bodies: Bodies) -> Response:
    options = _options(request, clock.left_s())
    if request.method == "GET":
        return await client.get(request.path, cast_to=Response, options=options, stream=True)
    said: dict[str, Any] = {**bodies.said(client, request), "files": _form(request)}
    return cast("Response", await client.post(request.path, cast_to=Response, **said, options=options, stream=True))


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


def _form(request: Request) -> dict[str, tuple[str, bytes, str]] | None:
    return None if request.file is None else {"file": request.file}


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
