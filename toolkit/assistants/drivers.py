"""Drivers carry out requests and know nothing of what they are for: one blocks, one awaits."""

from __future__ import annotations

import uuid
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from openai import AsyncOpenAI, OpenAI

from toolkit.assistants.steps import Request, Steps

if TYPE_CHECKING:
    from openai._types import RequestOptions

__all__ = ["carry_out"]

T = TypeVar("T")


@overload
def carry_out(verb: str, client: OpenAI, steps: Steps[T]) -> T: ...
@overload
def carry_out(verb: str, client: AsyncOpenAI, steps: Steps[T]) -> Coroutine[Any, Any, T]: ...
def carry_out(verb: str, client: OpenAI | AsyncOpenAI, steps: Steps[T]) -> T | Coroutine[Any, Any, T]:
    """Take the steps, one request after another, and give what they return. Raises TypeError for no client."""
    if isinstance(client, OpenAI):
        return _drive(client, steps)
    if not isinstance(client, AsyncOpenAI):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
        made = "; write engine.client()" if hasattr(client, "client") else ""
        kind = type(client).__name__
        raise TypeError(f"{verb}() takes an openai.OpenAI or openai.AsyncOpenAI first, not {kind}{made}")
    return _adrive(client, steps)


def _drive(client: OpenAI, steps: Steps[T]) -> T:
    answer: Any = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration as end:
            return cast("T", end.value)
        options = _options(request)
        if request.method == "GET":
            answer = client.get(request.path, cast_to=object, options=options)
        else:
            answer = client.post(request.path, cast_to=object, body=request.body, options=options)


async def _adrive(client: AsyncOpenAI, steps: Steps[T]) -> T:
    answer: Any = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration as end:
            return cast("T", end.value)
        options = _options(request)
        if request.method == "GET":
            answer = await client.get(request.path, cast_to=object, options=options)
        else:
            answer = await client.post(request.path, cast_to=object, body=request.body, options=options)


def _options(request: Request) -> RequestOptions:
    """Plain requests: the client's own methods greet everybody with a deprecation warning."""
    headers = {"OpenAI-Beta": "assistants=v2"}
    if request.repeatable:
        return {"headers": headers}
    return {"headers": {**headers, "Idempotency-Key": uuid.uuid4().hex}, "max_retries": 0}
