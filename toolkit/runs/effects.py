"""The data the run loop trades in.

The loop decides and a driver does. The loop yields effects (`Request`, `RunTools`, `Sleep`); a driver carries each out
and sends back its reply (`Reply` for a request, the finished calls for tools, nothing for a sleep). All of it is frozen
data, so the loop is tested with values: send a reply, compare the next effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from toolkit.tools.output import Output

__all__ = ["Call", "FinishedCall", "Reply", "Request", "RunTools", "Sleep", "Turn"]

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One function call that the model asks for; `arguments` is its JSON text, not yet checked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call and what came of it, as the app sees it (`result.calls`)."""

    call: Call
    output: Output
    """What the model was told."""
    error: BaseException | None = None
    """What was raised, when something was; its text is hidden from the model unless it is a ToolError or Retry."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a host reads in a run: its status in our words, and the calls it waits for."""

    status: Literal["working", "waiting", "completed", "incomplete", "failed", "cancelled", "expired"]
    run: Json
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """Send this to the host. `key` goes along as Idempotency-Key; a `stream` is read to its end, every event passed on."""

    method: Literal["GET", "POST"]
    path: str
    body: Json | None = None
    stream: bool = False
    key: str | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    `body` is the answer's JSON (of a stream: the last run that an event carried). `status` is the HTTP status; None means
    that no answer, or no whole one, came: the connection broke, timed out, or the stream ended without its last event.
    `error` is the client's own exception, to be raised as it is when the loop does not handle it.
    """

    status: int | None
    body: Json | None = None
    headers: Mapping[str, str] | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class RunTools:
    """Run these calls of one turn, in parallel; the reply is a FinishedCall for each, in call order."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so long before the next effect."""

    seconds: float
