"""Streams whose events carry whole runs: which of them do, each host says by the events' names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from toolkit.runs.effects import Json
from toolkit.runs.events import ServerEvent

__all__ = ["Carried", "CarriedReading"]

Carried = Literal["run", "last run", "message", "error"]
"""What an event of a stream is for the loop; behind a `last run` the stream has nothing more to say."""


class CarriedReading:
    """Reads runs that are objects of the server. An event's JSON is read only when it is needed: the last run's."""

    def __init__(self, carries: Callable[[str], Carried | None]) -> None:
        self._carries = carries
        self._runs: list[ServerEvent] = []
        self.is_complete = False
        self.messages: list[Json] = []
        self.said: Json | None = None

    def hear(self, event: ServerEvent) -> None:
        kind = self._carries(event.name)
        if kind == "run" or kind == "last run":
            self._runs.append(event)
            self.is_complete = kind == "last run"
        elif kind is not None:
            with suppress(ValueError):
                self._keep(kind, event.data)

    def run(self) -> Json | None:
        for event in reversed(self._runs):
            with suppress(ValueError):  # broken JSON: as if the event had been lost, the loop will ask
                return event.data
        return None

    def whole(self, body: Json) -> Json:
        return body

    def _keep(self, kind: Carried, data: Json) -> None:
        if kind == "message":
            self.messages.append(data)
        else:
            self.said = data.get("error", data)
