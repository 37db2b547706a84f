"""What a short program does with a model that asks for calls: the floors of `hosts`, for us and for other libraries.

Nothing of ours is imported: other libraries are measured against the same loops in environments of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openai import OpenAI, Stream

from tests.benchmarks.talking import NOTE, QUESTION

__all__ = ["CALLS", "FLAT", "LOOPS", "MODEL", "TURNS", "note", "outputs_of", "read_piece", "results_of"]

TURNS, CALLS = 20, 8
MODEL = f"calls-{CALLS}-{TURNS}"
FLAT: Any = {"type": "function", **NOTE["function"]}
Json = dict[str, Any]


def note(text: str, pages: list[int]) -> str:
    """Write a note."""
    return "noted"


def chat(client: OpenAI) -> None:
    messages: list[Json] = [QUESTION]
    while True:
        message = _post(client, "/chat/completions", {"model": MODEL, "messages": messages, "tools": [NOTE]})
        message = message["choices"][0]["message"]
        messages.append(message)
        if not message.get("tool_calls"):
            return
        messages += outputs_of(message["tool_calls"])


def streamed_chat(client: OpenAI) -> None:
    """The same, and each chunk is read."""
    messages: list[Json] = [QUESTION]
    while True:
        body = {"model": MODEL, "messages": messages, "tools": [NOTE], "stream": True}
        calls: list[Json] = []
        with client.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=Stream[object]
        ) as answer:
            for line in answer.response.iter_lines():
                read_piece(line, calls)
        if not calls:
            return
        messages.append({"role": "assistant", "tool_calls": calls})
        messages += outputs_of(calls)


def responses(client: OpenAI) -> None:
    body: Json = {"model": MODEL, "tools": [FLAT]}
    response = _post(client, "/responses", {**body, "input": [QUESTION]})
    while calls := [item for item in response["output"] if item["type"] == "function_call"]:
        more = {"previous_response_id": response["id"], "input": results_of(calls)}
        response = _post(client, "/responses", {**body, **more})


def sessions(client: OpenAI) -> None:
    said = [{"role": "user", "content": [{"type": "input_text", "text": QUESTION["content"]}]}]
    body = {"agent": {"model": MODEL, "tools": [FLAT]}, "environment": {"type": "none"}, "input": said, "stream": True}
    with client.post("/agents/sessions", cast_to=object, body=body, stream=True, stream_cls=Stream[object]) as answer:
        session = _session(answer)
    path, answered = f"/agents/sessions/{session['id']}/events", {"type": "agent.session.input.tool_result"}
    while actions := session["required_actions"]:
        results = [
            {**answered, "turn_id": one["turn_id"], "call_id": one["call_id"], "success": True}
            | {"output": note(**one["arguments"])}
            for one in actions
        ]
        with client.get(path, cast_to=object, stream=True, stream_cls=Stream[object]) as answer:
            client.post(path, cast_to=object, body={"events": results})
            session = _session(answer, behind=actions)


LOOPS = {
    "chat completions": chat,
    "chat completions, streamed": streamed_chat,
    "responses": responses,
    "agents' sessions": sessions,
}


def _post(client: OpenAI, path: str, body: Mapping[str, Any]) -> Json:
    """Post as the client itself does below `create`, which would walk through the whole body in Python."""
    answer: Any = client.post(path, cast_to=object, body=body)
    return dict(answer)


def _session(answer: Stream[object], behind: list[Json] | None = None) -> Json:
    """Listen until the session waits for other calls than those `behind` it, or is idle."""
    for line in answer.response.iter_lines():
        if line.startswith("data: ") and '"session"' in line:
            session: Json = json.loads(line[6:]).get("session") or {}
            if session.get("status") == "requires_action" and session["required_actions"] != behind:
                return session
            if session.get("status") == "idle" and behind:
                return session
    raise AssertionError("the stream ended")


def read_piece(line: str, calls: list[Json]) -> None:
    """Read a line of a stream of chat completions, and add what it brings to the calls."""
    if line.startswith("data: {"):
        for choice in json.loads(line[6:])["choices"]:
            for piece in choice["delta"].get("tool_calls", ()):
                if "id" in piece:
                    calls.append(piece)
                else:
                    calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]


def outputs_of(calls: list[Json]) -> list[Json]:
    """Make the calls of a chat completion, and give the messages that answer them."""
    return [
        {"role": "tool", "tool_call_id": call["id"], "content": _made(call["function"]["arguments"])} for call in calls
    ]


def results_of(calls: list[Json]) -> list[Json]:
    """Make the calls of a response, and give the items that answer them."""
    return [
        {"type": "function_call_output", "call_id": call["call_id"], "output": _made(call["arguments"])}
        for call in calls
    ]


def _made(arguments: str) -> str:
    return note(**json.loads(arguments))
