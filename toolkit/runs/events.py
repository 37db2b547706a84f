"""What happens in a run, as the app sees it while it streams."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from toolkit.runs.effects import Call, FinishedCall
from toolkit.runs.result import Result

__all__ = ["CallFinished", "CallStarted", "Event", "RunEnded", "ServerEvent", "TextDelta"]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the assistant's text."""

    text: str
    message_id: str


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A tool is about to run."""

    call: Call


@dataclass(frozen=True, slots=True)
class CallFinished:
    """A call has its output; calls of one turn finish in any order."""

    finished: FinishedCall


@dataclass(frozen=True)
class ServerEvent:
    """An event of the server as it came, such as `thread.run.step.created`; `.data` is its object as a dict."""

    name: str
    raw: bytes = field(repr=False)

    @cached_property
    def data(self) -> dict[str, Any]:
        """The event's object, read from its JSON when it is first asked for."""
        data: dict[str, Any] = json.loads(self.raw)
        return data

    @property
    def id(self) -> str | None:
        """The event's own id, where the API gives it one: an event that is told twice has it twice."""
        return self.data.get("event_id")


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over; the last event."""

    result: Result[Any]


Event = TextDelta | CallStarted | CallFinished | ServerEvent | RunEnded
