"""Runs on responses: one response a turn, chained at the server, in a conversation, or (`store=False`) all sent anew.

A run is ours, since the API has none: what it is chained to stands in it. A request that was not answered has left
nothing that matters, and is sent again, except into a conversation: its items may be there. Outputs that may have gone
into one are looked for in it; whether a first request has, nobody can tell, and it is not sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack, cast
from urllib.parse import quote

from toolkit.runs.effects import FinishedCall, Json, Reply, Request
from toolkit.runs.hosts.asked import Asked, given, plain
from toolkit.runs.hosts.options import ResponsesOptions
from toolkit.runs.hosts.ours import all_of, begun, functions_of, run_in, turn_of
from toolkit.runs.hosts.responses_reading import ResponsesReading, piece_of
from toolkit.tools.attachments import written_part

if TYPE_CHECKING:
    from openai.types.conversations import Conversation
    from openai.types.responses import ResponseInputItemParam
    from openai.types.shared import ResponsesModel

__all__ = ["RESPONSES", "Chain", "Responses"]

RESPONSES = "responses.run"
"""What such a run is called in its `object`."""
# A stream silent for so long is taken for a dead connection; an answer in one piece is silent until it is there.
_SILENCE_S, _WHOLE_S = 120.0, 600.0


class Responses:
    """Responses as the place of a run: `run(client, tools, on=Responses(model="gpt-4o", input="Hello"))`."""

    def __init__(
        self,
        *,
        input: str | Iterable[ResponseInputItemParam],  # noqa: A002 - the word of the API
        model: ResponsesModel | None = None,
        conversation: str | Conversation | None = None,
        previous_response_id: str | None = None,
        **options: Unpack[ResponsesOptions],
    ) -> None:
        """Take what is said to the model, where it goes on from, and options of `create`.

        conversation: one there is, by its id or as the client gave it: it takes what is said on both sides.
        previous_response_id: a response to go on from; `result.answer_json["id"]` of the run before.
        Raises TypeError for an unknown option, what does not go together, and what has no JSON form.
        """
        said = [{"role": "user", "content": input}] if isinstance(input, str) else input
        self._input: list[Json] = plain("Responses(input=...)", said)
        if not (input and isinstance(self._input, list) and self._input):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("Responses(input=...) takes text or a list of items, at least one")
        if conversation is not None and previous_response_id is not None:
            raise TypeError("Responses() takes conversation= or previous_response_id=, not both")
        self._options = given("Responses", options, ResponsesOptions.__optional_keys__)
        if self._options.get("store") is False and (conversation or previous_response_id or options.get("background")):
            raise TypeError("Responses(store=False) keeps nothing: leave out conversation=, previous_response_id= and "
                            "background=")  # fmt: skip
        for tool in self._options.get("tools", ()):
            if tool.get("type") in ("function", "custom"):
                raise TypeError("Responses(tools=...) takes tools of the service: your functions go into the Toolset")
        if model is not None:
            self._options["model"] = model
        self._conversation = None if conversation is None else _id(conversation)
        self._previous = previous_response_id

    def __repr__(self) -> str:
        return f"Responses(model={self._options.get('model')!r}, {len(self._input)} items)"

    def host(self, asked: Asked) -> Chain:
        """Say how the run begins."""
        body = dict(self._options)
        tools = [*asked.toolset.flat_definitions, *body.pop("tools", ())]
        if tools:
            body["tools"] = tools
        if asked.form is not None:
            text = body.get("text", {})
            if "format" in text:
                raise TypeError(f"{asked.verb}(output_type=...) is the format of text=: leave that out")
            body["text"] = {**text, "format": {"type": "json_schema", **asked.form}}
        first = {"input": self._input, "previous_response_id": self._previous, "asked": []}
        messages = self._input if body.get("store") is False else None
        run = begun(RESPONSES, asked.key, body, **first, messages=messages)
        return Chain({**run, "thread_id": self._conversation or ""}, asked.streams)


@dataclass(frozen=True, slots=True)
class Chain:
    """One run, as it begins or as it was left."""

    first: Json
    streams: bool
    picked_up: bool = False

    threads: None = None
    expiry: None = None
    files: None = None

    run_in = staticmethod(partial(run_in, RESPONSES))
    turn = staticmethod(turn_of)
    state = staticmethod(all_of)
    text = staticmethod(piece_of)
    functions = staticmethod(functions_of)

    @property
    def may_repeat(self) -> bool:
        return not self.first["thread_id"]

    @property
    def run(self) -> Json | None:
        return self.first if self.picked_up else None

    def start(self) -> Request:
        return self._ask(self.first)

    def read(self, run: Json | None) -> Request | None:
        run = self.first if run is None else run
        if run["status"] == "requires_action" and run["thread_id"]:
            return Request("GET", f"/conversations/{_quoted(run['thread_id'])}/items?order=desc&limit=100", run=run)
        return Request("GET", _response(run), run=run) if _is_under_way(run) else None

    def submit(self, run: Json, finished: Sequence[FinishedCall], turn: int) -> Request:
        return self._ask(_said(run, [_output(one) for one in finished]))

    def cancel(self, run: Json) -> Request | None:
        return Request("POST", f"{_response(run)}/cancel", run=run) if _is_under_way(run) else None

    def messages(self, run: Json, after: str | None) -> None:
        return None

    def listed(self, run: Json, reply: Reply) -> tuple[Sequence[Json], str | None]:
        return (), None

    def corrected(self, run: Json, text: str) -> Chain:
        return Chain(_said(run, [{"role": "user", "content": text}]), self.streams)

    def reading(self, request: Request | None) -> ResponsesReading:
        return ResponsesReading(request.run if request is not None else None)

    def _ask(self, run: Json) -> Request:
        body: dict[str, Any] = {**run["body"], "input": run["input"]}
        if run["thread_id"]:
            body["conversation"] = run["thread_id"]
        elif run["previous_response_id"] is not None:
            body["previous_response_id"] = run["previous_response_id"]
        if not self.streams:
            body.pop("stream_options", None)
        else:
            body["stream"] = True
        return Request("POST", "/responses", body, timeout_s=_SILENCE_S if self.streams else _WHOLE_S, run=run)


def _is_under_way(run: Json) -> bool:
    """Whether there is a response at the server that has not ended."""
    return run["status"] == "in_progress" and run["answer"] is not None


def _response(run: Json) -> str:
    return f"/responses/{_quoted(run['answer']['id'])}"


def _said(run: Json, items: Sequence[Json]) -> Json:
    """The run once the model has been told something more: all anew where the server keeps nothing."""
    before = run["answer"]["id"]
    run = {**run, "status": "in_progress", "required_action": None, "answer": None}
    if run["messages"] is not None:
        everything = [*run["messages"], *items]
        return {**run, "messages": everything, "input": everything}
    return {**run, "input": items, "previous_response_id": before}


def _output(finished: FinishedCall) -> Json:
    output = [written_part(part) for part in finished.output.parts] or finished.output.content
    return {"type": "function_call_output", "call_id": finished.call.id, "output": output}


def _id(conversation: Any) -> str:
    if isinstance(conversation, Mapping):
        conversation = cast("Mapping[str, Any]", conversation)["id"]
    found: Any = getattr(conversation, "id", conversation)
    if not isinstance(found, str) or not found:
        raise TypeError("Responses(conversation=...) takes a conversation or its id")
    return found


def _quoted(one: str) -> str:
    return quote(one, safe="")
