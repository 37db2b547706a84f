"""What a scripted model says in one turn, as the deltas that the engine hears."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from toolkit.engine.model import CallBegan, CallPiece, Delta, Ended, ModelCall, ModelError, Text, Usage

__all__ = ["USAGE", "Step", "Turn", "call", "deltas"]

Step = str | ModelCall | float | ModelError | Delta
"""A piece of text, a call, seconds to wait, an error to raise; or a delta just as the engine is to hear it."""
Turn = Step | Sequence[Step]
"""All that the model does when it is asked once."""

USAGE = Usage(10, 5)
"""What a turn is said to have used, unless it says something else."""

_numbers = count(1)


def call(name: str, arguments: str | None = None, /, *, call_id: str | None = None, **values: Any) -> ModelCall:
    """Let the model call a function: `call("get_weather", city="Seoul")`.

    arguments: their JSON in place of `values`, sent as it is, broken or not: `call("get_weather", '{"city": "Se')`.
    """
    if arguments is not None and values:
        raise TypeError(f"call({name!r}) takes its arguments as one JSON text or by their names, not both")
    if not _is_text(arguments):
        raise TypeError(
            f"call({name!r}) takes its arguments as JSON text, or by their names: call({name!r}, city='Oslo')"
        )
    text = json.dumps(values) if arguments is None else arguments
    return ModelCall(call_id or f"call_scripted{next(_numbers)}", name, text)


def _is_text(arguments: object) -> bool:
    """Whether this is text or nothing: a dict would only be found out in the engine."""
    return isinstance(arguments, str | None)


def deltas(turn: Turn) -> Iterator[Delta | ModelError | float]:
    """Take a turn apart; it ends with an `Ended` unless an error comes first, or it says a longer or other end."""
    steps: Sequence[Step] = [turn] if isinstance(turn, str) or not isinstance(turn, Sequence) else turn
    calls = [step for step in steps if isinstance(step, ModelCall)]
    text = "".join(step if isinstance(step, str) else step.value for step in steps if isinstance(step, str | Text))
    ended = Ended("stop", usage=USAGE)
    indexes = count()
    for step in steps:
        if isinstance(step, str):
            if step:
                yield Text(step)
        elif isinstance(step, ModelCall):
            yield from _call(step, next(indexes))
        elif isinstance(step, Ended):
            ended = step
        else:
            yield step
            if isinstance(step, ModelError):
                return
    yield replace(ended, calls=ended.calls or tuple(calls), message=ended.message or _message(text, calls))


def _call(made: ModelCall, index: int) -> Iterator[Delta]:
    half = len(made.arguments) // 2
    yield CallBegan(index, made.id, made.name)
    for piece in (made.arguments[:half], made.arguments[half:]):
        if piece:
            yield CallPiece(index, piece)


def _message(text: str, calls: Sequence[ModelCall]) -> str:
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
    if calls:
        message["tool_calls"] = [
            {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": one.arguments}}
            for one in calls
        ]
    return json.dumps(message)
