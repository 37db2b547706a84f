"""A client with nothing to it: the requests of a run, sent with httpx2 alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.benchmarks.servers import Served

__all__ = ["NOTE", "QUESTION", "Talk", "talking"]

QUESTION = {"role": "user", "content": "What is the weather in Seoul?"}
NOTE = {
    "type": "function",
    "function": {
        "name": "note",
        "description": "Write a note.",
        "parameters": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "pages": {"type": "array", "items": {"type": "integer"}}},
            "required": ["text", "pages"],
            "additionalProperties": False,
        },
    },
}


class Talk:
    """Programs as bare as they can be, on one assistant. Each checks that it got what it asked for."""

    def __init__(self, engine: httpx2.AsyncClient, model: httpx2.AsyncClient, assistant_id: str) -> None:
        self._engine = engine
        self._model = model
        self.assistant_id = assistant_id

    async def direct(self) -> None:
        """Ask the model itself: what a run cannot go below."""
        body = {"model": "plain", "messages": [QUESTION], "tools": [NOTE], "stream": True}
        async with self._model.stream("POST", "/chat/completions", json=body) as response:
            said = await response.aread()
        assert b"[DONE]" in said

    async def nothing(self) -> None:
        """Send four requests that ask for nothing, and ask the model: what HTTP alone costs a plain run."""
        for _ in range(4):
            (await self._engine.get(self._engine.base_url.join("/health"))).raise_for_status()
        await self.direct()

    async def thread(self, *messages: Any) -> str:
        """Make a thread."""
        created = await self._engine.post("/threads", json={"messages": messages} if messages else {})
        thread_id: str = created.raise_for_status().json()["id"]
        return thread_id

    async def ask(self) -> str:
        """Make a thread and add a message, in two requests, as programs do."""
        thread_id = await self.thread()
        (await self._engine.post(f"/threads/{thread_id}/messages", json=QUESTION)).raise_for_status()
        return thread_id

    async def read(self, thread_id: str) -> None:
        """Read the answer."""
        listed = await self._engine.get(f"/threads/{thread_id}/messages")
        assert listed.json()["data"][0]["role"] == "assistant"

    async def plain_run(self) -> None:
        """Thread, message, run, read: four requests, the run streamed."""
        thread_id = await self.ask()
        said = await self.stream(f"/threads/{thread_id}/runs", {"assistant_id": self.assistant_id})
        assert b"thread.run.completed" in said
        await self.read(thread_id)

    async def polled_run(self) -> None:
        """Make the same run and look whether it is over until it is, as the SDK's helpers do."""
        thread_id = await self.ask()
        created = await self._engine.post(f"/threads/{thread_id}/runs", json={"assistant_id": self.assistant_id})
        run = created.raise_for_status().json()
        while run["status"] != "completed":
            polled = await self._engine.get(
                f"/threads/{thread_id}/runs/{run['id']}", headers={"X-Stainless-Poll-Helper": "true"}
            )
            run = polled.raise_for_status().json()
        await self.read(thread_id)

    async def tool_run(self) -> None:
        """Thread, message, run, outputs of one call, read: five requests."""
        thread_id = await self.ask()
        path, body = f"/threads/{thread_id}/runs", {"assistant_id": self.assistant_id}
        waiting = json.loads(_last(await self.stream(path, body), b"thread.run.requires_action"))
        calls = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": "noted"} for call in calls]
        said = await self.stream(f"{path}/{waiting['id']}/submit_tool_outputs", {"tool_outputs": outputs})
        assert b"thread.run.completed" in said
        await self.read(thread_id)

    async def stream(self, path: str, body: dict[str, Any]) -> bytes:
        """Send a request that is answered with events, and read them to the end."""
        async with self._engine.stream("POST", path, json={**body, "stream": True}) as response:
            return await response.aread()

    @asynccontextmanager
    async def streaming(self, thread_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Start a run and give its bytes as they come."""
        body = {"assistant_id": self.assistant_id, "stream": True}
        async with self._engine.stream("POST", f"/threads/{thread_id}/runs", json=body) as response:
            yield response.aiter_raw()


@asynccontextmanager
async def talking(served: Served, model: str) -> AsyncIterator[Talk]:
    """Make an assistant on `model`, with one tool, and talk to it over connections that stay open."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64)
    async with (
        httpx2.AsyncClient(base_url=served.engine_url, limits=limits, timeout=60) as engine,
        httpx2.AsyncClient(base_url=served.model_url, limits=limits, timeout=60) as direct,
    ):
        created = await engine.post("/assistants", json={"model": model, "tools": [NOTE]})
        yield Talk(engine, direct, created.raise_for_status().json()["id"])


def _last(events: bytes, name: bytes) -> bytes:
    """Give the data of an event, out of the bytes of a stream."""
    return events.partition(b"event: " + name + b"\ndata: ")[2].partition(b"\n")[0]
