"""The seam to language models: what the engine asks of one, and the deltas it gets back.

Two implementations live beside this file: `endpoint/` (any OpenAI-compatible chat completions endpoint) and `offline/`
(a small deterministic one that needs no key and no network).

A model only says what was generated. Whether to try again, what to store and which state the run takes is decided in
`leg.py`. History travels as JSON texts that were written once, when each message was stored: nothing here or there
parses or re-serialises it on the way to an endpoint.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

__all__ = [
    "CallBegan",
    "CallPiece",
    "ContextExceeded",
    "Delta",
    "Ended",
    "Model",
    "ModelCall",
    "ModelError",
    "ModelRequest",
    "Text",
    "Usage",
]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One completion to make."""

    model: str
    """The name to send to the endpoint."""
    messages: Sequence[str]
    """Chat messages, each the JSON text of one object of the chat completions API, oldest first."""
    tools: str | None = None
    """JSON text of the `tools` array, or None for no tools."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further members of the request body: temperature, top_p, tool_choice, parallel_tool_calls, response_format,
    reasoning_effort, max_completion_tokens. Only what is to be sent."""
    timeout_s: float | None = None
    """How long the whole call may take."""
    taken: frozenset[str] = frozenset()
    """Ids of calls that the run has had already: no call may bear one of them again."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer's text, never empty."""

    value: str


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A function call begins: `index` counts from 0 in order of appearance, `id` is the server's own or made here."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class CallPiece:
    """A piece of the JSON text of a call's arguments, never empty."""

    index: int
    arguments: str


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A whole function call, as it is handed to the application: `arguments` verbatim, even when it is no JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one completion; the details are the server's own objects, {} when it gave none."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    completion_details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Ended:
    """The last delta of every completion that came whole."""

    reason: Literal["stop", "length", "content_filter"]
    calls: tuple[ModelCall, ...] = ()
    message: str = ""
    """JSON text of the assistant's chat message to keep as history: content, tool_calls with the server's unknown
    fields, reasoning fields that must go back (dialects: Gemini, DeepSeek, OpenRouter)."""
    usage: Usage | None = None
    """None when the server told nothing; the engine then estimates."""


Delta = Text | CallBegan | CallPiece | Ended


class ModelError(Exception):
    """A completion that did not come whole.

    `retry` says whether the same request may work later (connection, 408, 409, 429, 5xx, broken stream), and
    `retry_after_s` when the server asked for a pause. `code` is the run's `last_error` code. The text is shown to the
    person who reads `last_error`: it names what to change, and never holds a key.
    """

    def __init__(
        self,
        message: str,
        *,
        code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"] = "server_error",
        retry: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retry = retry
        self.retry_after_s = retry_after_s


class ContextExceeded(ModelError):
    """The request is longer than the model's context window: less history may do."""


class Model(Protocol):
    """Anything that completes chats."""

    def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        """Stream one completion; the last delta is `Ended`. Raises ModelError when it does not come whole.

        Closing the iterator early (`aclose`) aborts the call at the endpoint.
        """
        ...

    async def names(self) -> Sequence[str]:
        """The model names that can be asked for. Raises ModelError."""
        ...

    async def aclose(self) -> None:
        """Close connections; the model cannot be used afterwards."""
        ...
