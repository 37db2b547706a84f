"""Runs: what a run looks like, how it is created, read, listed and its metadata changed.

What it may be asked for is in `settings.py`, how it moves from state to state in `moves.py`. The fields are those of
ModifyRunRequest and SubmitToolOutputsRunRequest in the Assistants API reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BeforeValidator, Field

from toolkit.engine.jsontext import clean, dump, members
from toolkit.engine.objects.fields import Metadata, Request
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.paging import PageQuery, page
from toolkit.engine.objects.resources import named
from toolkit.engine.objects.settings import CreateRun, CreateThreadAndRun, effective
from toolkit.engine.objects.threads import append, has_room
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = [
    "Event",
    "LastError",
    "ModifyRun",
    "Run",
    "SubmitToolOutputs",
    "Tokens",
    "create",
    "get",
    "list_",
    "load",
    "modify",
    "outputs_of",
    "run_of",
    "usage_object",
]

Event = tuple[str, str]
"""A stream event: its name and the JSON text of the object, as committed."""


class Tokens(NamedTuple):
    """Tokens spent."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    """Of `prompt`: read from the model server's cache."""
    reasoning: int = 0
    """Of `completion`: spent on thinking."""

    def plus(self, more: Tokens) -> Tokens:
        """Add up, member by member."""
        return Tokens(*(a + b for a, b in zip(self, more, strict=True)))


class LastError(NamedTuple):
    """A `last_error`: `code` is server_error, rate_limit_exceeded or invalid_prompt."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was read or last written."""

    id: str
    project: str
    thread: str
    assistant: str
    created_at: int
    expires_at: int
    status: str
    attempt: int
    fixed: str
    """The members of the API's object that never change, as JSON text without braces."""
    state: Mapping[str, Any]
    """The members that moves change."""
    metadata: str
    used: Tokens
    turns: int = 0
    """How often the model has asked for tools."""
    entered_at: float = 0
    """`created_at` to the microsecond, to measure by."""
    stores: Sequence[str] = ()
    """The vector stores that file_search looks in."""
    files: Sequence[str] = ()
    """The files that code_interpreter finds."""

    @property
    def wire(self) -> str:
        """The run object of the API, as JSON text."""
        return f'{{{self.fixed},{members(dict(self.state))},"metadata":{self.metadata}}}'

    @property
    def settings(self) -> Mapping[str, Any]:
        """The fixed members, parsed: model, instructions, tools and so on."""
        settings: dict[str, Any] = json.loads(f"{{{self.fixed}}}")
        return settings


class ModifyRun(Request):
    """The body of `POST /threads/{thread_id}/runs/{run_id}`; null clears."""

    metadata: Metadata | None = None


_MOST_OUTPUTS: Final = 1000
"""More calls than this no model makes at once."""


def _as_text(output: Any) -> Any:
    """Take what programs really send: null and nothing are "", values that are no strings are serialised."""
    if output is None:
        return ""
    return output if isinstance(output, str) else dump(output)


class ToolOutput(Request):
    """The output of one call."""

    tool_call_id: str
    output: Annotated[str, BeforeValidator(_as_text)] = ""


class SubmitToolOutputs(Request):
    """The body of `POST .../submit_tool_outputs`."""

    tool_outputs: Annotated[list[ToolOutput], Field(max_length=_MOST_OUTPUTS)]
    stream: bool | None = None


_NEW_STATE: Final[Mapping[str, Any]] = {
    "status": "queued",
    "required_action": None,
    "last_error": None,
    "started_at": None,
    "cancelled_at": None,
    "failed_at": None,
    "completed_at": None,
    "incomplete_details": None,
    "usage": None,
}


def _no_code() -> None:
    raise Refused("This engine does not run code.", param="tools", code="unsupported_tool")


def create(
    tx: Tx,
    project: str,
    thread_id: str,
    request: CreateRun | CreateThreadAndRun,
    now: float,
    *,
    expires_s: int,
    owner: str | None,
    can_run_code: Callable[[], None] = _no_code,
) -> Run:
    """Insert a queued run and lock its thread. Raises Refused: no such thread or assistant, or a run is active there.

    The run keeps a snapshot of the effective model, instructions, tools and settings. `can_run_code` raises what is to
    be said of a run that has code_interpreter when no code can be run.
    """
    thread = tx.one("run.thread", id=thread_id, project=project)
    if thread is None:
        raise Refused(f"No thread found with id '{thread_id}'.", status=404)
    if thread["active_run"] is not None:
        raise Refused(f"Thread {thread_id} already has an active run {thread['active_run']}.")
    settings = effective(request, _assistant(tx, project, request.assistant_id))
    if any(tool["type"] == "code_interpreter" for tool in settings["tools"]):
        can_run_code()
    last_at = thread["last_at"]
    more = request.additional_messages or () if isinstance(request, CreateRun) else ()
    has_room(thread_id, thread["messages"], len(more) + 1)  # for the answer
    if more:
        append(tx, project, thread_id, more, int(now), member="additional_messages")
        moved = tx.one("run.thread", id=thread_id, project=project)
        last_at = moved["last_at"] if moved is not None else last_at
    run = _new(project, thread_id, request, settings, max(int(now), last_at), now, expires_s)
    stores, files = _resources(tx, run, request, settings)
    run = replace(run, stores=stores, files=files)
    tx.run(
        "run.insert",
        id=run.id,
        project=project,
        thread=thread_id,
        assistant=run.assistant,
        created_at=run.created_at,
        status=run.status,
        owner=owner,
        expires_at=run.expires_at,
        fixed=run.fixed,
        state=dump(dict(run.state)),
        metadata=run.metadata,
        entered_at=run.entered_at,
        stores=dump(run.stores),
        files=dump(run.files),
    )
    tx.run("run.lock_thread", thread=thread_id, run=run.id, last_at=run.created_at)
    return run


