"""A server of agents' sessions, by the client's own types; the agent does what the script has."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from openai.types.beta import AgentSession
from openai.types.beta.agent_session_event import AgentSessionEvent
from openai.types.beta.agents.session_create_params import SessionCreateParamsStreaming
from openai.types.beta.agents.sessions import Turn
from openai.types.beta.agents.sessions.event_create_params import EventCreateParams
from pydantic import BaseModel, TypeAdapter

from tests.runs.hosts.served import Events, Json, Refused, Request, Served, dumped, fits

_CREATE: TypeAdapter[Any] = TypeAdapter(SessionCreateParamsStreaming)
_POST: TypeAdapter[Any] = TypeAdapter(EventCreateParams)
_EVENT: TypeAdapter[Any] = TypeAdapter(AgentSessionEvent)
_USAGE = {
    "input_tokens": 7,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 12,
}


@dataclass
class Does:
    """What the agent does until it waits for us, or its turn is over."""

    text: str | None = None
    calls: Sequence[tuple[str, str, Json]] = ()
    """Call id, name and arguments of each call."""
    others: Sequence[Json] = ()
    """Further required actions."""
    status: str = "completed"
    """How the turn ends, when it does."""


@dataclass
class SessionsServer(Served):
    """One session; every input begins a turn."""

    script: list[Does] = field(default_factory=list[Does])
    tools: list[Json] = field(default_factory=list[Json])
    loses: int = 99
    """How many legs are told on a stream; it breaks before the next."""
    status: str = "idle"
    actions: list[Json] = field(default_factory=list[Json])
    turns: list[Json] = field(default_factory=list[Json])
    items: list[Json] = field(default_factory=list[Json])
    results: list[Json] = field(default_factory=list[Json])
    done: int = 0
    ends_with: str = ""
    _keys: set[str] = field(default_factory=set[str])
    _streams: list[asyncio.Queue[tuple[str, Json] | None]] = field(
        default_factory=list[asyncio.Queue[tuple[str, Json] | None]]
    )
    _number: int = 0

    def do(self, request: Request) -> BaseModel | Json | Events | asyncio.Queue[tuple[str, Json] | None] | None:
        assert request.headers["openai-beta"] == "agents=v1"
        method, _, path = request.name.partition(" ")
        body = request.body or {}
        match method, path.strip("/").split("/")[1:]:
            case "POST", ["sessions"]:
                fits([_CREATE], body)
                self.tools = body["agent"].get("tools", [])
                assert body["input"][0]["role"] == "user"
                created = ("agent.session.created", self.told("agent.session.created", session=self.session()))
                stream: asyncio.Queue[tuple[str, Json] | None] = asyncio.Queue()
                stream.put_nowait(created)
                self._streams = [stream]
                self.begin()
                return stream
            case "GET", ["sessions", "sess_1"]:
                return AgentSession.model_validate(self.session())
            case "GET", ["sessions", "sess_1", "turns", one]:
                return Turn.model_validate(next(turn for turn in self.turns if turn["id"] == one))
            case "GET", ["sessions", "sess_1", "turns"]:
                return {"object": "list", "data": self.turns[-1:], "has_more": False}
            case "GET", ["sessions", "sess_1", "items"]:
                return {"object": "list", "data": self.items, "has_more": False}
            case "GET", ["sessions", "sess_1", "events"]:
                stream = asyncio.Queue()
                stream.put_nowait(
                    (f"agent.session.{self.status}", self.told(f"agent.session.{self.status}", session=self.session()))
                )
                self._streams = [stream]
                return stream
            case "POST", ["sessions", "sess_1", "events"]:
                fits([_POST], body)
                if request.headers["idempotency-key"] not in self._keys:
                    self._keys.add(request.headers["idempotency-key"])
                    for event in body["events"]:
                        self.take(event)
                return None
            case _:
                raise Refused(404, f"no {request.name}")  # fmt: skip

    def take(self, event: Json) -> None:
        match event["type"].removeprefix("agent.session.input."):
            case "message":
                assert self.status == "idle"
                self.begin()
            case "cancel":
                self.end("cancelled")
            case "tool_result":
                [action] = [one for one in self.actions if one.get("call_id") == event["call_id"]]
                assert event["turn_id"] == action["turn_id"]
                self.results.append(event)
                self.actions.remove(action)
                if not self.actions:
                    self.play()

    def begin(self) -> None:
        number = len(self.turns) + 1
        turn = {"id": f"turn_{number}", "agent_id": "agent_1", "created_at": int(time.time()), "session_id": "sess_1"}
        self.turns.append({**turn, "object": "agent.session.turn", "status": "in_progress"})
        self.status = "in_progress"
        self.tell("agent.session.turn.created", turn=self.turns[-1], turn_id=turn["id"])
        # A turn of a subagent is told of on the same stream.
        other = {**self.turns[-1], "id": f"turn_{number}_sub", "subagent_id": "sub_1", "status": "completed"}
        self.tell("agent.session.turn.completed", turn=other, turn_id=other["id"])
        self.play()

    def play(self) -> None:
        does = self.script[self.done]
        self.done += 1
        if self.done > self.loses:
            for stream in self._streams:
                stream.put_nowait(None)
            self._streams = []
        turn = self.turns[-1]["id"]
        self.status = "in_progress"
        self.tell("agent.session.in_progress", session=self.session())
        if does.text:
            other = {"content_index": 0, "item_id": "msg_sub", "output_index": 0, "turn_id": f"{turn}_sub"}
            self.tell("agent.session.turn.output_text.delta", delta="Said to the root agent alone.", **other)
            item = {"type": "message", "id": f"msg_{self.done}", "role": "assistant", "status": "completed"}
            item |= {"turn_id": turn, "content": [{"type": "output_text", "text": does.text, "annotations": []}]}
            for piece in (does.text[:3], does.text[3:]):
                place = {"content_index": 0, "item_id": item["id"], "output_index": 0, "turn_id": turn}
                self.tell("agent.session.turn.output_text.delta", delta=piece, **place)
            self.items.append(item)
            self.tell("agent.session.turn.item.done", item=item, output_index=0, turn_id=turn)
        for call_id, name, arguments in does.calls:
            self.actions.append(
                {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments, "turn_id": turn}
            )
        self.actions += [{**one, "turn_id": turn} for one in does.others]
        if self.actions:
            self.status = "requires_action"
            self.tell("agent.session.requires_action", session=self.session())
        else:
            self.end(does.status)

    def end(self, status: str) -> None:
        error = {"code": "server_overloaded", "message": "Sorry"} if status == "failed" else None
        self.turns[-1] |= {"status": status, "error": error, "usage": _USAGE}
        self.status, self.actions = "idle", []
        self.tell(f"agent.session.turn.{status}", turn=self.turns[-1], turn_id=self.turns[-1]["id"])
        self.tell("agent.session.idle", session=self.session())

    def session(self) -> Json:
        agent = {
            "id": "agent_1",
            "model": "m",
            "tools": list(map(_shown, self.tools)),
            "service_tier": "auto",
            "reasoning": {},
        }
        agent |= {"multi_agent": {"enabled": False}, "text": {"format": {"type": "text"}, "verbosity": "low"}}
        state = {"status": self.status, "required_actions": list(self.actions)}
        times = {"created_at": 1_700_000_000, "last_active_at": 1_700_000_000}
        session = {"id": "sess_1", "object": "agent.session", "agent": agent, "environment": {"type": "none"}}
        return {**session, **state, **times, "metadata": {}, "vault_ids": []}

    def told(self, kind: str, **data: Any) -> Json:
        self._number += 1
        if "session" not in data:
            data["session_id"] = "sess_1"
        event = {"type": kind, "event_id": f"event_{self._number}", **data}
        told: Json = json.loads(json.dumps(dumped(_EVENT.validate_python(event))))
        return told

    def tell(self, kind: str, **data: Any) -> None:
        event = (kind, self.told(kind, **data))
        for stream in self._streams:
            stream.put_nowait(event)
            stream.put_nowait(event)  # the service may tell things twice


def _shown(tool: Json) -> Json:
    """A tool with what the service adds."""
    more = {"defer_loading": False} if tool["type"] == "function" else {"context_size": "low", "mode": "live"}
    return {**tool, **more}
