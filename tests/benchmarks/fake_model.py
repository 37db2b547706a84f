"""A chat completions server that costs next to nothing: the floor under everything that asks a model.

What it says goes by the model's name: `plain` answers at once; `stamped` first says the time on this machine's
monotonic clock, in nanoseconds, and the rest 20 ms later; `wait-MS` answers after so many milliseconds; `calls-N-R`
asks for N calls of `note`, R turns long, and then answers: whole as well as streamed, as responses and as agents'
sessions too. Prints its URL and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

ARGUMENTS = json.dumps({"text": "Planning moved to Tuesday", "pages": [1, 2, 3]})


class Connection(asyncio.Protocol):
    """One kept-open connection, bytes in and bytes out."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        size = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), 0)
        if len(rest) < size:
            return
        self._buffer = rest[size:]
        path = head.split(b" ", 2)[1].decode()
        if "/agents/sessions" in path:
            _session(self._transport, path.split("/")[4:], head.startswith(b"GET"), rest[:size])
        elif head.startswith(b"GET"):
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + b'{"data":[]}')
        elif path.endswith("/responses"):
            self._transport.write(_json(_response(json.loads(rest[:size]))))
        else:
            self._complete(json.loads(rest[:size]))

    def _complete(self, request: dict[str, Any]) -> None:
        kind, *numbers = request["model"].split("-")
        if not request.get("stream"):
            self._transport.write(_json(_completion(request, int(numbers[0]), int(numbers[1]))))
            return
        loop = asyncio.get_running_loop()
        if kind == "stamped":
            self._transport.write(_HEAD + _chunk(_said(str(time.monotonic_ns()))))
            loop.call_later(0.02, self._transport.write, _chunk(_said(" and the rest") + _end("stop")) + _LAST)
        elif kind == "wait":
            loop.call_later(int(numbers[0]) / 1000, self._transport.write, _ANSWER)
        elif kind == "calls" and _turns(request["messages"]) < int(numbers[1]):
            calls = b"".join(_called(index) for index in range(int(numbers[0])))
            self._transport.write(_HEAD + _chunk(calls + _end("tool_calls")) + _LAST)
        else:
            self._transport.write(_ANSWER)


def _turns(messages: list[dict[str, Any]]) -> int:
    return sum("tool_calls" in message for message in messages)


def _completion(request: dict[str, Any], count: int, turns: int) -> dict[str, Any]:
    """A completion in one piece: of `calls-N-R` only."""
    names = [f"call_{time.monotonic_ns()}_{index}" for index in range(count)]
    function = {"name": "note", "arguments": ARGUMENTS}
    calls = [{"id": name, "type": "function", "function": function} for name in names]
    is_over = _turns(request["messages"]) >= turns
    message = {"role": "assistant", "content": "Sunny." if is_over else None}
    choice = {"index": 0, "message": message if is_over else {**message, "tool_calls": calls}}
    usage = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
    choice["finish_reason"] = "stop" if is_over else "tool_calls"
    return {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


def _response(request: dict[str, Any]) -> dict[str, Any]:
    """A response in one piece: of `calls-N-R` only; its id says which turn it is, or all outputs so far do."""
    count, turns = (int(number) for number in request["model"].split("-")[1:])
    said = request["input"] if isinstance(request["input"], list) else []
    told = sum(item.get("type") == "function_call_output" for item in said)
    turn = int((request.get("previous_response_id") or f"resp_{told // count}")[5:]) + 1
    text = {"type": "output_text", "text": "Sunny.", "annotations": []}
    answer = {"type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": [text]}
    call = {"type": "function_call", "name": "note", "arguments": ARGUMENTS, "status": "completed"}
    calls = [{**call, "id": f"fc_{turn}_{index}", "call_id": f"call_{turn}_{index}"} for index in range(count)]
    output = [answer] if turn > turns else calls
    return {"id": f"resp_{turn}", "object": "response", "status": "completed", "model": "m", "output": output}


_SESSIONS: dict[str, tuple[str, int, asyncio.WriteTransport]] = {}
"""Of each session: the model, how many turns there were, and who listens."""


def _session(transport: asyncio.WriteTransport, path: list[str], listens: bool, body: bytes) -> None:
    """Begin a session, listen to one, or take its results and tell whoever listens what comes of them."""
    name = path[0] if path else f"sess_{time.monotonic_ns()}"
    if not path:
        model, turns, listener = json.loads(body)["agent"]["model"], 0, transport
        transport.write(_HEAD + _told("agent.session.created", session=_asked(name, model, -1)))
    else:
        model, turns, listener = _SESSIONS[name]
        if listens:
            listener = transport
            transport.write(_HEAD + _told("agent.session.requires_action", session=_asked(name, model, turns)))
        else:
            turns += 1
            transport.write(_json({}))
    if not listens:
        listener.write(_goes_on(name, model, turns))
    _SESSIONS[name] = model, turns, listener


def _goes_on(name: str, model: str, turns: int) -> bytes:
    session, turn = _asked(name, model, turns), {"id": "turn_1", "created_at": 0, "status": "in_progress"}
    told = b"" if turns else _told("agent.session.turn.created", turn=turn)
    if session["required_actions"]:
        return told + _told("agent.session.requires_action", session=session)
    content = [{"type": "output_text", "text": "Sunny.", "annotations": []}]
    said = {"type": "message", "id": "msg", "role": "assistant", "turn_id": "turn_1", "content": content}
    told = _told("agent.session.turn.item.done", item=said)
    told += _told("agent.session.turn.completed", turn={**turn, "status": "completed"})
    return told + _told("agent.session.idle", session=session)


def _asked(name: str, model: str, turns: int) -> dict[str, Any]:
    count, last = (int(number) for number in model.split("-")[1:])
    call = {"type": "function_call", "name": "note", "arguments": json.loads(ARGUMENTS), "turn_id": "turn_1"}
    calls = [{**call, "call_id": f"call_{turns}_{index}"} for index in range(count if 0 <= turns < last else 0)]
    tools = [{"type": "function", "name": "note"}]
    state = {"status": "requires_action" if calls else "idle", "required_actions": calls}
    return {"id": name, "object": "agent.session", "agent": {"model": model, "tools": tools}, **state}


def _told(kind: str, **data: Any) -> bytes:
    return _chunk(f"event: {kind}\ndata: ".encode() + json.dumps({"type": kind, **data}).encode() + b"\n\n")


def _json(answer: dict[str, Any]) -> bytes:
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def _event(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _said(text: str) -> bytes:
    return _event({"role": "assistant", "content": text})


def _called(index: int) -> bytes:
    name_first = {"index": index, "id": f"call_{time.monotonic_ns()}_{index}", "type": "function"}
    began = _event({"tool_calls": [{**name_first, "function": {"name": "note", "arguments": ""}}]})
    return began + _event({"tool_calls": [{"index": index, "function": {"arguments": ARGUMENTS}}]})


def _end(reason: str) -> bytes:
    usage = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
    return _event({}, reason) + b'data: {"choices":[],"usage":' + json.dumps(usage).encode() + b"}\n\ndata: [DONE]\n\n"


def _chunk(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LAST = b"0\r\n\r\n"
_ANSWER = _HEAD + _chunk(_said("It is ") + _said("sunny in ") + _said("Seoul.") + _end("stop")) + _LAST


async def main() -> None:
    """Serve on any free port of this machine."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
