"""The data the run loop trades in.

The loop decides and a driver does. The loop yields effects (`Request`, `RunTools`, `Sleep`); a driver carries each out
and sends back one `Reply`, whatever happened. All of it is frozen data, so the loop is tested with values: send a
reply, compare the next effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit.tools.calls import Call, FinishedCall

__all__ = ["Call", "Effect", "FinishedCall", "Json", "Reply", "Request", "RunTools", "Sleep", "TimeUp", "Turn"]

Json = Mapping[str, Any]

_TRY_AGAIN = frozenset({408, 409, 429})


@dataclass(frozen=True, slots=True)
class Turn:
    """What a host reads in a run: its status in our words, the calls it waits for, and why it failed."""

    status: Literal["working", "waiting", "completed", "incomplete", "failed", "cancelled", "expired"]
    calls: tuple[Call, ...] = ()
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Send this to the host and read the whole answer, be it JSON or a stream of events."""

    method: Literal["GET", "POST"]
    path: str
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout_s: float = 30.0
    """How long one read may take; the limit in seconds may cut it shorter."""


@dataclass(frozen=True, slots=True)
class RunTools:
    """Run these calls of one turn, in parallel; the reply's `finished` has one for each, in call order."""

    calls: tuple[Call, ...]
    retries_left: Mapping[str, int]
    """How often each tool may still ask to be called again, by name."""
    run_id: str
    thread_id: str


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so long before the next effect."""

    seconds: float


Effect = Request | RunTools | Sleep


class TimeUp(Exception):
    """The limit in seconds has come."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an effect; of a request cut short, what came until then."""

    status: int | None = None
    """The HTTP status; None when no answer, or no whole one, came: the connection broke, timed out, or said nothing."""
    body: Json | None = None
    """The answer's JSON; of a stream, the last run that an event carried."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    error: Exception | None = None
    """The client's own exception, raised as it is when there is no run yet to attach."""
    messages: Sequence[Json] = ()
    """The messages that a stream finished."""
    finished: Sequence[FinishedCall] = ()
    left: BaseException | None = None
    """Why the app leaves now: its own exception, GeneratorExit, CancelledError, KeyboardInterrupt, or TimeUp."""
    elapsed_s: float = 0.0
    """Since the loop began."""

    @property
    def refused(self) -> bool:
        """Whether the server has said no, so that asking again makes no sense. (The client's own rules for retries.)"""
        if self.status is None:
            return False
        said = self.headers.get("x-should-retry")
        if said in ("true", "false"):
            return said == "false"
        return self.status not in _TRY_AGAIN and self.status < 500

    @property
    def wait_s(self) -> float | None:
        """How long the server asks us to wait before we try again, if it does."""
        wait_s = self._seconds("retry-after-ms", 1000)
        return self._seconds("retry-after", 1) if wait_s is None else wait_s

    @property
    def poll_after_s(self) -> float | None:
        """How long the server asks us to wait before we read a run again, if it does."""
        return self._seconds("openai-poll-after-ms", 1000)

    def _seconds(self, header: str, unit: int) -> float | None:
        try:
            seconds = float(self.headers.get(header, "")) / unit
        except ValueError:
            return None
        return seconds if 0 <= seconds <= 60 else None
