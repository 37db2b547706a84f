"""An engine with a scripted model, and the verbs as each way to reach it has them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
from openai import AsyncOpenAI, OpenAI

from tests.contract.doors import served
from tests.engine.scripted import Script, Scripted
from toolkit import Pending, Result, Toolset, resume, resume_stream, run, stream
from toolkit.engine import Engine

__all__ = ["DOORS", "Start", "World", "worlds"]

DOORS = ("in process", "in process, awaiting", "socket", "socket, awaiting")


class World:
    """An engine, one way to reach it, and the verbs as that way has them."""

    def __init__(self, engine: Engine, file: Path, url: str | None, awaits: bool, tools: Toolset) -> None:
        self.engine, self.file, self.url, self.awaits, self.tools = engine, file, url, awaits, tools
        self.here = engine.client()
        self.assistant_id = self.here.beta.assistants.create(model="any", tools=tools.definitions).id

    def run(self, *tools: Toolset | None, **arguments: Any) -> Result:
        """Run with these tools, or those of the file."""
        if "run_id" not in arguments:
            arguments["assistant_id"] = self.assistant_id
        return self._result(run, *(tools or [self.tools]), **arguments)

    def resume(self, pending: Pending, **arguments: Any) -> Result:
        return self._result(resume, self.tools, pending, **arguments)

    def expire(self, thread_id: str) -> None:
        """Let the runs of a thread be late, whatever the time is."""
        with closing(sqlite3.connect(self.file, timeout=30)) as store, store:
            store.execute("UPDATE run SET expires_at = 1 WHERE thread = ?", (thread_id,))

    def events(
        self, tools: Toolset | None = None, leave: Callable[[Any], bool] = lambda _: False, **arguments: Any
    ) -> list[Any]:
        arguments["assistant_id"] = self.assistant_id
        return self._events(stream, leave, self.tools if tools is None else tools, **arguments)

    def resume_events(
        self, pending: Pending, leave: Callable[[Any], bool] = lambda _: False, **arguments: Any
    ) -> list[Any]:
        return self._events(resume_stream, leave, self.tools, pending, **arguments)

    def _result(self, verb: Any, *arguments: Any, **named: Any) -> Result:
        if not self.awaits:
            with self._client() as client:
                result: Result = verb(client, *arguments, **named)
                return result

        async def main() -> Result:
            async with self._aclient() as client:
                result: Result = await verb(client, *arguments, **named)
                return result

        return asyncio.run(main())

    def _events(self, verb: Any, leave: Callable[[Any], bool], *arguments: Any, **named: Any) -> list[Any]:
        seen: list[Any] = []
        if not self.awaits:
            with self._client() as client, verb(client, *arguments, **named) as events:
                for event in events:
                    seen.append(event)
                    if leave(event):
                        break
            return seen

        async def main() -> None:
            async with self._aclient() as client, verb(client, *arguments, **named) as events:
                async for event in events:
                    seen.append(event)
                    if leave(event):
                        break

        asyncio.run(main())
        return seen

    def _client(self) -> OpenAI:
        if self.url is None:
            return self.engine.client()
        return OpenAI(base_url=self.url, api_key="none", http_client=httpx2.Client(verify=False))

    def _aclient(self) -> AsyncOpenAI:
        if self.url is None:
            return self.engine.aclient()
        return AsyncOpenAI(base_url=self.url, api_key="none", http_client=httpx2.AsyncClient(verify=False))


Start = Callable[..., tuple[World, Scripted]]


def worlds(door: str, folder: Path, tools: Toolset) -> Iterator[Start]:
    """Give what starts an engine with these scripts, and end them all at the end."""
    started = count()
    with ExitStack() as stack:

        def start(*scripts: Script, **settings: Any) -> tuple[World, Scripted]:
            model = Scripted(scripts)
            file = folder / f"{next(started)}.db"
            engine = stack.enter_context(Engine(f"sqlite:///{file}", model=model, **settings))
            url = f"{stack.enter_context(served(engine.app))}/v1" if "socket" in door else None
            return World(engine, file, url, "awaiting" in door, tools), model

        yield start
