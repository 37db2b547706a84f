"""What comes of one effect, kept for the loop as it comes: an answer of the server, or the calls of a turn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

from toolkit.runs.coverage import Coverage
from toolkit.runs.decisions import Decision
from toolkit.runs.effects import FinishedCall, Json, Reply, RunTools
from toolkit.runs.events import CallFinished, ServerEvent
from toolkit.runs.hosts import Host
from toolkit.runs.sse import EventDecoder

__all__ = ["Outcome"]

_DONE = b"[DONE]"


class Outcome:
    """Collect pieces; cut short at any point, `reply` still tells what came until then."""

    def __init__(self, host: Host, coverage: Coverage | None = None) -> None:
        self._host = host
        self._coverage = coverage
        self._status: int | None = None
        self._headers: Mapping[str, str] = {}
        self._error: Exception | None = None
        self._events: EventDecoder | None = None
        self._json = bytearray()
        self._body: Json | None = None
        self._runs: list[ServerEvent] = []
        self._messages: list[Json] = []
        self._finished: dict[int, FinishedCall] = {}
        self.decisions: Mapping[str, Decision] = {}
        self.kept: Mapping[str, str] = {}
        self.is_complete = False
        """Whether all has been said, though the answer may be open still."""
        self.said: Json | None = None
        """What the server said in an `error` event."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take an answer's head; its type says what the body is, for not every server streams when asked to."""
        self._status, self._headers = status, headers
        if headers.get("content-type", "").startswith("text/event-stream"):
            self._events = EventDecoder()

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Take a piece of the body and give the events in it. Raises ToolsMissing."""
        if self._events is None:
            self._json += chunk
            return
        for event in self._events.feed(chunk):
            if event.raw == _DONE:
                self.is_complete = True
                continue
            kind = self._host.carries(event.name)
            if kind == "run" or kind == "last run":
                self._runs.append(event)  # only the last will be read
                self.is_complete = kind == "last run"
                if self._coverage is not None and self._coverage.is_due:
                    with suppress(ValueError):
                        self._coverage.look(event.data)
            elif kind is not None:
                with suppress(ValueError):
                    self._keep(kind, event.data)
            yield event

    def end(self) -> None:
        """Take the end of the body. Raises ToolsMissing."""
        if self._events is None:
            self._body = self._object()
            run = self._host.run_in(self._body)
            if run is not None and self._coverage is not None:
                self._coverage.look(run)
        elif self._last_run() is None:
            self._status = None  # a stream that says nothing of the run, or nothing that can be read, has not answered

    def fail(self, error: Exception, status: int | None, headers: Mapping[str, str] | None = None) -> None:
        """Take the client's exception in place of a whole answer."""
        self._error, self._status = error, status
        if headers is not None:
            self._headers = headers

    def finish(self, position: int, finished: FinishedCall) -> CallFinished:
        """Take a finished call."""
        self._finished[position] = finished
        return CallFinished(finished)

    def settle(self, effect: RunTools) -> Iterator[CallFinished]:
        """Take the answers that need no call."""
        for place, finished in effect.settled.items():
            yield self.finish(place, effect.told(place, finished))

    def reply(self, left: BaseException | None, elapsed_s: float) -> Reply:
        """Tell the loop what came."""
        return Reply(
            status=self._status,
            body=self._body if self._events is None else self._last_run(),
            headers=self._headers,
            error=self._error,
            messages=self._messages,
            finished=[self._finished[position] for position in sorted(self._finished)],
            decisions=self.decisions,
            kept=self.kept,
            left=left,
            elapsed_s=elapsed_s,
        )

    def _object(self) -> Json | None:
        with suppress(ValueError):
            body: Any = json.loads(self._json)
            return cast("Json", body) if isinstance(body, dict) else None
        return None

    def _last_run(self) -> Json | None:
        for event in reversed(self._runs):
            with suppress(ValueError):  # broken JSON: as if the event had been lost, the loop will ask
                return event.data
        return None

    def _keep(self, kind: str, data: Json) -> None:
        if kind == "message":
            self._messages.append(data)
        else:
            self.said = data.get("error", data)
