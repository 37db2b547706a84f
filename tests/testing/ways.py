"""The four ways to run against a scripted server: `run` and `stream`, blocking and awaiting."""

from __future__ import annotations

import asyncio
from typing import Any

from toolkit import Result, Toolset, run, stream
from toolkit.testing import ScriptedServer

__all__ = ["WAYS", "go"]

WAYS = ("run", "run, awaiting", "stream", "stream, awaiting")


def go(way: str, server: ScriptedServer, tools: Toolset | None = None, **options: Any) -> Result:
    """Run an assistant with these tools on some request, in one of the ways."""
    options = {"assistant_id": server.assistant(tools), "input": "Weather?", **options}
    if "awaiting" in way:
        return asyncio.run(_awaiting(way, server, tools, options))
    return _blocking(way, server, tools, options)


def _blocking(way: str, server: ScriptedServer, tools: Toolset | None, options: dict[str, Any]) -> Result:
    with server.client() as client:
        if "run" in way:
            return run(client, tools, **options)
        with stream(client, tools, **options) as events:
            list(events)
            return events.result


async def _awaiting(way: str, server: ScriptedServer, tools: Toolset | None, options: dict[str, Any]) -> Result:
    async with server.aclient() as client:
        if "run" in way:
            return await run(client, tools, **options)
        async with stream(client, tools, **options) as events:
            [_ async for _ in events]
            return events.result
