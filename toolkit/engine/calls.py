"""A turn of the model that calls tools: what it asked for, and what the engine has done about it by itself.

Calls of functions are the application's to answer. Those of the engine's own tools, file_search and code_interpreter,
are answered here, before anybody is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from toolkit.engine.jsontext import clean, dump
from toolkit.engine.model import ModelCall
from toolkit.engine.objects.runs import Tokens

__all__ = ["NOTHING", "Held", "Turn", "Used", "cleaned", "function_of", "remembered"]


@dataclass(frozen=True, slots=True)
class Used:
    """An answered call of an own tool: how its step tells of it, without and with the contents of results, and what
    the model is told."""

    told: Mapping[str, Any]
    full: Mapping[str, Any]
    output: str


NOTHING: Final[Mapping[str, Used]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of the model that calls tools."""

    calls: Sequence[ModelCall]
    chat: str
    """The chat message that called; it goes to the model again only together with the outputs of all calls."""
    tokens: Tokens
    begun: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Call id -> how a step tells of a call of an own tool before it is answered; all the others are functions'."""
    message_id: str | None = None
    """The message with the text that came along, when there was some."""

    def details(self, used: Mapping[str, Used] = NOTHING, *, full: bool = False) -> dict[str, Any]:
        """Give the `step_details` with what was done so far, and with the contents of results if `full`."""
        return {"type": "tool_calls", "tool_calls": [self._told(call, used.get(call.id), full) for call in self.calls]}

    @property
    def own(self) -> Sequence[ModelCall]:
        """The calls that the engine answers."""
        return [call for call in self.calls if call.id in self.begun]

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The calls that the application is to answer."""
        return [function_of(call) for call in self.calls if call.id not in self.begun]

    def _told(self, call: ModelCall, used: Used | None, full: bool) -> Mapping[str, Any]:
        if used is not None:
            return used.full if full else used.told
        if (begun := self.begun.get(call.id)) is not None:
            return begun
        asked = function_of(call)
        return {**asked, "function": {**asked["function"], "output": None}}

    @classmethod
    def held(cls, step: Mapping[str, Any], chat: str, tokens: Tokens, message_id: str | None) -> Turn:
        """Read a turn back from the step that was written when it began."""
        told: Sequence[Mapping[str, Any]] = step["step_details"]["tool_calls"]
        said: Sequence[Mapping[str, Any]] = json.loads(chat)["tool_calls"]
        calls = [
            # Of functions the step has the arguments to the letter, of own tools only the message that called.
            ModelCall(call["id"], spoken["function"]["name"], call.get("function", spoken["function"])["arguments"])
            for call, spoken in zip(told, said, strict=True)
        ]
        begun = {call["id"]: call for call in told if call["type"] != "function"}
        return cls(calls, chat, tokens, begun, message_id)


@dataclass(frozen=True, slots=True)
class Held:
    """A turn whose own calls are being answered, and its step."""

    step: dict[str, Any]
    turn: Turn

    @property
    def calls(self) -> list[Mapping[str, Any]]:
        """The calls as the step tells of them; they may be put in anew."""
        calls: list[Mapping[str, Any]] = self.step["step_details"]["tool_calls"]
        return calls

    def with_output(self, index: int, output: Mapping[str, Any]) -> Held:
        """Give it with one more output of a call of code_interpreter."""
        return self._with([_with_output(call, output) if at == index else call for at, call in enumerate(self.calls)])

    def emptied(self) -> Held:
        """Give it without the outputs of code_interpreter."""
        return self._with([_with_output(call, None) for call in self.calls])

    def _with(self, calls: Sequence[Mapping[str, Any]]) -> Held:
        return Held({**self.step, "step_details": {**self.step["step_details"], "tool_calls": [*calls]}}, self.turn)


def _with_output(call: Mapping[str, Any], output: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Give a call with an output more, or with none; one that is not of code_interpreter has none."""
    if call["type"] != "code_interpreter":
        return call
    said: Mapping[str, Any] = call["code_interpreter"]
    outputs = [*said["outputs"], output] if output is not None else []
    return {**call, "code_interpreter": {**said, "outputs": outputs}}


def function_of(call: ModelCall) -> dict[str, Any]:
    """Make the API's object of a call of a function, as the application is asked to answer it."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def remembered(chat: str, calls: Sequence[ModelCall], made: int) -> str:
    """Give the chat message that goes to the model again: with the calls that are answered, all of them readable.

    The application gets arguments that are no JSON as they are, and tells the model; but many servers parse the
    arguments in their history, and would refuse the thread for ever.
    """
    broken = [index for index, call in enumerate(calls) if not _is_json_object(call.arguments)]
    if len(calls) == made and not broken:
        return chat
    message: dict[str, Any] = json.loads(chat)
    message["tool_calls"] = message["tool_calls"][: len(calls)]
    for index in broken:
        message["tool_calls"][index]["function"]["arguments"] = dump({"not_json": clean(calls[index].arguments)})
    return dump(message)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def cleaned(calls: Iterable[ModelCall]) -> Sequence[ModelCall]:
    """Give calls as texts that can be stored and sent, whatever a model has put into them."""
    return [ModelCall(clean(call.id), clean(call.name), clean(call.arguments)) for call in calls]
