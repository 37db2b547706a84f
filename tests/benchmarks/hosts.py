"""CPU of the run loop on chat completions and responses: `run` against a bare loop of `client.post`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from openai import OpenAI, Stream

from tests.benchmarks.servers import fake_model
from tests.benchmarks.table import Row, Scale, against, ms
from tests.benchmarks.talking import NOTE, QUESTION
from toolkit import Chat, Responses, Toolset, run, stream, tool

__all__ = ["measure"]

_TURNS, _CALLS = 20, 8
_MODEL = f"calls-{_CALLS}-{_TURNS}"
_FLAT = {"type": "function", **NOTE["function"]}  # type: ignore[dict-item]
Json = dict[str, Any]


@tool
def note(text: str, pages: list[int]) -> str:
    """Write a note."""
    return "noted"


def _post(client: OpenAI, path: str, body: Json) -> Json:
    """Post as the client itself does below `create`, which would walk through the whole body in Python."""
    answer: Any = client.post(path, cast_to=object, body=body)
    return dict(answer)


def _made(arguments: str) -> str:
    return note(**json.loads(arguments))


def _chat(client: OpenAI) -> None:
    """What a short program does."""
    messages: list[Json] = [QUESTION]
    while True:
        message = _post(client, "/chat/completions", {"model": _MODEL, "messages": messages, "tools": [NOTE]})
        message = message["choices"][0]["message"]
        messages.append(message)
        if not message.get("tool_calls"):
            return
        for call in message["tool_calls"]:
            output = _made(call["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": output})


def _streamed_chat(client: OpenAI) -> None:
    """The same, and each chunk is read."""
    messages: list[Json] = [QUESTION]
    while True:
        body = {"model": _MODEL, "messages": messages, "tools": [NOTE], "stream": True}
        calls: list[Json] = []
        with client.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=Stream[object]
        ) as answer:
            for line in answer.response.iter_lines():
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        for piece in choice["delta"].get("tool_calls", ()):
                            if "id" in piece:
                                calls.append(piece)
                            else:
                                calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]
        if not calls:
            return
        messages.append({"role": "assistant", "tool_calls": calls})
        for call in calls:
            output = _made(call["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": output})


def _responses(client: OpenAI) -> None:
    body: Json = {"model": _MODEL, "tools": [_FLAT]}
    response = _post(client, "/responses", {**body, "input": [QUESTION]})
    while calls := [item for item in response["output"] if item["type"] == "function_call"]:
        outputs = [
            {"type": "function_call_output", "call_id": call["call_id"], "output": _made(call["arguments"])}
            for call in calls
        ]
        response = _post(client, "/responses", {**body, "previous_response_id": response["id"], "input": outputs})


def measure(scale: Scale) -> Iterator[Row]:
    tools = Toolset(note)
    with fake_model() as url, OpenAI(base_url=url, api_key="none") as client:

        def chat() -> None:
            result = run(client, tools, on=Chat(model=_MODEL, messages="What is the weather in Seoul?"))
            assert len(result.calls) == _TURNS * _CALLS

        def streamed_chat() -> None:
            with stream(client, tools, on=Chat(model=_MODEL, messages="What is the weather in Seoul?")) as events:
                for _ in events:
                    pass

        def responses() -> None:
            result = run(client, tools, on=Responses(model=_MODEL, input="What is the weather in Seoul?"))
            assert len(result.calls) == _TURNS * _CALLS

        for what, ours, floor, budget in (
            ("chat completions", chat, _chat, 1.5),
            ("chat completions, streamed", streamed_chat, _streamed_chat, 1.5),
            ("responses", responses, _responses, 1.5),
        ):
            ours_s, floor_s = _interleaved(client, ours, floor, scale.times(15))
            yield against(f"{what}, CPU of a tool round, {_CALLS} calls", ours_s, floor_s, budget, ms)


def _interleaved(client: OpenAI, ours: Callable[[], None], floor: Callable[[OpenAI], None], rounds: int) -> list[float]:
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, seconds in zip((ours, lambda: floor(client)), took, strict=True):
            began = time.process_time()
            work()
            seconds.append((time.process_time() - began) / _TURNS)
    return [median(seconds) for seconds in took]