def _new(
    project: str,
    thread_id: str,
    request: CreateRun | CreateThreadAndRun,
    settings: Mapping[str, Any],
    created_at: int,
    entered_at: float,
    expires_s: int,
) -> Run:
    run_id = new_id("run")
    fixed = {
        "id": run_id,
        "object": "thread.run",
        "created_at": created_at,
        "assistant_id": request.assistant_id,
        "thread_id": thread_id,
        **settings,
    }
    expires_at = int(entered_at) + expires_s
    return Run(
        id=run_id,
        project=project,
        thread=thread_id,
        assistant=request.assistant_id,
        created_at=created_at,
        expires_at=expires_at,
        status="queued",
        attempt=0,
        fixed=members(fixed),
        state={**_NEW_STATE, "expires_at": expires_at},
        metadata=dump(request.metadata or {}),
        used=Tokens(),
        entered_at=entered_at,
    )


def _resources(
    tx: Tx, run: Run, request: CreateRun | CreateThreadAndRun, settings: Mapping[str, Any]
) -> tuple[Sequence[str], Sequence[str]]:
    """List the vector stores that file_search looks in and the files that code finds, where the run has those tools.

    They are its own or else the assistant's, and the thread's.
    """
    own = (
        named(tx, run.project, request.tool_resources, run.created_at)
        if isinstance(request, CreateThreadAndRun)
        else {}
    )
    kinds = {tool["type"] for tool in settings["tools"]}
    if kinds <= {"function"}:
        return (), ()
    thread = tx.one("thread.get", id=run.thread, project=run.project)
    assistant = _assistant(tx, run.project, run.assistant)
    of_thread: dict[str, Any] = json.loads(thread["body"])["tool_resources"] if thread is not None else {}

    def listed(kind: str, member: str) -> Sequence[str]:
        ids: list[str] = []
        for resources in (own or assistant["tool_resources"], of_thread):
            resource: Mapping[str, Any] = resources.get(kind) or {}
            ids += resource.get(member, ())
        return list(dict.fromkeys(ids)) if kind in kinds else ()

    return listed("file_search", "vector_store_ids"), listed("code_interpreter", "file_ids")


def run_of(row: Row) -> Run:
    """Make the run of a row of table `run`."""
    return Run(
        id=row["id"],
        project=row["project"],
        thread=row["thread"],
        assistant=row["assistant"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        status=row["status"],
        attempt=row["attempt"],
        fixed=row["fixed"],
        state=json.loads(row["state"]),
        metadata=row["metadata"],
        used=Tokens(*json.loads(row["used"])),
        turns=row["turns"],
        entered_at=row["entered_at"],
        stores=json.loads(row["stores"]),
        files=json.loads(row["files"]),
    )


def load(tx: Tx, project: str, thread_id: str, run_id: str) -> Run:
    """Read a run. Raises Refused (404)."""
    row = tx.one("run.get", id=run_id, thread=thread_id, project=project)
    if row is None:
        raise Refused(f"No run found with id '{run_id}'.", status=404)
    return run_of(row)


def get(tx: Tx, project: str, thread_id: str, run_id: str) -> str:
    """Read a run as JSON text. Raises Refused (404)."""
    return load(tx, project, thread_id, run_id).wire


def list_(tx: Tx, project: str, thread_id: str, query: PageQuery) -> str:
    """Read a page of a thread's runs, newest first unless asked otherwise. Raises Refused."""
    if tx.one("run.thread", id=thread_id, project=project) is None:
        raise Refused(f"No thread found with id '{thread_id}'.", status=404)
    return page(tx, "run.page", query, wire=lambda row: run_of(row).wire, project=project, thread=thread_id)


def modify(tx: Tx, project: str, thread_id: str, run_id: str, request: ModifyRun) -> str:
    """Replace the metadata, in any state of the run. Raises Refused (404)."""
    load(tx, project, thread_id, run_id)
    if "metadata" in request.model_fields_set:
        tx.run("run.set_metadata", id=run_id, metadata=dump(request.metadata or {}))
    return get(tx, project, thread_id, run_id)


def outputs_of(request: SubmitToolOutputs) -> list[tuple[str, str]]:
    """List the outputs that were sent, as (call id, text)."""
    return [(given.tool_call_id, clean(given.output)) for given in request.tool_outputs]


def usage_object(used: Tokens) -> dict[str, Any]:
    """Make the `usage` of a run or step."""
    return {
        "prompt_tokens": used.prompt,
        "completion_tokens": used.completion,
        "total_tokens": used.prompt + used.completion,
        "prompt_token_details": {"cached_tokens": used.cached},
        "completion_tokens_details": {"reasoning_tokens": used.reasoning},
    }


def _assistant(tx: Tx, project: str, assistant_id: str) -> Mapping[str, Any]:
    row = tx.one("run.assistant", id=assistant_id, project=project)
    if row is None:
        raise Refused(f"No assistant found with id '{assistant_id}'.", status=404)
    return _parsed(row["body"])


@lru_cache(maxsize=256)
def _parsed(body: str) -> Mapping[str, Any]:
    """Parse an assistant; the same one serves run after run."""
    assistant: Mapping[str, Any] = json.loads(body)
    return assistant
