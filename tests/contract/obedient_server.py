"""Serve an engine with an obedient model until killed: `python -m tests.contract.obedient_server STORE PORT EXPIRES_S`.

A fourth argument, `whole`, lets the model answer in full even where the question says `stall`.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import uvicorn

from tests.contract.obedient import obey
from tests.engine.scripted import Scripted
from toolkit.engine import Engine


def main() -> None:
    store, port, expires_s, *whole = sys.argv[1:]
    model = Scripted(partial(obey, stalls=not whole))
    engine = Engine(store, model=model, run_expires_s=int(expires_s))
    config = uvicorn.Config(engine.app, port=int(port), log_level="warning", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        print("ready", flush=True)
        await serving

    asyncio.run(serve())


if __name__ == "__main__":
    main()
