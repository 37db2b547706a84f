"""A small Assistants server on a loopback port that plays a script, and fails where it is told to.

It speaks HTTP by hand, because a server that breaks off in the middle is what half of these tests are about. Shapes
and orders of events are those of the API reference.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(frozen=True)
class Calls:
    """The model asks for these (name, arguments)."""

    calls: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Says:
    """The model says this, and the run ends so."""

    text: str
    status: str = "completed"


@dataclass(frozen=True)
class Ends:
    """The run ends without a word."""

    status: str


@dataclass
class Service:
    """One thread, one run; a leg is what happens between two requests of the client.

    faults: kind of request -> what goes wrong at the first, second, ... of its kind: `500`, `429`, `413` (not done),
    `500-done`, `drop` (no answer, not done), `drop-done`, `hang`, `hang-done`, `cut:N` (stream cut after N events),
    `silent:N`, `drip:N` (the same, but left open, saying nothing or comments), `fades:N` (comments, then nothing),
    `held` (said to its end, but left open), `error` (an event that says so), `json` (no stream).
    """

    legs: Sequence[Calls | Says | Ends]
    faults: dict[str, list[str]] = field(default_factory=dict)
    keeps_keys: bool = False
    reads_before_done: int = 1
    """How many reads show a leg still in progress, when its stream was cut."""
    runs: list[Json] = field(default_factory=list)
    requests: list[tuple[str, Json | None, dict[str, str]]] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    connections: int = 0
    _keys: dict[str, list[tuple[str, Json]]] = field(default_factory=dict)
    _leg: int = 0
    _pending: list[Json] = field(default_factory=list)

    # -- what tests ask ------------------------------------------------------------------------------------------------

    def count(self, kind: str) -> int:
        return sum(1 for name, _, _ in self.requests if name == kind)

    def bodies(self, kind: str) -> list[Json | None]:
        return [body for name, body, _ in self.requests if name == kind]

    def headers(self, kind: str) -> list[dict[str, str]]:
        return [headers for name, _, headers in self.requests if name == kind]

    # -- the API -------------------------------------------------------------------------------------------------------

    def start(self, assistant_id: str) -> list[tuple[str, Json]]:
        run = {
            "id": f"run_{len(self.runs) + 1}",
            "object": "thread.run",
            "created_at": int(time.time()),
            "thread_id": "thread_1",
            "assistant_id": assistant_id,
            "status": "queued",
            "required_action": None,
            "last_error": None,
            "usage": None,
            "model": "m",
            "instructions": "",
            "tools": [],
            "metadata": {},
        }
        self.runs.append(run)
        return [("thread.run.created", dict(run)), *self.play()]

    def play(self) -> list[tuple[str, Json]]:
        """Do a leg; the run is at its end at once, in the stream and in the store."""
        run, leg = self.runs[-1], self.legs[self._leg]
        self._leg += 1
        run["required_action"] = None
        events = [(f"thread.run.{status}", {**run, "status": status}) for status in ("queued", "in_progress")]
        self._pending = [{**run, "status": "in_progress"}] * self.reads_before_done
        if isinstance(leg, Calls):
            asked = [
                {"id": f"call_{self._leg}_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
                for n, (name, arguments) in enumerate(leg.calls)
            ]
            run["status"] = "requires_action"
            run["required_action"] = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}}
            step = {
                "id": f"step_{self._leg}",
                "object": "thread.run.step",
                "type": "tool_calls",
                "status": "in_progress",
            }
            events += [("thread.run.step.created", step), ("thread.run.step.in_progress", step)]
            return [*events, ("thread.run.requires_action", dict(run))]
        if isinstance(leg, Says):
            events += self._say(leg)
        run["status"] = leg.status
        if leg.status == "failed":
            run["last_error"] = {"code": "rate_limit_exceeded", "message": "try again in 20 seconds"}
        if leg.status == "incomplete":
            run["incomplete_details"] = {"reason": "max_completion_tokens"}
        run["usage"] = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
        return [*events, (f"thread.run.{run['status']}", dict(run))]

    def _say(self, leg: Says) -> list[tuple[str, Json]]:
        message: Json = {
            "id": f"msg_{len(self.messages) + 1}",
            "object": "thread.message",
            "created_at": int(time.time()),
            "thread_id": "thread_1",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
            "run_id": self.runs[-1]["id"],
            "assistant_id": self.runs[-1]["assistant_id"],
            "attachments": [],
            "metadata": {},
        }
        ended = "completed" if leg.status == "completed" else "incomplete"
        done = {
            **message,
            "status": ended,
            "content": [{"type": "text", "text": {"value": leg.text, "annotations": []}}],
        }
        self.messages.append(done)
        pieces = [leg.text[:3], leg.text[3:]]
        deltas = [
            {
                "id": message["id"],
                "object": "thread.message.delta",
                "delta": {"content": [{"index": 0, "type": "text", "text": {"value": piece}}]},
            }
            for piece in pieces
        ]
        return [
            ("thread.message.created", message),
            ("thread.message.in_progress", message),
            *(("thread.message.delta", delta) for delta in deltas),
            (f"thread.message.{ended}", done),
        ]

    def submit(self, body: Json) -> list[tuple[str, Json]] | str:
        run = self.runs[-1]
        if run["status"] != "requires_action":
            return f'Runs in status "{run["status"]}" do not accept tool outputs.'
        asked = [call["id"] for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
        if [output["tool_call_id"] for output in body["tool_outputs"]] != asked:
            return "Expected tool outputs for call_ids " + str(asked)
        step = {"id": f"step_{self._leg}", "object": "thread.run.step", "type": "tool_calls", "status": "completed"}
        return [("thread.run.step.completed", step), *self.play()]

    def read(self) -> Json:
        return self._pending.pop() if self._pending else self.runs[-1]

    def cancel(self) -> Json:
        self.runs[-1].update(status="cancelled", required_action=None)
        self._pending = []
        return self.runs[-1]

    # -- HTTP ----------------------------------------------------------------------------------------------------------

    def route(self, method: str, target: str) -> str:
        path = target.partition("?")[0].removeprefix("/v1").strip("/").split("/")
        match method, path:
            case "POST", ["threads", "runs"]:
                return "create_thread"
            case "POST", ["threads", _, "runs"]:
                return "create"
            case "GET", ["threads", _, "runs"]:
                return "look"
            case "GET", ["threads", _, "runs", _]:
                return "read"
            case "POST", ["threads", _, "runs", _, "submit_tool_outputs"]:
                return "submit"
            case "POST", ["threads", _, "runs", _, "cancel"]:
                return "cancel"
            case "GET", ["threads", _, "messages"]:
                return "messages"
            case "GET", ["assistants", _]:
                return "assistant"
            case _:
                return "unknown"

    def do(self, kind: str, body: Json | None, key: str) -> list[tuple[str, Json]] | Json | str:
        """Do what was asked: events, a JSON body, or the text of a 400."""
        if self.keeps_keys and key in self._keys:
            return self._keys[key]
        answer: list[tuple[str, Json]] | Json | str
        match kind:
            case "create" | "create_thread":
                assert body is not None
                if body["assistant_id"] == "asst_none":
                    return "404"
                if self.runs and self.runs[-1]["status"] in ("queued", "in_progress", "requires_action"):
                    return f"Thread thread_1 already has an active run {self.runs[-1]['id']}."
                answer = self.start(body["assistant_id"])
            case "submit":
                assert body is not None
                answer = self.submit(body)
            case "cancel":
                return self.cancel()
            case "read":
                return self.read() if self.runs else "404"
            case "look":
                return {"object": "list", "data": list(reversed(self.runs))[:1], "has_more": False}
            case "messages":
                return {"object": "list", "data": self.messages, "has_more": False}
            case "assistant":
                return {"id": "asst_1", "object": "assistant"}
            case _:
                return "404"
        if isinstance(answer, list):
            self._keys[key] = answer
        return answer

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        body = json.loads(raw) if raw else None
        kind = self.route(method, target)
        self.requests.append((kind, body, headers))
        faults = self.faults.get(kind, [])
        fault = faults.pop(0) if faults else ""
        if fault == "drop":
            return False
        if fault == "hang":
            await asyncio.sleep(60)
        if fault.isdigit():
            return self._send(writer, int(fault), {"error": {"message": "no", "type": "server_error"}})
        if fault == "error":
            error = {"code": "server_error", "message": "overloaded", "param": None, "type": "server_error"}
            return await self._stream(writer, [("error", error)], "")
        answer = self.do(kind, body, headers.get("idempotency-key", ""))
        if fault == "drop-done":
            return False
        if fault == "hang-done":
            await asyncio.sleep(60)
        if fault == "500-done":
            return self._send(writer, 500, {"error": {"message": "no", "type": "server_error"}})
        if isinstance(answer, str):
            status = 404 if answer == "404" else 400
            return self._send(writer, status, {"error": {"message": answer, "type": "invalid_request_error"}})
        if isinstance(answer, dict):
            return self._send(writer, 200, answer)
        if fault == "json":
            return self._send(writer, 200, answer[-1][1] if not self._pending else self._pending[0])
        return await self._stream(writer, answer, fault)

    def _head(self, status: int, extra: str) -> bytes:
        kept = "x-idempotency-key: kept\r\n" if self.keeps_keys else ""
        date = formatdate(usegmt=True)
        return f"HTTP/1.1 {status} X\r\ndate: {date}\r\nopenai-poll-after-ms: 5\r\n{kept}{extra}\r\n".encode()

    def _send(self, writer: asyncio.StreamWriter, status: int, body: Json) -> bool:
        data = json.dumps(body).encode()
        wait = "retry-after-ms: 5\r\n" if status in (429, 500) else ""
        writer.write(
            self._head(status, f"{wait}content-type: application/json\r\ncontent-length: {len(data)}\r\n") + data
        )
        return True

    async def _stream(self, writer: asyncio.StreamWriter, events: list[tuple[str, Json]], fault: str) -> bool:
        writer.write(self._head(200, "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"))
        name, _, number = fault.partition(":")
        last = int(number) if number else len(events)
        for event, data in events[:last]:
            _chunk(writer, f"event: {event}\ndata: {json.dumps(data)}\n\n")
        if name == "cut":
            await writer.drain()
            return False
        if name == "held":
            _chunk(writer, "event: done\ndata: [DONE]\n\n")
        looks = 0
        while name in ("silent", "drip", "fades", "held"):
            await asyncio.sleep(0.02)
            looks += 1
            if name == "drip" or (name == "fades" and looks < 10):
                _chunk(writer, ": still here\n\n")
                await writer.drain()
            if writer.is_closing():
                return False
        _chunk(writer, "event: done\ndata: [DONE]\n\n")
        _chunk(writer, "")
        self._pending = []
        await writer.drain()
        return True


def _chunk(writer: asyncio.StreamWriter, text: str) -> None:
    data = text.encode()
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


class Answers(Protocol):
    """Answers what comes over a connection."""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...


class Host:
    """One loopback port for all services of a test session: `with host.serve(service) as base_url`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def serve(self, service: Answers) -> tuple[asyncio.Server, str]:
        async def begin() -> asyncio.Server:
            return await asyncio.start_server(service.answer, "127.0.0.1", 0)

        server = asyncio.run_coroutine_threadsafe(begin(), self._loop).result(5)
        return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    def end(self, server: asyncio.Server) -> None:
        self._loop.call_soon_threadsafe(server.close)

    def close(self) -> None:
        async def quiet() -> None:
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(quiet(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
