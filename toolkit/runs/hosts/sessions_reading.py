"""Reads what an agent's session says of one turn of its root agent: its events, its state, its items.

The server may tell things twice, and tells of what was before we came: so a turn is known by its id, and calls that
have been answered are known by theirs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from toolkit.runs.effects import Call, Json
from toolkit.runs.events import ServerEvent
from toolkit.runs.hosts.ours import ended, message_of, summed, text_part

__all__ = ["Pieces", "SessionsReading", "messages_in", "with_turn"]

_TURN = "agent.session.turn."
_OVER = frozenset({"completed", "failed", "cancelled"})
_WORDS = ("created", "in_progress", "requires_action", "idle", "failed")
_SESSION = frozenset(f"agent.session.{word}" for word in _WORDS)


class SessionsReading:
    """Follows the turn that our input began, from event to event."""

    def __init__(self, run: Json | None) -> None:
        self._run = run
        self._first = run
        self.is_complete = False
        self.messages: list[Json] = []
        self.said: Json | None = None

    def hear(self, event: ServerEvent) -> None:
        if self._run is None or self.is_complete:
            return
        with suppress(ValueError):
            self._hear(self._run, event)

    def _hear(self, run: Json, event: ServerEvent) -> None:
        name: str = event.name or event.data["type"]
        if name.startswith(_TURN) and event.data.get("turn") is not None:
            self._run = with_turn(run, event.data["turn"], event.data.get("usage"))
        elif name == "agent.session.turn.item.done":
            known = {message["id"] for message in self.messages}
            self.messages += [one for one in messages_in(run, [event.data["item"]]) if one["id"] not in known]
        elif name in _SESSION:
            self._run = _with_session(run, event.data["session"])
            self.is_complete = self._run["status"] != "in_progress" or self._run["reads"] == "turn"
        elif name == "error":
            self.said = event.data.get("error")

    def run(self) -> Json | None:
        """The run as it is; None while nothing was heard of its turn."""
        return None if self._run is self._first or self._run is None or not self._run["turn_id"] else self._run

    def whole(self, body: Json) -> Json:
        """Add a turn or a session that was read; else give what it is."""
        if self._run is None:
            return body
        if body.get("object") == "agent.session.turn":
            run = with_turn({**self._run, "reads": "session"}, body)
            return _settled(run) if run["turn_status"] in _OVER else run
        return _with_session(self._run, body) if body.get("object") == "agent.session" else body


def with_turn(run: Json, turn: Json, usage: Json | None = None) -> Json:
    """Learn from a turn, if it is ours: the first one of the root agent behind our input."""
    if turn.get("subagent_id") is not None or run["turn_id"] not in (None, turn["id"]):
        return run
    status: str = turn["status"]
    known = {"turn_id": turn["id"], "turn_status": status, "created_at": run["created_at"] or turn.get("created_at")}
    run = {**run, **known, "turn_error": turn.get("error")}
    return {**run, "usage": summed(run["usage_before"], usage or turn.get("usage"))}


def _with_session(run: Json, session: Json) -> Json:
    """Learn from the state of the session: what it waits for, or that its turn is over."""
    run = {**run, "thread_id": session["id"], "answer": session}
    if session["status"] == "failed":
        text = session.get("error") or "no reason given"
        return ended(run, "failed", error={"code": "server_error", "message": text})
    if run["turn_id"] is None:
        return run  # how the session was before our input
    if session["status"] == "idle":
        # Only the turn itself knows how it went.
        return _settled(run) if run["turn_status"] in _OVER else {**run, "reads": "turn"}
    if session["status"] != "requires_action":
        return run
    return _waiting(run, session["required_actions"])


def _waiting(run: Json, actions: Sequence[Json]) -> Json:
    calls = [
        Call(one["call_id"], one["name"], _text(one["arguments"]))
        for one in actions
        if one["type"] == "function_call" and one["call_id"] not in run["answered"]
    ]
    others = sorted({one["type"] for one in actions} - {"function_call"})
    if calls or not others:
        turns = {one["call_id"]: one["turn_id"] for one in actions if one["type"] == "function_call"}
        return ended(run, "in_progress", calls=calls, turn_of_call=turns)
    text = f"The session waits for {', '.join(others)}, which is not the toolset's to answer."
    return ended(run, "failed", error={"code": "requires_action", "message": text})


def _settled(run: Json) -> Json:
    return ended(run, run["turn_status"], error=run["turn_error"])


def messages_in(run: Json, items: Sequence[Json]) -> list[Json]:
    """The assistant's messages of the run's turn, as messages of a thread."""
    return [
        message_of(
            run, item["id"], [text_part(part["text"]) for part in item["content"] if part["type"] == "output_text"]
        )
        for item in items
        if item["type"] == "message" and item["role"] == "assistant" and item["turn_id"] == run["turn_id"]
    ]


class Pieces:
    """Reads the text that events bring, in the order in which they come: not that of subagents, told of beside it."""

    def __init__(self) -> None:
        self._others: set[str] = set()
        """Turns of subagents."""

    def __call__(self, event: ServerEvent) -> tuple[str, str] | None:
        """The id of the message and the piece of its text that an event brings, if it brings one."""
        with suppress(ValueError):
            name: str = event.name or event.data.get("type") or ""
            if name == "agent.session.turn.output_text.delta":
                is_ours = event.data.get("turn_id") not in self._others
                return (event.data["item_id"], event.data["delta"]) if is_ours else None
            turn: Json = (event.data.get("turn") if name.startswith(_TURN) else None) or {}
            if turn.get("subagent_id") is not None:
                self._others.add(turn["id"])
        return None


def _text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
