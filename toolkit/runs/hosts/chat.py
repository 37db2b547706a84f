"""Runs on chat completions: the server keeps nothing, so the run is ours, the whole conversation in it.

Every request sends all of it, and nothing is left at the server by one that was not answered: it is sent again. There
is nothing to read, to look for or to cancel; closing the connection is all that ends an answer. What another process
needs to go on, `Pending` and the journal hold as `state`: the run itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack

from toolkit.runs.effects import FinishedCall, Json, Reply, Request
from toolkit.runs.hosts.asked import Asked, given, plain
from toolkit.runs.hosts.chat_reading import ChatReading, piece_of
from toolkit.runs.hosts.options import ChatOptions
from toolkit.runs.hosts.ours import all_of, begun, functions_of, run_in, turn_of

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

__all__ = ["CHAT", "Chat", "Completions"]

CHAT = "chat.run"
"""What such a run is called in its `object`."""
# A stream silent for so long is taken for a dead connection; an answer in one piece is silent until it is there.
_SILENCE_S, _WHOLE_S = 120.0, 600.0


class Chat:
    """Chat completions as the place of a run: `run(client, tools, on=Chat(model="gpt-4o", messages="Hello"))`."""

    def __init__(
        self,
        *,
        model: str,
        messages: str | Iterable[ChatCompletionMessageParam],
        **options: Unpack[ChatOptions],
    ) -> None:
        """Take a model, the conversation so far (text is one message of the user), and options of `create`.

        Raises TypeError for an unknown option, and for what has no JSON form.
        """
        said = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        self._model = model
        self._messages: list[Json] = plain("Chat(messages=...)", said)
        if not (messages and isinstance(self._messages, list) and self._messages):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("Chat(messages=...) takes text or a list of messages, at least one")
        self._options = given("Chat", options, ChatOptions.__optional_keys__)

    def __repr__(self) -> str:
        return f"Chat(model={self._model!r}, {len(self._messages)} messages)"

    def host(self, asked: Asked) -> Completions:
        """Say how the run begins."""
        more: dict[str, Any] = {"tools": asked.toolset.definitions} if asked.toolset else {}
        if asked.form is not None:
            if "response_format" in self._options:
                raise TypeError(f"{asked.verb}(output_type=...) is the response_format: leave that out of Chat(...)")
            more["response_format"] = {"type": "json_schema", "json_schema": asked.form}
        body = {"model": self._model, **self._options, **more}
        run = begun(CHAT, asked.key, body, messages=self._messages, call_ids=[])
        return Completions(run, asked.streams)


@dataclass(frozen=True, slots=True)
class Completions:
    """One run, as it begins or as it was left."""

    first: Json
    streams: bool
    picked_up: bool = False

    threads: None = None
    expiry: None = None
    files: None = None
    may_repeat: Literal[True] = True

    run_in = staticmethod(partial(run_in, CHAT))
    turn = staticmethod(turn_of)
    state = staticmethod(all_of)
    text = staticmethod(piece_of)
    functions = staticmethod(functions_of)

    @property
    def run(self) -> Json | None:
        return self.first if self.picked_up else None

    def start(self) -> Request:
        return self._ask(self.first)

    def read(self, run: Json | None) -> None:
        return None

    def submit(self, run: Json, finished: Sequence[FinishedCall], turn: int) -> Request:
        outputs = [{"role": "tool", "tool_call_id": one.call.id, "content": one.output.content} for one in finished]
        messages = [*run["messages"], *outputs]
        return self._ask({**run, "status": "in_progress", "required_action": None, "messages": messages})

    def cancel(self, run: Json) -> None:
        return None

    def messages(self, run: Json, after: str | None) -> None:
        return None

    def listed(self, run: Json, reply: Reply) -> tuple[Sequence[Json], str | None]:
        return (), None

    def corrected(self, run: Json, text: str) -> Completions:
        messages = [*run["messages"], {"role": "user", "content": text}]
        return Completions({**run, "status": "in_progress", "messages": messages}, self.streams)

    def reading(self, request: Request | None) -> ChatReading:
        return ChatReading(request.run if request is not None else None)

    def _ask(self, run: Json) -> Request:
        body: dict[str, Any] = {**run["body"], "messages": run["messages"]}
        if not self.streams:
            body.pop("stream_options", None)
            return Request("POST", "/chat/completions", body, timeout_s=_WHOLE_S, run=run)
        options: Mapping[str, object] = {"include_usage": True, **body.get("stream_options", {})}
        body |= {"stream": True, "stream_options": options}
        return Request("POST", "/chat/completions", body, timeout_s=_SILENCE_S, run=run)
