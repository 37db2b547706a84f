"""A chat completion out of what an endpoint answered, in the shapes of all servers called compatible. No I/O.

An answer is a stream of events, or one JSON body where a stream was asked for. Every field may be missing, null, empty
or of another type; what is not understood is skipped, and what would make half an answer look like a whole one is a
failure. Text is `content` only: reasoning never reaches a message, and calls written as text stay text, since guessing
would execute what the server did not mean.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, MutableMapping, Sequence
from typing import Any, Final, Literal, cast

from toolkit.engine.endpoint.failures import Told, judged, said_instead, told_in
from toolkit.engine.endpoint.fragments import Calls
from toolkit.engine.endpoint.sse import BOM, Event, EventReader
from toolkit.engine.jsontext import clean, dump
from toolkit.engine.model import Delta, Ended, ModelError, Text, Usage

__all__ = ["Answer", "Completion"]

_CUT: Final = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"})
_FILTERED: Final = frozenset(
    {"content_filter", "content-filter", "safety", "recitation", "prohibited_content", "blocklist", "spii", "sensitive"}
)
_FAILED: Final = frozenset(
    {"error", "abort", "insufficient_system_resource", "malformed_function_call", "network_error", "server_error"}
)
_TO_GO_BACK: Final = ("reasoning_content", "extra_content")
"""Fields of the assistant's message, beside `reasoning_details`, without which some servers refuse the history."""


class Answer:
    """Feed the bytes of an answer's body, get deltas. Raises ModelError when it cannot become a whole completion.

    `secrets` are never shown, and no call gets an id that is `taken`.
    """

    def __init__(
        self, where: str, model: str, secrets: Collection[str] = (), taken: frozenset[str] = frozenset()
    ) -> None:
        self._completion = Completion(where, model, secrets, taken)
        self._where = where
        self._head = b""
        self._body: list[bytes] | None = None
        """Pieces of a body that is no stream."""
        self._events: EventReader | None = None

    @property
    def said_reason(self) -> bool:
        """Whether the end has been told, so that only usage may follow."""
        return self._completion.reason is not None

    @property
    def done(self) -> bool:
        """Whether nothing more follows."""
        return self._completion.done

    def feed(self, chunk: bytes) -> Iterable[Delta]:
        """Give the deltas that this chunk completes."""
        if self._events is not None:
            return self._of_events(self._events.feed(chunk))
        if self._body is not None:
            self._body.append(chunk)
            return ()
        return self._begin(chunk)

    def end(self) -> Iterable[Delta]:
        """Give the last deltas, of which the very last is `Ended`."""
        deltas: list[Delta] = []
        if self._events is not None:
            deltas += self._of_events(self._events.end())
        elif self._body is not None:
            deltas += self._completion.whole(b"".join(self._body))
        return [*deltas, *self._completion.end()]

    def _begin(self, chunk: bytes) -> Iterable[Delta]:
        """Tell by the first character what the body is: content types are wrong too often, and no event begins so."""
        head = self._head = self._head + chunk
        start = head.removeprefix(BOM).lstrip()[:1]
        if not start or BOM.startswith(head):
            return ()
        if start == b"<":
            raise ModelError(
                f"The model endpoint {self._where} answered with a web page. "
                "Check --model-url, which often ends in /v1."
            )
        if start in b"{[":
            self._body = [head.removeprefix(BOM)]
            return ()
        self._events = EventReader()
        return self._of_events(self._events.feed(head))

    def _of_events(self, events: list[Event]) -> list[Delta]:
        if len(events) == 1:
            return self._completion.read(events[0])
        return [delta for event in events for delta in self._completion.read(event)]


