"""Reads chat completions: whole ones, and streams of their pieces.

Servers that call themselves compatible leave out, repeat and null nearly every field, so each is looked at before it is
used. Whether there are calls decides what comes next, not `finish_reason`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from toolkit.runs.effects import Call, Json
from toolkit.runs.events import ServerEvent
from toolkit.runs.hosts.fragments import Fragments
from toolkit.runs.hosts.ours import ended, message_of, refusal_part, summed, text_part

__all__ = ["ChatReading", "answered", "piece_of", "text_message"]

_INCOMPLETE = {"length": "max_completion_tokens", "content_filter": "content_filter"}
_DONE = b"[DONE]"
_FAILED = frozenset({"error", "insufficient_system_resource"})
# Fields of an answer that go back to the model though the API has no word for them: some models refuse a history
# without. (Gemini, DeepSeek and OpenRouter, for thinking.)
_GO_BACK = ("reasoning_content", "reasoning_details", "reasoning", "thinking_blocks", "extra_content")


class ChatReading:
    """Puts a streamed completion together; `run` is the run that the answer is added to."""

    messages: tuple[Json, ...] = ()
    is_complete = False  # the usage may follow what says that the text is over, and [DONE] follows all

    def __init__(self, run: Json | None) -> None:
        self._run = run
        self._head: dict[str, Any] = {}
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._extra: dict[str, Any] = {}
        self._calls = Fragments()
        self._finish: str | None = None
        self._is_broken = False
        self._done: Json | None = None
        self.said: Json | None = None

    def hear(self, event: ServerEvent) -> None:
        if event.raw == _DONE:
            self._finish = self._finish or ("stop" if self._head else None)  # some servers do not say why
            return
        chunk = _object(event)
        if chunk is None:
            self._is_broken = self._is_broken or bool(event.raw.strip())
            return
        error = chunk.get("error")
        if error:
            self.said = cast("Json", error) if isinstance(error, dict) else {"message": str(error)}
            return
        self._done = None
        for name, value in chunk.items():
            if name not in ("choices", "object") and value and (name == "usage" or name not in self._head):
                self._head[name] = value
        choice = _choice(chunk)
        if choice is None:
            return
        self._finish = choice.get("finish_reason") or self._finish
        delta: object = choice.get("delta")
        if isinstance(delta, dict):
            self._add(cast("dict[str, Any]", delta))

    def _add(self, delta: dict[str, Any]) -> None:
        for name, pieces in (("content", self._text), ("refusal", self._refusal)):
            piece: object = delta.get(name)
            if isinstance(piece, str) and piece:
                pieces.append(piece)
        if delta.get("tool_calls"):
            self._calls.add(delta["tool_calls"])
        for name in _GO_BACK:
            more: object = delta.get(name)
            if more:
                self._extra[name] = _joined(self._extra.get(name), more)

    def run(self) -> Json | None:
        """The run with the answer; None while the model has not said why it stopped, and when a piece was lost."""
        if self._finish is None or self._run is None or self._is_broken or self.said is not None:
            return None
        if self._done is None:
            said = {"content": "".join(self._text), "refusal": "".join(self._refusal) or None}
            calls = self._calls.calls(self._run["call_ids"], _prefix(self._run))
            message = {"role": "assistant", **said, **self._extra, "tool_calls": calls}
            choice = {"index": 0, "message": message, "finish_reason": self._finish}
            self._done = self._take({**self._head, "object": "chat.completion", "choices": [choice]})
        return self._done

    def whole(self, body: Json) -> Json:
        """Add a completion that came in one piece; what is none stays what it is."""
        choice = _choice(body)
        said: object = choice.get("message") if choice is not None else None
        if self._run is None or choice is None or not isinstance(said, dict):
            return body
        calls = Fragments()
        message = cast("dict[str, Any]", said)
        calls.add(message.get("tool_calls"), whole=True)
        message = {**message, "tool_calls": calls.calls(self._run["call_ids"], _prefix(self._run))}
        return self._take({**body, "choices": [{**choice, "message": message}]})

    def _take(self, completion: Json) -> Json:
        run = answered(cast("Json", self._run), completion)
        message = text_message(run, completion)
        self.messages = () if message is None else (message,)
        return run


def answered(run: Json, completion: Json) -> Json:
    """Add a completion to a run, with the ids of its calls as they are to be known."""
    choice: Json = completion["choices"][0]
    message: Json = choice["message"]
    asked: list[Json] = message["tool_calls"]
    finish: str = choice.get("finish_reason") or "stop"
    if finish in _INCOMPLETE or finish in _FAILED:
        asked = []  # a call that was cut off is not made, nor told to the model again
    usage: object = completion.get("usage")
    run = {
        **run,
        "created_at": run["created_at"] or completion.get("created"),
        "usage": summed(run["usage"], cast("Json", usage) if isinstance(usage, dict) else None),
        "messages": [*run["messages"], _back(message, asked)],
        "call_ids": [*run["call_ids"], *(call["id"] for call in asked)],
        "answer": completion,
    }
    if finish in _FAILED:
        return ended(run, "failed", error={"code": "server_error", "message": f"The model stopped: {finish}."})
    if finish in _INCOMPLETE:
        return ended(run, "incomplete", incomplete=_INCOMPLETE[finish])
    calls = [Call(one["id"], one["function"]["name"], one["function"]["arguments"]) for one in asked]
    return ended(run, "completed", calls=calls)


def text_message(run: Json, completion: Json) -> Json | None:
    """What a completion says, as a message of a thread; None when it says nothing."""
    said: Json = completion["choices"][0]["message"]
    content = [
        part(said[name])
        for name, part in (("content", text_part), ("refusal", refusal_part))
        if isinstance(said.get(name), str) and said[name]
    ]
    return message_of(run, completion.get("id") or "", content) if content else None


def piece_of(event: ServerEvent) -> tuple[str, str] | None:
    """The completion's id and the piece of text that a chunk brings, if it brings one."""
    chunk = _object(event) or {}
    choice = _choice(chunk)
    delta: object = choice.get("delta") if choice is not None else None
    text: object = cast("dict[str, Any]", delta).get("content") if isinstance(delta, dict) else None
    return (chunk.get("id") or "", text) if isinstance(text, str) and text else None


def _object(event: ServerEvent) -> dict[str, Any] | None:
    """The chunk in an event; None for what is none."""
    chunk: Any = None
    with suppress(ValueError):
        chunk = event.data
    return cast("dict[str, Any]", chunk) if isinstance(chunk, dict) else None


def _choice(body: Json) -> dict[str, Any] | None:
    choices: object = body.get("choices")
    first: object = cast("list[object]", choices)[0] if isinstance(choices, list) and choices else None
    return cast("dict[str, Any]", first) if isinstance(first, dict) else None


def _prefix(run: Json) -> str:
    return f"call_{len(run['messages'])}_"


def _back(message: Json, calls: Sequence[Json]) -> Json:
    """The assistant's message as it goes back to the model, with the calls that will be answered."""
    said: dict[str, Any] = {"role": "assistant", "content": message.get("content") or None}
    if calls:
        said["tool_calls"] = calls
    elif said["content"] is None:
        said["content"] = ""  # a message must have something
    if message.get("refusal"):
        said["refusal"] = message["refusal"]
    if isinstance(message.get("audio"), dict):
        said["audio"] = {"id": message["audio"].get("id")}
    return said | {name: message[name] for name in _GO_BACK if message.get(name)}


def _joined(before: Any, more: Any) -> Any:
    return before + more if type(before) is type(more) and isinstance(more, str | list) else more
