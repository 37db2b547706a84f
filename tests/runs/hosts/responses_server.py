"""A server of responses and conversations, by the client's own types; the model says what the script has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from openai.types.conversations import ConversationItemList
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
)
from pydantic import TypeAdapter

from tests.runs.hosts.served import Events, Json, Refused, Request, Served, dumped, fits

_WHOLE: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsNonStreaming)
_STREAMED: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsStreaming)
_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_USAGE = {
    "input_tokens": 7,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 12,
}


@dataclass
class Says:
    """One response."""

    text: str | None = None
    calls: Sequence[tuple[str, str, str]] = ()
    """Call id, name and arguments of each call."""
    refusal: str | None = None
    status: str = "completed"
    reason: str = "max_output_tokens"
    polls: int = 0
    """In the background: how many reads show it in progress."""


@dataclass
class ResponsesServer(Served):
    """Answers the N-th response that it makes with the N-th of its script."""

    script: list[Says] = field(default_factory=list[Says])
    keeps: dict[str, Json] = field(default_factory=dict[str, Json])
    """The responses by id, as they are when they have ended."""
    polls: dict[str, int] = field(default_factory=dict[str, int])
    conversations: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    """Their items, oldest first."""
    ends_with: str = ""
    """The official service sends no [DONE] here."""

    def do(self, request: Request) -> Response | ConversationItemList | Events:
        method, _, path = request.name.partition(" ")
        match method, path.strip("/").split("/"):
            case "POST", ["responses"]:
                return self.create(request.body or {})
            case "GET", ["responses", one]:
                return self.shown(one)
            case "POST", ["responses", one, "cancel"]:
                self.keeps[one] |= {"status": "cancelled", "output": []}
                self.polls[one] = 0
                return self.shown(one)
            case "GET", ["conversations", one, "items"]:
                data = self.conversations[one][::-1]
                ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"], "has_more": False}
                return ConversationItemList.model_validate({"object": "list", "data": data, **ends})
            case _:
                raise Refused(404, f"no {request.name}")

    def shown(self, one: str) -> Response:
        if one not in self.keeps:
            raise Refused(404, f"Response with id '{one}' not found.")
        self.polls[one] -= 1
        kept = self.keeps[one]
        under_way = {"status": "in_progress", "output": [], "usage": None}
        return Response.model_validate({**kept, **under_way} if self.polls[one] >= 0 else kept)

    def create(self, body: Json) -> Response | Events:
        fits([_STREAMED if body.get("stream") else _WHOLE], body)
        items = [{"id": f"in_{n}", **item} for n, item in enumerate(body["input"])]
        self._check(body, items)
        number = len(self.keeps) + 1
        says, name = self.script[number - 1], f"resp_{number}"
        conversation = body.get("conversation")
        response = _response(name, number, says, conversation, bool(body.get("background")))
        self.keeps[name] = {**response, "input": items, "previous_response_id": body.get("previous_response_id")}
        self.polls[name] = says.polls
        if conversation:
            self.conversations[conversation] += [*_as_kept(items), *response["output"]]
        if body.get("stream"):
            return _events(response, says)
        return Response.model_validate({**response, "status": "queued", "output": []} if says.polls else response)

    def _check(self, body: Json, items: Sequence[Json]) -> None:
        """Refuse outputs of calls that nobody made, or that have theirs, as the service does."""
        before: list[Json] = [*self.conversations.get(body.get("conversation") or "", ()), *items]
        one = body.get("previous_response_id")
        while one is not None:
            if one not in self.keeps:
                raise Refused(400, f"Previous response with id '{one}' not found.")
            before = [*self.keeps[one]["input"], *self.keeps[one]["output"], *before]
            one = self.keeps[one]["previous_response_id"]
        asked = [item["call_id"] for item in before if item.get("type") == "function_call"]
        given = [item["call_id"] for item in before if item.get("type") == "function_call_output"]
        if sorted(asked) != sorted(given):
            raise Refused(400, f"No tool output found for function call {asked}, only {given}.")


def _as_kept(items: Sequence[Json]) -> list[Json]:
    """Input as a conversation shows it."""
    return [{"status": "completed", **item} if "type" in item else _message(item) for item in items]


def _message(item: Json) -> Json:
    content = [{"type": "input_text", "text": item["content"]}]
    return {"type": "message", "id": item["id"], "role": item["role"], "status": "completed", "content": content}


def _response(name: str, number: int, says: Says, conversation: str | None, background: bool) -> Json:
    output: list[Json] = [{"type": "reasoning", "id": f"rs_{number}", "summary": []}] if says.calls else []
    parts: list[Json] = []
    if says.text:
        parts.append({"type": "output_text", "text": says.text, "annotations": []})
    if says.refusal:
        parts.append({"type": "refusal", "refusal": says.refusal})
    ended = "incomplete" if says.status == "incomplete" else "completed"
    if parts:
        message = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": ended, "content": parts}
        output.append(message)
    for one, function, arguments in says.calls:
        call = {"type": "function_call", "id": f"fc_{one}", "call_id": one, "name": function, "arguments": arguments}
        output.append({**call, "status": ended})
    error = {"code": "server_error", "message": "Sorry"} if says.status == "failed" else None
    return {
        "id": name,
        "object": "response",
        "created_at": 1_700_000_000.0,
        "status": says.status,
        "background": background,
        "model": "m",
        "output": output,
        "error": error,
        "incomplete_details": {"reason": says.reason} if says.status == "incomplete" else None,
        "conversation": {"id": conversation} if conversation else None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": _USAGE,
    }


def _events(response: Json, says: Says) -> Events:
    """Events as the service streams them: each with its type twice, and a number."""
    under_way = {**response, "status": "in_progress", "output": [], "usage": None}
    told: list[Json] = [{"type": f"response.{word}", "response": under_way} for word in ("created", "in_progress")]
    for index, item in enumerate(response["output"]):
        place = {"output_index": index}
        told.append({"type": "response.output_item.added", "item": {**item, "status": "in_progress"}, **place})
        if item["type"] == "message":
            place |= {"item_id": item["id"], "content_index": 0}
            text = says.text or ""
            for piece in (text[:3], text[3:]) if text else ():
                told.append({"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place})
            if says.refusal:
                told.append({"type": "response.refusal.delta", "delta": says.refusal, **place})
        if item["type"] == "function_call":
            place |= {"item_id": item["id"]}
            told.append({"type": "response.function_call_arguments.delta", "delta": item["arguments"], **place})
        told.append({"type": "response.output_item.done", "item": item, "output_index": index})
    told.append({"type": f"response.{response['status']}", "response": response})
    events = [_EVENT.validate_python({**one, "sequence_number": number}) for number, one in enumerate(told)]
    return [(event.type, json.loads(json.dumps(dumped(event)))) for event in events]
