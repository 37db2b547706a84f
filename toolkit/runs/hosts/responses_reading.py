"""Reads responses: whole ones, streams, and what a conversation has of one whose answer was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, cast

from toolkit.runs.effects import Call, Json
from toolkit.runs.events import ServerEvent
from toolkit.runs.hosts.ours import ended, message_of, refusal_part, summed, text_part

__all__ = ["ResponsesReading", "answered", "piece_of"]

_LAST = frozenset({"response.completed", "response.failed", "response.incomplete"})
_UNDER_WAY = frozenset({"response.created", "response.queued", "response.in_progress"})
_INCOMPLETE = {"max_output_tokens": "max_completion_tokens"}


class ResponsesReading:
    """Adds the response to a run.

    One under way is worth knowing only where it goes on without us: in the background.
    """

    def __init__(self, run: Json | None) -> None:
        self._run = run
        self._is_kept = run is not None and bool(run["body"].get("background"))
        self._response: Json | None = None
        self._done: Json | None = None
        self.is_complete = False
        self.messages: Sequence[Json] = ()
        self.said: Json | None = None

    def hear(self, event: ServerEvent) -> None:
        with suppress(ValueError):
            name = _name(event)
            if name in _LAST or (self._is_kept and name in _UNDER_WAY):
                self._response, self._done = event.data.get("response"), None
                self.is_complete = name in _LAST
            elif name == "error":
                error: Any = event.data.get("error")
                self.said = cast("Json", error) if isinstance(error, dict) else event.data

    def run(self) -> Json | None:
        if self._run is None or self._response is None or self.said is not None:
            return None
        if self._done is None:
            self._done = self._take(self._run, self._response)
        return self._done

    def whole(self, body: Json) -> Json:
        """Add a response that came in one piece, or was found in its conversation; else give what it is."""
        if self._run is None:
            return body
        if body.get("object") == "list":
            return self._found(self._run, body["data"])
        return self._take(self._run, body) if body.get("object") == "response" else body

    def _take(self, run: Json, response: Json) -> Json:
        run = answered(run, response)
        if run["status"] != "in_progress":
            self.messages = _messages(run, response["output"])
        return run

    def _found(self, run: Json, newest_first: Sequence[Json]) -> Json:
        """A conversation takes input and output together, when its response has completed."""
        asked = set(run["asked"])
        output: list[Json] = []
        for item in newest_first:
            if item["type"] == "function_call_output" and item.get("call_id") in asked and output:
                output.reverse()
                return self._take(run, {"id": None, "status": "completed", "output": output})
            output.append(item)
        return run


def answered(run: Json, response: Json) -> Json:
    """Add a response to a run."""
    status: str = response.get("status") or "completed"
    output: Sequence[Json] = response.get("output") or ()
    details: Json = response.get("incomplete_details") or {}
    conversation: Any = response.get("conversation")
    calls = [
        Call(item["call_id"], item["name"], item["arguments"]) for item in output if item["type"] == "function_call"
    ]
    run = {
        **run,
        "created_at": run["created_at"] or _whole_seconds(response.get("created_at")),
        "thread_id": conversation["id"] if isinstance(conversation, Mapping) else run["thread_id"],
        "answer": response,
    }
    if status in ("queued", "in_progress"):
        return {**run, "status": "in_progress"}
    run["usage"] = summed(run["usage"], response.get("usage"))
    if run["messages"] is not None:
        run["messages"] = [*run["messages"], *output]
    if status == "incomplete":
        reason: str = details.get("reason") or "unknown"
        return ended(run, "incomplete", incomplete=_INCOMPLETE.get(reason, reason))
    if status == "completed":
        return ended(run, "completed", calls=calls, asked=[call.id for call in calls])
    return ended(run, status, error=response.get("error"))


def piece_of(event: ServerEvent) -> tuple[str, str] | None:
    """The id of the message and the piece of its text that an event brings, if it brings one."""
    with suppress(ValueError):
        if _name(event) == "response.output_text.delta":
            return event.data["item_id"], event.data["delta"]
    return None


def _name(event: ServerEvent) -> str:
    """What an event is; some servers say it in the data only. Raises ValueError for broken JSON."""
    if event.name:
        return event.name
    data: Any = event.data if event.raw.startswith(b"{") else {}
    return str(data.get("type"))


def _messages(run: Json, output: Sequence[Json]) -> Sequence[Json]:
    return [
        message_of(run, item["id"], _content(item["content"]))
        for item in output
        if item["type"] == "message" and item.get("role", "assistant") == "assistant"
    ]


def _content(parts: Sequence[Json]) -> list[Json]:
    content: list[Json] = []
    for part in parts:
        kind: Literal["output_text", "text", "refusal"] = part["type"]
        if kind == "refusal":
            content.append(refusal_part(part["refusal"]))
        elif kind in ("output_text", "text"):
            content.append(text_part(part["text"], part.get("annotations") or ()))
    return content


def _whole_seconds(when: object) -> int | None:
    return int(when) if isinstance(when, int | float) else None
