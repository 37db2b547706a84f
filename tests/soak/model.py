"""A chat completions server that tells what it was sent, so that what is lost, doubled or crossed shows in the answer.

Words of the last user message say what it does: `calls=2,1` calls two functions in the first turn and one in the
second, `slow` takes a second over the answer. Every answer bears an id of its own and lists the first words of the
user messages it read, the ids of its own earlier answers, and the tool outputs:

    #id# {"users": [], "said": [], "given": []}

Prints its URL and serves until killed.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import uvicorn

__all__ = ["ID"]

ID = re.compile(r"^#(\w+)#")
_PIECES, _PAUSE_S, _SLOW_S = 4, 0.01, 0.25


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every completion with a stream, and everything else with an empty list."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":  # its engine was killed
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"object":"list","data":[]}'})
        return
    head = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    async for chunk in _completion(json.loads(body)["messages"]):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _completion(messages: Sequence[dict[str, Any]]) -> AsyncIterator[bytes]:
    last = max(index for index, message in enumerate(messages) if message["role"] == "user")
    words = messages[last]["content"].split()
    wanted = [int(count) for word in words if word.startswith("calls=") for count in word[6:].split(",")]
    turn = sum("tool_calls" in message for message in messages[last:])
    if turn < len(wanted):
        calls = [_call(index) for index in range(wanted[turn])]
        yield _event({"role": "assistant", "tool_calls": calls})
        yield _event({}, "tool_calls")
    else:
        text = f"#{secrets.token_hex(6)}# {json.dumps(_read(messages))}"
        size = -(-len(text) // _PIECES)
        for start in range(0, len(text), size):
            yield _event({"content": text[start : start + size]})
            await asyncio.sleep(_SLOW_S if "slow" in words else _PAUSE_S)
        yield _event({}, "stop")


def _read(messages: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    said = [ID.match(one["content"]) for one in messages if one["role"] == "assistant" and one.get("content")]
    return {
        "users": [message["content"].split()[0] for message in messages if message["role"] == "user"],
        "said": [found[1] if found else "?" for found in said],
        "given": [message["content"] for message in messages if message["role"] == "tool"],
    }


def _call(index: int) -> dict[str, Any]:
    function = {"name": "look_up", "arguments": json.dumps({"place": index})}
    return {"index": index, "id": f"call_{secrets.token_hex(8)}", "type": "function", "function": function}


def _event(delta: dict[str, Any], reason: str | None = None) -> bytes:
    chunk: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
        uvicorn.run(app, fd=listener.fileno(), log_level="warning", lifespan="off", timeout_keep_alive=75)


if __name__ == "__main__":
    main()
