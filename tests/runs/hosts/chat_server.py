"""A server of chat completions, by the client's own types; the model says what the script has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter

from tests.runs.hosts.served import Events, Json, Refused, Request, Served, dumped, fits

_WHOLE: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
_STREAMED: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)

Finish = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass
class Says:
    """One answer of the model."""

    text: str | None = None
    calls: Sequence[tuple[str, str, str]] = ()
    """Id, name and arguments of each call."""
    refusal: str | None = None
    finish: Finish | None = None

    @property
    def reason(self) -> Finish:
        return self.finish or ("tool_calls" if self.calls else "stop")


@dataclass
class ChatServer(Served):
    """Answers the N-th request that it does with the N-th of its script."""

    script: list[Says] = field(default_factory=list[Says])
    knows: frozenset[str] = frozenset()
    """Fields that are not the official API's."""
    done: int = 0

    def do(self, request: Request) -> ChatCompletion | Events:
        assert request.name == "POST /chat/completions"
        body = request.body or {}
        body = {name: value for name, value in body.items() if name not in self.knows}
        fits([_STREAMED if body.get("stream") else _WHOLE], body)
        _check_history(body["messages"])
        says = self.script[self.done]
        self.done += 1
        name = f"chatcmpl-{self.done}"
        if body.get("stream"):
            return [("", dumped(chunk)) for chunk in _chunks(name, says, body["stream_options"]["include_usage"])]
        calls = [
            {"id": one, "type": "function", "function": {"name": function, "arguments": arguments}}
            for one, function, arguments in says.calls
        ]
        message = {"role": "assistant", "content": says.text, "refusal": says.refusal, "tool_calls": calls or None}
        choice = {"index": 0, "message": message, "finish_reason": says.reason, "logprobs": None}
        return ChatCompletion.model_validate({**_head(name, "chat.completion"), "choices": [choice], "usage": _USAGE})


_USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def _head(name: str, kind: str) -> Json:
    return {"id": name, "object": kind, "created": 1_700_000_000, "model": "m"}


def _chunks(name: str, says: Says, with_usage: bool) -> list[ChatCompletionChunk]:
    """Deltas as the service streams them: a role first, arguments in halves, parallel calls by their index."""
    deltas: list[Json] = [{"role": "assistant", "content": "" if says.text else None, "refusal": None}]
    if says.text:
        deltas += [{"content": says.text[:3]}, {"content": says.text[3:]}]
    if says.refusal:
        deltas.append({"refusal": says.refusal})
    for index, (one, function, arguments) in enumerate(says.calls):
        begun = {"index": index, "id": one, "type": "function", "function": {"name": function, "arguments": ""}}
        halves = (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :])
        pieces = [{"index": index, "function": {"arguments": half}} for half in halves]
        deltas += [{"tool_calls": [piece]} for piece in (begun, *pieces)]
    head = _head(name, "chat.completion.chunk")
    choices: list[Json] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": says.reason})
    chunks: list[Json] = [{**head, "choices": [choice]} for choice in choices]
    if with_usage:
        chunks.append({**head, "choices": [], "usage": _USAGE})
    return [ChatCompletionChunk.model_validate(chunk) for chunk in chunks]


def _check_history(messages: Sequence[Json]) -> None:
    """Refuse what the service refuses: calls that are not answered right behind, and answers to none."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise Refused(400, "messages with role 'tool' must be a response to a preceding 'tool_calls'")
            waiting.remove(message["tool_call_id"])
        elif waiting:
            raise Refused(400, f"these tool_call_ids did not have response messages: {waiting}")
        waiting += [call["id"] for call in message.get("tool_calls", ())]
    if waiting:
        raise Refused(400, f"these tool_call_ids did not have response messages: {waiting}")
