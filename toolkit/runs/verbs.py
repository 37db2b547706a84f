"""`run` and `stream`: one pair of verbs for both worlds, blocking and awaiting."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Unpack, overload

from openai import AsyncOpenAI, OpenAI

from toolkit.errors import RunLost
from toolkit.runs.coverage import Missing
from toolkit.runs.drivers import Job, adrive, drive
from toolkit.runs.events import RunEnded
from toolkit.runs.limits import Limits
from toolkit.runs.options import InputMessage, RunOptions
from toolkit.runs.plan import plan
from toolkit.runs.result import Result
from toolkit.runs.streams import AsyncStream, Stream
from toolkit.tools.toolset import Toolset

__all__ = ["run", "stream"]

_LIMITS = Limits()


@overload
def run(
    client: OpenAI,
    tools: Toolset | None = None,
    *,
    assistant_id: str | None = None,
    thread_id: str | None = None,
    input: str | Sequence[InputMessage] | None = None,
    run_id: str | None = None,
    deps: object = None,
    limits: Limits = _LIMITS,
    missing: Missing = "raise",
    **options: Unpack[RunOptions],
) -> Result: ...
@overload
def run(
    client: AsyncOpenAI,
    tools: Toolset | None = None,
    *,
    assistant_id: str | None = None,
    thread_id: str | None = None,
    input: str | Sequence[InputMessage] | None = None,
    run_id: str | None = None,
    deps: object = None,
    limits: Limits = _LIMITS,
    missing: Missing = "raise",
    **options: Unpack[RunOptions],
) -> Coroutine[Any, Any, Result]: ...
def run(
    client: OpenAI | AsyncOpenAI,
    tools: Toolset | None = None,
    *,
    assistant_id: str | None = None,
    thread_id: str | None = None,
    input: str | Sequence[InputMessage] | None = None,  # noqa: A002 - the word of the API
    run_id: str | None = None,
    deps: object = None,
    limits: Limits = _LIMITS,
    missing: Missing = "raise",
    **options: Unpack[RunOptions],
) -> Result | Coroutine[Any, Any, Result]:
    """Run an assistant to its end: its calls go to `tools`, their outputs back, until it has answered.

        result = run(client, tools, assistant_id=assistant.id, thread_id=thread.id)
        result = run(client, tools, assistant_id=assistant.id, input="What is the weather in Seoul?")
        result = run(client, tools, thread_id=thread.id, run_id=run.id)

    thread_id, input: a thread there is, or text (or messages) to begin a new one with; with both, the input is added to
        the thread first.
    run_id: a run under way to pick up, with its thread_id; it is not cancelled when we leave early.
    deps: what tools find as `ctx.deps`.
    missing: what becomes of functions that the assistant has and `tools` lacks: "raise" ToolsMissing before the model
        says anything, or "tell" the model when it calls one.
    With an AsyncOpenAI, await the result.

    Returns for `completed` and `incomplete` runs (`result.status`). Raises RunFailed, RunCancelled, RunExpired,
    RunLost, LimitReached and ToolsMissing with `.run` and `.result`; what the API refuses before there is a run is the
    client's own error.
    """
    host = plan("run", assistant_id=assistant_id, thread_id=thread_id, messages=input, run_id=run_id, options=options)
    toolset = _toolset("run", tools)
    _check_limits("run", limits)
    _check_missing("run", missing)
    if isinstance(client, OpenAI):
        return _run(Job(client, host, toolset, limits, deps, missing))
    _check_client("run", client)
    return _arun(Job(client, host, toolset, limits, deps, missing))


@overload
def stream(
    client: OpenAI,
    tools: Toolset | None = None,
    *,
    assistant_id: str | None = None,
    thread_id: str | None = None,
    input: str | Sequence[InputMessage] | None = None,
    run_id: str | None = None,
    deps: object = None,
    limits: Limits = _LIMITS,
    missing: Missing = "raise",
    **options: Unpack[RunOptions],
) -> Stream: ...
@overload
def stream(
    client: AsyncOpenAI,
    tools: Toolset | None = None,
    *,
    assistant_id: str | None = None,
    thread_id: str | None = None,
    input: str | Sequence[InputMessage] | None = None,
    run_id: str | None = None,
    deps: object = None,
    limits: Limits = _LIMITS,
    missing: Missing = "raise",
    **options: Unpack[RunOptions],
) -> AsyncStream: ...
def stream(
    client: OpenAI | AsyncOpenAI,
    tools: Toolset | None = None,
    *,
    assistant_id: str | None = None,
    thread_id: str | None = None,
    input: str | Sequence[InputMessage] | None = None,  # noqa: A002 - the word of the API
    run_id: str | None = None,
    deps: object = None,
    limits: Limits = _LIMITS,
    missing: Missing = "raise",
    **options: Unpack[RunOptions],
) -> Stream | AsyncStream:
    """Run an assistant as `run` does, and see what happens as it happens.

        with stream(client, tools, assistant_id=assistant.id, thread_id=thread.id) as events:
            for event in events:
                match event:
                    case TextDelta(text):
                        print(text, end="")
                    case CallFinished(finished):
                        print(finished.call.name, finished.output.content)
        print(events.result.usage)

    All turns are one stream. Leaving the block early cancels the run. With an AsyncOpenAI: `async with`, `async for`.
    """
    host = plan(
        "stream", assistant_id=assistant_id, thread_id=thread_id, messages=input, run_id=run_id, options=options
    )
    toolset = _toolset("stream", tools)
    _check_limits("stream", limits)
    _check_missing("stream", missing)
    if isinstance(client, OpenAI):
        return Stream(drive(Job(client, host, toolset, limits, deps, missing)))
    _check_client("stream", client)
    return AsyncStream(adrive(Job(client, host, toolset, limits, deps, missing)))


def _run(job: Job[OpenAI]) -> Result:
    for event in drive(job):
        if isinstance(event, RunEnded):
            return event.result
    raise RunLost("The run ended without a result.")


async def _arun(job: Job[AsyncOpenAI]) -> Result:
    async with aclosing(adrive(job)) as events:
        async for event in events:
            if isinstance(event, RunEnded):
                return event.result
    raise RunLost("The run ended without a result.")


def _toolset(verb: str, tools: Toolset | None) -> Toolset:
    if tools is None:
        return Toolset()
    if not isinstance(tools, Toolset):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
        raise TypeError(f"{verb}() takes its tools as a Toolset, such as Toolset(f, g), not {type(tools).__name__}")
    return tools


def _check_limits(verb: str, limits: object) -> None:
    if not isinstance(limits, Limits):
        raise TypeError(f"{verb}(limits=...) takes Limits, such as Limits(seconds=60), not {type(limits).__name__}")


def _check_missing(verb: str, missing: object) -> None:
    if missing not in ("raise", "tell"):
        raise ValueError(f'{verb}(missing={missing!r}): write "raise" or "tell"')


def _check_client(verb: str, client: object) -> None:
    if not isinstance(client, AsyncOpenAI):
        made = "; write engine.client()" if hasattr(client, "client") else ""
        kind = type(client).__name__
        raise TypeError(f"{verb}() takes an openai.OpenAI or openai.AsyncOpenAI first, not {kind}{made}")
