"""Serve an engine on a file until killed: `python -m tests.contract.crash_server STORE PORT STALLS(0 or 1)`.

The model asks for the weather once in each run that has "tool" in its question; with STALLS=1 it says "Half " and then
nothing for a minute wherever it would answer with text.
"""

from __future__ import annotations

import asyncio
import sys

import uvicorn

from tests.engine.scripted import Script, Scripted, answer, ask, asked
from toolkit.engine import Engine
from toolkit.engine.model import ModelCall, ModelRequest, Text


def script(request: ModelRequest, stalls: bool) -> Script:
    chats = asked(request)
    roles = [chat["role"] for chat in chats]
    if "tool" in str(chats[0]["content"]) and "tool" not in roles:
        return ask(ModelCall("call_a", "get_weather", '{"city":"Seoul"}'))
    return [Text("Half "), 60.0] if stalls else answer(f"Whole, after {roles}.")


def main() -> None:
    store, port, stalls = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
    engine = Engine(store, model=Scripted(lambda request: script(request, stalls)))
    server = uvicorn.Server(uvicorn.Config(engine.app, port=port, log_level="warning"))

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        print("ready", flush=True)
        await serving

    asyncio.run(serve())


if __name__ == "__main__":
    main()
