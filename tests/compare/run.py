"""Shows what docs/compare.md says of other libraries: `make peers` installs them and runs this.

Each is used by a script of its own in an environment of its own, without a key or a network. What speaks to the
Assistants API meets the engine here, with a model that asks for what the case is about.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from toolkit.engine import Engine
from toolkit.testing import Asked, ScriptedModel, call

HERE = Path(__file__).parent
VENV = HERE.parents[1] / ".venv"
ALONE = (("peers", "peers.py"), ("peers", "features.py"), ("peers", "mcp_servers.py"))
ON_ASSISTANTS = (("peers", "azure_agents.py"), ("swarm", "agency.py"))
CASES: dict[str, Sequence[Any]] = {
    "unknown tool": [call("whether", city="Seoul")],
    "broken JSON": [call("weather", '{"city": "Se')],
    "missing argument": [call("weather", "{}")],
    "exception": [call("breaks", city="Seoul"), call("weather", city="Oslo")],
    "three slow ones": [call("slow", city="Seoul")] * 3,
    "60 turns of calls": [call("weather", city="Seoul")],
    "slower than the run": [call("slower", city="Seoul")],
    "busy thread": ["One", 2.0],
    "broken stream": ["One", "CUT", 2.0],
    "left early": ["One", 2.0],
}


class Model:
    """Asks for the calls of the case that is its name, and then says `Done.`; keeps what it was told of them."""

    def __init__(self) -> None:
        self.told: dict[str, list[str]] = defaultdict(list)
        self._late_s = 0.0

    def __call__(self, asked: Asked) -> Any:
        told = self.told[asked.model]
        told += asked.outputs
        if asked.model == "slower than the run" and not told:
            threading.Timer(0.5, self._expire).start()
        more = asked.model == "60 turns of calls" and len(told) < 60
        return "Done." if asked.outputs and not more else list(CASES[asked.model])

    def clock(self) -> float:
        """Give the time, which is later once a run shall have expired."""
        return time.time() + self._late_s

    def _expire(self) -> None:
        self._late_s = 3600.0


def cutting(app: Any) -> Any:
    """Break off a stream when it comes to the word CUT."""

    async def cut(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if b"CUT" in message.get("body", b"") and message["body"].startswith(b"event: "):
                raise ConnectionAbortedError
            await send(message)

        await app(scope, receive, sent)

    return cut


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application on a free port of this machine, and give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    server.should_exit = True
    thread.join(10)


def show(environment: str, script: str, *more: str) -> None:
    """Run a script where it prints what happens, in an empty folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    with tempfile.TemporaryDirectory() as folder:
        python = str(VENV / environment / "bin" / "python")
        subprocess.run([python, str(HERE / script), *more], cwd=folder, env=kept, check=True, timeout=600)


def main() -> None:
    """Show all of them, or those whose scripts are named."""
    wanted = sys.argv[1:]
    for environment, script in ALONE:
        if not wanted or script in wanted:
            show(environment, script)
    for environment, script in ON_ASSISTANTS:
        if not wanted or script in wanted:
            model = Model()
            with Engine("sqlite:///:memory:", model=ScriptedModel(model), clock=model.clock) as engine:
                with served(cutting(engine.app)) as url:
                    show(environment, script, url, *CASES)
            for case, told in model.told.items():
                said = " | ".join(told[:3]).replace("\n", " ")
                print(f"  {case}: the model was told {len(told)} times: {said or 'nothing'}")


if __name__ == "__main__":
    main()