class Completion:
    """One completion while it is read."""

    def __init__(self, where: str, model: str, secrets: Collection[str], taken: frozenset[str]) -> None:
        self.reason: str | None = None
        """Why the model stopped, in the server's word; None as long as it told none."""
        self.done = False
        """Whether the stream's end was marked."""
        self._where, self._model, self._secrets = where, model, secrets
        self._text: list[str] = []
        self._calls = Calls(taken)
        self._back: dict[str, Any] = {}
        self._details: list[Any] = []
        self._usage: Usage | None = None
        self._had_delta = False

    def read(self, event: Event) -> list[Delta]:
        """Give the deltas of one event. Raises ModelError for an error, and for an event that is no JSON."""
        data = event.data
        if self.done or data.startswith(":"):  # a comment that a gateway wrapped as data
            return []
        if data.strip() == "[DONE]":
            self.done = True
            return []
        try:
            chunk: object = json.loads(data)
        except (ValueError, RecursionError):
            if event.name == "error":
                self._fail(Told(data))
            raise ModelError(f"The model endpoint {self._where} sent an event that is no JSON.", retry=True) from None
        if chunk is None:
            return []
        if error := told_in(chunk):
            self._fail(error)
        if event.name == "error" or not isinstance(chunk, dict):
            self._fail(Told(data))
        return self._chunk(cast("dict[str, Any]", chunk), whole=False)

    def whole(self, body: bytes) -> list[Delta]:
        """Give the deltas of an answer that is no stream. Raises ModelError when it holds no completion."""
        try:
            answer: object = json.loads(body.decode(errors="replace"))
        except (ValueError, RecursionError):
            raise ModelError(f"The model endpoint {self._where} sent JSON that broke off.", retry=True) from None
        if error := told_in(answer):
            self._fail(error)
        instead = said_instead(answer)
        deltas = self._chunk(cast("dict[str, Any]", answer), whole=True) if isinstance(answer, dict) else []
        if not self._had_delta:
            if instead:
                self._fail(instead)
            raise ModelError(f"The model endpoint {self._where} sent JSON without an answer in it.", retry=True)
        self.done = True
        return deltas

    def end(self) -> list[Delta]:
        """Give what was held back, and `Ended`. Raises ModelError when the completion did not come whole."""
        reason = (self.reason or "").lower()
        if reason in _FAILED:
            raise ModelError(f"The model endpoint {self._where} stopped on an error ({self.reason}).", retry=True)
        if not reason and not self.done:
            raise ModelError(f"The answer of the model endpoint {self._where} broke off.", retry=True)
        if reason in _CUT:
            return [self._ended("length", whole=False)]
        if reason in _FILTERED:
            return [self._ended("content_filter", whole=False)]
        deltas = self._calls.end()
        if not reason and not self._text and not self._calls.calls():
            raise ModelError(f"The model endpoint {self._where} answered nothing.", retry=True)
        return [*deltas, self._ended("stop", whole=True)]

    def _ended(self, reason: Literal["stop", "length", "content_filter"], *, whole: bool) -> Ended:
        """Make the last delta; without the calls when the answer was cut, since the last of them may be half."""
        text = "".join(self._text)
        calls = self._calls.calls() if whole else ()
        message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
        message |= self._back
        if self._details:
            message["reasoning_details"] = self._details
        if calls:
            message["tool_calls"] = self._calls.history()
        return Ended(reason, calls, clean(dump(message)), self._usage)

    def _fail(self, error: Told) -> None:
        raise judged(error, status=None, where=self._where, model=self._model, secrets=self._secrets)

    def _chunk(self, chunk: dict[str, Any], *, whole: bool) -> list[Delta]:
        if usage := chunk.get("usage"):
            self._count(usage)
        elif isinstance(groq := chunk.get("x_groq"), dict):
            self._count(cast("dict[str, Any]", groq).get("usage"))
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return []
        choice = cast("dict[str, Any]", choices[0])
        if usage := choice.get("usage"):
            self._count(usage)
        if error := choice.get("error"):
            self._fail(told_in({"error": error}) or Told(str(error)))
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str):
            self.reason = reason
        delta = choice.get("delta")
        if not delta and not self._had_delta:  # some stream nothing, and send the whole message as their only event
            delta, whole = choice.get("message"), True
        if not isinstance(delta, dict) or not delta:
            return []
        self._had_delta = True
        return self._delta(cast("dict[str, Any]", delta), whole=whole)

    def _delta(self, delta: dict[str, Any], *, whole: bool) -> list[Delta]:
        deltas: list[Delta] = []
        text = _text(delta.get("content")) or _text(delta.get("refusal"))
        if text:
            self._text.append(text)
            deltas.append(Text(text))
        calls = delta.get("tool_calls")
        if calls and isinstance(calls, list | dict):  # one alone, without a list around it: TGI before version 3.1
            calls = cast("Sequence[Any]", calls if isinstance(calls, list) else [calls])
            deltas += self._calls.take(calls, whole=whole)
        if len(delta) > 1 or not text:
            self._keep(delta)
        return deltas

    def _keep(self, delta: dict[str, Any]) -> None:
        """Keep what must go back to the model with this message."""
        for name in _TO_GO_BACK:
            if value := delta.get(name):
                before = self._back.get(name)
                if isinstance(value, str) and isinstance(before, str):
                    value = before + value
                self._back[name] = value
        if isinstance(details := delta.get("reasoning_details"), list):
            for detail in cast("Sequence[Any]", details):
                _merge(self._details, detail)

    def _count(self, usage: Any) -> None:
        """Take the tokens; several servers send running totals, of which the last counts."""
        if not isinstance(usage, dict):
            return
        usage = cast("dict[str, Any]", usage)
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if prompt is None and completion is None:
            prompt, completion = usage.get("input_tokens"), usage.get("output_tokens")
        if prompt is None and completion is None:
            return
        self._usage = Usage(
            _tokens(prompt),
            _tokens(completion),
            _details(usage.get("prompt_tokens_details")),
            _details(usage.get("completion_tokens_details")),
        )


def _text(content: object) -> str:
    """Read content: text, or a list of parts of which those of type text count."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (cast("dict[str, Any]", part) for part in cast("list[object]", content) if isinstance(part, dict))
    texts = (part.get("text") for part in parts if part.get("type", "text") in ("text", "output_text"))
    return "".join(text for text in texts if isinstance(text, str))


def _merge(details: list[Any], piece: Any) -> None:
    """Add a piece of reasoning. A signature vouches for a whole block, so pieces of one index become one again."""
    if not isinstance(piece, dict):
        details.append(piece)
        return
    piece = cast("dict[str, Any]", piece)
    last = details[-1] if details else None
    block = cast("MutableMapping[str, Any]", last if isinstance(last, dict) else {})
    if piece.get("index") is None or any(block.get(key) != piece.get(key) for key in ("index", "type")):
        details.append(dict(piece))
        return
    for key, value in piece.items():
        grows = key in ("text", "summary", "data") and isinstance(value, str) and isinstance(block.get(key), str)
        if grows:
            block[key] += value
        elif value is not None:
            block[key] = value


def _tokens(value: object) -> int:
    return max(0, int(value)) if isinstance(value, int | float) and value == value and value < 1e15 else 0


def _details(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
