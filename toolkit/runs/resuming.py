"""`resume` and `resume_stream`: go on with a run that was left, in this process or another one."""

from __future__ import annotations

import uuid
from collections.abc import Coroutine, Mapping
from typing import Any, get_args, overload

from openai import AsyncOpenAI, OpenAI
from typing_extensions import TypeVar

from toolkit.runs.consulting import Approver
from toolkit.runs.coverage import Missing
from toolkit.runs.decisions import Decision, decided
from toolkit.runs.gate import Gate, OnUnknown
from toolkit.runs.hosts import Host, OnExpiry
from toolkit.runs.hosts.resumed import resumed
from toolkit.runs.job import JournalPlace, form_of, ready, toolset_of
from toolkit.runs.limits import Limits
from toolkit.runs.pending import Pending
from toolkit.runs.plan import check_word
from toolkit.runs.result import Result
from toolkit.runs.streams import AsyncStream, Stream
from toolkit.runs.verbs import LIMITS, streamed, to_its_end
from toolkit.tools.toolset import Toolset

__all__ = ["resume", "resume_stream"]

T = TypeVar("T", default=None)


@overload
def resume(
    client: OpenAI,
    tools: Toolset | None,
    pending: Pending,
    *,
    approvals: Mapping[str, bool | Decision] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_expiry: OnExpiry = "raise",
    on_unknown: OnUnknown = "raise",
    output_type: type[T] | None = None,
) -> Result[T]: ...
@overload
def resume(
    client: AsyncOpenAI,
    tools: Toolset | None,
    pending: Pending,
    *,
    approvals: Mapping[str, bool | Decision] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_expiry: OnExpiry = "raise",
    on_unknown: OnUnknown = "raise",
    output_type: type[T] | None = None,
) -> Coroutine[Any, Any, Result[T]]: ...
def resume(
    client: OpenAI | AsyncOpenAI,
    tools: Toolset | None,
    pending: Pending,
    *,
    approvals: Mapping[str, bool | Decision] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_expiry: OnExpiry = "raise",
    on_unknown: OnUnknown = "raise",
    output_type: type[T] | None = None,
) -> Result[T] | Coroutine[Any, Any, Result[T]]:
    """Go on with a run that was left: until its calls were decided on, by a crash, or by a server that was gone.

        result = resume(client, tools, result.pending, approvals={call.id: True for call in result.pending.calls})
        for pending in Journal("calls.db").unfinished():
            resume(client, tools, pending, journal="calls.db")

    pending: the run, from `result.pending`, `Pending.from_json`, `Journal.unfinished` or `RunKept.pending`.
    approvals: call id -> True, False, Approve(arguments=...) or Deny(reason). The calls are read from the server again,
        and only those are made, with exactly the arguments that `pending` has, or changed ones that fit the tool.
        While a decision is missing none of the turn's calls is made, and the result is pending as before.
    on_unknown: what to do with calls that a crash has cut short and whose tools are neither read_only nor idempotent:
        "raise" CallsUnknown, or "tell" the model that nobody knows.
    on_expiry: with "new_run", calls of a run that has expired are made all the same, and a new run goes on from there.
    output_type: what the final answer must be, as it was asked of `run`.
    The others, and what is returned and raised, are as with `run`; leaving early does not cancel the run.

    Raises ApprovalMismatch, with nothing called, when the run asks for something else than was decided on; TypeError
    for what is no decision, ValueError for one on a call that `pending` does not have.
    """
    form = form_of(output_type)
    host, gate = _plan("resume", tools, pending, approvals, deps, on_expiry, on_unknown)
    return to_its_end(client, ready("resume", client, host, limits, gate, missing, approve, journal, form))


@overload
def resume_stream(
    client: OpenAI,
    tools: Toolset | None,
    pending: Pending,
    *,
    approvals: Mapping[str, bool | Decision] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_expiry: OnExpiry = "raise",
    on_unknown: OnUnknown = "raise",
    output_type: type[T] | None = None,
) -> Stream[T]: ...
@overload
def resume_stream(
    client: AsyncOpenAI,
    tools: Toolset | None,
    pending: Pending,
    *,
    approvals: Mapping[str, bool | Decision] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_expiry: OnExpiry = "raise",
    on_unknown: OnUnknown = "raise",
    output_type: type[T] | None = None,
) -> AsyncStream[T]: ...
def resume_stream(
    client: OpenAI | AsyncOpenAI,
    tools: Toolset | None,
    pending: Pending,
    *,
    approvals: Mapping[str, bool | Decision] | None = None,
    deps: object = None,
    limits: Limits = LIMITS,
    missing: Missing = "raise",
    approve: Approver | None = None,
    journal: JournalPlace | None = None,
    on_expiry: OnExpiry = "raise",
    on_unknown: OnUnknown = "raise",
    output_type: type[T] | None = None,
) -> Stream[T] | AsyncStream[T]:
    """Go on with a run as `resume` does, and see what happens as it happens, as with `stream`."""
    form = form_of(output_type)
    host, gate = _plan("resume_stream", tools, pending, approvals, deps, on_expiry, on_unknown)
    return streamed(client, ready("resume_stream", client, host, limits, gate, missing, approve, journal, form))


def _plan(
    verb: str,
    tools: Toolset | None,
    pending: Pending,
    approvals: Mapping[str, bool | Decision] | None,
    deps: object,
    on_expiry: OnExpiry,
    on_unknown: OnUnknown,
) -> tuple[Host, Gate]:
    if not isinstance(pending, Pending):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
        raise TypeError(f"{verb}() takes a Pending, such as result.pending, not {type(pending).__name__}")
    check_word(verb, "on_expiry", on_expiry, get_args(OnExpiry))
    check_word(verb, "on_unknown", on_unknown, get_args(OnUnknown))
    calls = {call.id: call for call in pending.calls}
    for call_id in approvals or {}:
        if call_id not in calls:
            raise ValueError(f"{verb}(approvals=...) decides on {call_id!r}, which is not one of {list(calls)}")
    decisions = {call_id: decided(said, calls[call_id]) for call_id, said in (approvals or {}).items()}
    host = resumed(verb, uuid.uuid4().hex, pending, on_expiry)
    toolset = toolset_of(verb, tools)
    return host, Gate(toolset=toolset, deps=deps, pending=pending, decisions=decisions, on_unknown=on_unknown)
