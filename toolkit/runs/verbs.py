"""`run` and `stream`: one pair of verbs for both worlds, blocking and awaiting."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Unpack, overload

from openai import AsyncOpenAI, OpenAI
from typing_extensions import TypeVar

from toolkit.errors import RunLost
from toolkit.runs.consulting import Approver
from toolkit.runs.coverage import Missing
from toolkit.runs.drivers import adrive, drive
from toolkit.runs.events import RunEnded
from toolkit.runs.gate import Gate
from toolkit.runs.hosts import Host, OnActive, OnExpiry
from toolkit.runs.hosts.asked import Place
from toolkit.runs.job import Job, JournalPlace, form_of, ready, toolset_of
from toolkit.runs.limits import Limits
from toolkit.runs.options import InputMessage, RunOptions
from toolkit.runs.plan import plan, plan_elsewhere
from toolkit.runs.result import Result
from toolkit.runs.streams import AsyncStream, Stream
from toolkit.tools.toolset import Toolset

__all__ = ["LIMITS", "run", "stream", "streamed", "to_its_end"]

LIMITS = Limits()
T = TypeVar("T", default=None)


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
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_active: OnActive = "fail",
    on_expiry: OnExpiry = "raise",
    output_type: type[T] | None = None,
    **options: Unpack[RunOptions],
) -> Result[T]: ...
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
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_active: OnActive = "fail",
    on_expiry: OnExpiry = "raise",
    output_type: type[T] | None = None,
    **options: Unpack[RunOptions],
) -> Coroutine[Any, Any, Result[T]]: ...
@overload
def run(
    client: OpenAI,
    tools: Toolset | None = None,
    *,
    on: Place,
    output_type: type[T] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
) -> Result[T]: ...
@overload
def run(
    client: AsyncOpenAI,
    tools: Toolset | None = None,
    *,
    on: Place,
    output_type: type[T] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
) -> Coroutine[Any, Any, Result[T]]: ...
def run(
    client: OpenAI | AsyncOpenAI,
    tools: Toolset | None = None,
    *,
    on: Place | None = None,
    assistant_id: str | None = None,
    thread_id: str | None = None,
    input: str | Sequence[InputMessage] | None = None,  # noqa: A002 - the word of the API
    run_id: str | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_active: OnActive = "fail",
    on_expiry: OnExpiry = "raise",
    output_type: type[T] | None = None,
    **options: Unpack[RunOptions],
) -> Result[T] | Coroutine[Any, Any, Result[T]]:
    """Run an assistant to its end: its calls go to `tools`, their outputs back, until it has answered.

        result = run(client, tools, assistant_id=assistant.id, thread_id=thread.id)
        result = run(client, tools, assistant_id=assistant.id, input="What is the weather in Seoul?")
        result = run(client, tools, thread_id=thread.id, run_id=run.id)
        result = run(client, tools, on=Chat(model="gpt-4o", messages="What is the weather in Seoul?"))

    on: another API than Assistants: Chat, Responses or Sessions, with what is asked for there (docs/hosts.md).
    thread_id, input: a thread there is, or text (or messages) to begin a new one with; with both, the input is added to
        the thread first.
    run_id: a run under way to pick up, with its thread_id; it is not cancelled when we leave early.
    deps: what tools find as `ctx.deps`.
    missing: what becomes of functions that the assistant has and `tools` lacks: "raise" ToolsMissing before the model
        says anything, or "tell" the model when it calls one.
    approve: decides on each call that needs it (`@tool(approve=...)`): given the Call, it returns True, False, Approve
        or Deny; may be async. Without it such calls are not made, and the run is left: `result.pending`, for `resume`.
    journal: a file (or Journal) that tells, after a crash, what has been called; see `Journal.unfinished`.
    on_active: when another run is active in the thread: "fail" raises ThreadBusy; "wait" until it is over; "queue" is
        the same in the order asked within this process; "replace" cancels it.
    on_expiry: when the run expires before it has the outputs of its calls: "raise", or hand them to a "new_run".
    output_type: what the final answer must be, a pydantic model say: `result.output`. The model is told its schema, and
        asked again while the answer does not fit, as often as `limits.retries` allows.
    With an AsyncOpenAI, await the result.

    Returns for `completed` and `incomplete` runs (`result.status`), and for one that waits for approval. Raises
    RunFailed, RunCancelled, RunExpired, LimitReached, OutputInvalid, ToolsMissing, ThreadBusy and RunKept with `.run`
    and `.result`; what else the API refuses before there is a run is the client's own error.
    """
    toolset, form = toolset_of("run", tools), form_of(output_type)
    host: Host
    if on is None:
        host = plan(
            "run",
            assistant_id=assistant_id,
            thread_id=thread_id,
            messages=input,
            run_id=run_id,
            on_active=on_active,
            on_expiry=on_expiry,
            options=options,
            form=form,
        )
    else:
        theirs: dict[str, object] = {"assistant_id": assistant_id, "thread_id": thread_id, "input": input}
        theirs |= {"run_id": run_id, "on_active": on_active, "on_expiry": on_expiry, **options}
        host = plan_elsewhere("run", on, toolset.visible(deps), form, theirs)
    gate = Gate(toolset=toolset, deps=deps)
    return to_its_end(client, ready("run", client, host, limits, gate, missing, approve, journal, form))


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
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_active: OnActive = "fail",
    on_expiry: OnExpiry = "raise",
    output_type: type[T] | None = None,
    **options: Unpack[RunOptions],
) -> Stream[T]: ...
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
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_active: OnActive = "fail",
    on_expiry: OnExpiry = "raise",
    output_type: type[T] | None = None,
    **options: Unpack[RunOptions],
) -> AsyncStream[T]: ...
@overload
def stream(
    client: OpenAI,
    tools: Toolset | None = None,
    *,
    on: Place,
    output_type: type[T] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
) -> Stream[T]: ...
@overload
def stream(
    client: AsyncOpenAI,
    tools: Toolset | None = None,
    *,
    on: Place,
    output_type: type[T] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
) -> AsyncStream[T]: ...
def stream(
    client: OpenAI | AsyncOpenAI,
    tools: Toolset | None = None,
    *,
    on: Place | None = None,
    assistant_id: str | None = None,
    thread_id: str | None = None,
    input: str | Sequence[InputMessage] | None = None,  # noqa: A002 - the word of the API
    run_id: str | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_active: OnActive = "fail",
    on_expiry: OnExpiry = "raise",
    output_type: type[T] | None = None,
    **options: Unpack[RunOptions],
) -> Stream[T] | AsyncStream[T]:
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
    toolset, form = toolset_of("stream", tools), form_of(output_type)
    host: Host
    if on is None:
        host = plan(
            "stream",
            assistant_id=assistant_id,
            thread_id=thread_id,
            messages=input,
            run_id=run_id,
            on_active=on_active,
            on_expiry=on_expiry,
            options=options,
            form=form,
        )
    else:
        theirs: dict[str, object] = {"assistant_id": assistant_id, "thread_id": thread_id, "input": input}
        theirs |= {"run_id": run_id, "on_active": on_active, "on_expiry": on_expiry, **options}
        host = plan_elsewhere("stream", on, toolset.visible(deps), form, theirs)
    gate = Gate(toolset=toolset, deps=deps)
    return streamed(client, ready("stream", client, host, limits, gate, missing, approve, journal, form))


def to_its_end(client: OpenAI | AsyncOpenAI, job: Job) -> Result[Any] | Coroutine[Any, Any, Result[Any]]:
    """Carry a job out and give its result, or an awaitable of it."""
    return _run(client, job) if isinstance(client, OpenAI) else _arun(client, job)


def streamed(client: OpenAI | AsyncOpenAI, job: Job) -> Stream[Any] | AsyncStream[Any]:
    """Carry a job out while somebody iterates over it."""
    if isinstance(client, OpenAI):
        return Stream(drive(client, job), job.host)
    return AsyncStream(adrive(client, job), job.host)


def _run(client: OpenAI, job: Job) -> Result[Any]:
    for event in drive(client, job):
        if isinstance(event, RunEnded):
            return event.result
    raise RunLost("The run ended without a result.")


async def _arun(client: AsyncOpenAI, job: Job) -> Result[Any]:
    async with aclosing(adrive(client, job)) as events:
        async for event in events:
            if isinstance(event, RunEnded):
                return event.result
    raise RunLost("The run ended without a result.")
