"""The data the run loop trades in.

The loop decides and a driver does. The loop yields effects (`Request`, `Recall`, `Ask`, `RunTools`, `Record`, `Sleep`);
a driver carries each out and sends back one `Reply`, whatever happened. All of it is frozen data, so the loop is tested
with values: send a reply, compare the next effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from toolkit.runs.decisions import Decision
from toolkit.tools.calls import Call, FinishedCall

__all__ = [
    "Ask",
    "Call",
    "Effect",
    "FinishedCall",
    "Json",
    "Note",
    "Recall",
    "Record",
    "Reply",
    "Request",
    "RunTools",
    "Sleep",
    "TimeUp",
    "Turn",
]

Json = Mapping[str, Any]
Note = tuple[str, str]
"""What the journal keeps: a key within the run, and JSON."""

_TRY_AGAIN = frozenset({408, 409, 429})


@dataclass(frozen=True, slots=True)
class Turn:
    """What a host reads in a run: its status in our words, the calls it waits for, and why it failed.

    `late` is a run that has expired and whose calls are to be answered in another one; `paused` one that we leave until
    somebody has decided on its calls.
    """

    status: Literal["working", "waiting", "late", "paused", "completed", "incomplete", "failed", "cancelled", "expired"]
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
    is_ours: bool = True
    """Whether it is about our run, not about another one in its thread."""
    is_endless: bool = False
    """Whether the answer is a stream that goes on behind what we wait for; it is left then, not read to its end."""
    behind: Request | None = None
    """Sent once the answer to this has begun, where that is a stream of what happens: so nothing of it is missed."""
    run: Json | None = None
    """Where the server keeps no runs: the run as it is while this is not answered, for the answer to be added to."""
    file: tuple[str, bytes, str] | None = field(default=None, repr=False)
    """A file's name, bytes and type, that go along with the body in a form."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Read what the journal has of a run; the reply's `kept`, empty without a journal."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask about calls that a person must approve; the reply's `decisions`, empty when there is nobody to ask."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class RunTools:
    """Answer the calls of one turn, making them in parallel; the reply's `finished` has one for each, in call order."""

    calls: tuple[Call, ...]
    """As they are to be made: with other arguments than the model's where somebody has changed them."""
    retries_left: Mapping[str, int]
    """How often each tool may still ask to be called again, by name."""
    run_id: str
    thread_id: str
    settled: Mapping[int, FinishedCall] = field(default_factory=dict[int, FinishedCall])
    """Answers that need no call, by position: denied, or made before a crash."""
    changed: frozenset[int] = frozenset()
    """Positions of the calls with other arguments than the model's."""
    notes: tuple[Note, ...] = ()
    """What the journal must have before the first call is made."""
    state: Json | None = None
    """The run itself, for the journal, where the server keeps none."""

    @property
    def to_make(self) -> tuple[tuple[int, ...], tuple[Call, ...]]:
        """The calls that are not settled: their positions, and they themselves."""
        if not self.settled:
            return tuple(range(len(self.calls))), self.calls
        places = tuple(place for place in range(len(self.calls)) if place not in self.settled)
        return places, tuple(self.calls[place] for place in places)

    def told(self, place: int, finished: FinishedCall) -> FinishedCall:
        """Say to the model what a call came to, and that it was not quite the call it had asked for, if so."""
        if place not in self.changed:
            return finished
        note = f"[Made with other arguments than yours: {finished.call.arguments}]"
        text, parts = f"{finished.output.content}\n{note}", finished.output.parts
        parts = (*parts, note) if parts else ()
        return replace(finished, output=finished.output._replace(content=text, parts=parts))


@dataclass(frozen=True, slots=True)
class Record:
    """Write down what came of an upload: its file's id in the journal, why there is none in the log."""

    run_id: str
    call: Call
    """The call whose output it is part of."""
    key: str
    """The Idempotency-Key of the upload."""
    file_id: str | None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so long before the next effect."""

    seconds: float


Effect = Request | Recall | Ask | RunTools | Record | Sleep


class TimeUp(Exception):
    """The limit in seconds has come."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an effect; of a request cut short, what came until then."""

    status: int | None = None
    """The HTTP status; None when no answer, or no whole one, came: the connection broke, timed out, or said nothing."""
    body: Json | None = None
    """The answer's JSON, or the run it means; of a stream, the last run that an event carried."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    error: Exception | None = None
    """The client's own exception, raised as it is when there is no run yet to attach."""
    messages: Sequence[Json] = ()
    """The messages that came with the answer."""
    finished: Sequence[FinishedCall] = ()
    decisions: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    """What was decided on the calls of an `Ask`, by their ids."""
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the journal has of the run of a `Recall`."""
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
