"""What comes of one effect, kept for the loop as it comes: an answer of the server, or the calls of a turn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

from toolkit.runs.coverage import Coverage
from toolkit.runs.decisions import Decision
from toolkit.runs.effects import FinishedCall, Json, Reply, Request, RunTools
from toolkit.runs.events import CallFinished, ServerEvent
from toolkit.runs.hosts import Host
from toolkit.runs.sse import EventDecoder

__all__ = ["Outcome"]

_DONE = b"[DONE]"


class Outcome:
    """Collect pieces; cut short at any point, `reply` still tells what came until then."""

    def __init__(self, host: Host, coverage: Coverage | None = None, request: Request | None = None) -> None:
        self._host = host
        self._reading = host.reading(request)
        self._coverage = coverage
        self._status: int | None = None
        self._headers: Mapping[str, str] = {}
        self._error: Exception | None = None
        self._events: EventDecoder | None = None
        self._json = bytearray()
        self._body: Json | None = None
        self._finished: dict[int, FinishedCall] = {}
        self.decisions: Mapping[str, Decision] = {}
        self.kept: Mapping[str, str] = {}
        self.is_complete = False
        """Whether all has been said, though the answer may be open still."""

    @property
    def said(self) -> Json | None:
        """What the server said in an event that tells of an error."""
        return self._reading.said

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
            self._reading.hear(event)
            if event.raw == _DONE:
                self.is_complete = True
                continue
            self.is_complete = self._reading.is_complete
            if self._coverage is not None and self._coverage.is_due:
                self._cover(self._reading.run())
            yield event

    def end(self) -> None:
        """Take the end of the body. Raises ToolsMissing."""
        if self._events is None:
            self._body = self._object()
            self._cover(self._host.run_in(self._body))
        elif self._reading.run() is None:
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
            body=self._body if self._events is None else self._reading.run(),
            headers=self._headers,
            error=self._error,
            messages=self._reading.messages,
            finished=[self._finished[position] for position in sorted(self._finished)],
            decisions=self.decisions,
            kept=self.kept,
            left=left,
            elapsed_s=elapsed_s,
        )

    def _object(self) -> Json | None:
        with suppress(ValueError):
            body: Any = json.loads(self._json)
            return self._reading.whole(cast("Json", body)) if isinstance(body, dict) else None
        return None

    def _cover(self, run: Json | None) -> None:
        if run is not None and self._coverage is not None:
            self._coverage.look(run)
