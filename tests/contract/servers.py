"""Engines in processes of their own, on one file: started, killed, paused; and clients of them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
from openai import APIStatusError, OpenAI

from tests.contract.inspection import Inspector

__all__ = ["ROOT", "Server", "raced", "texts"]

ROOT = Path(__file__).parents[2]


class Server:
    """A server with an obedient model, on one port however often it is started; every answer is inspected."""

    def __init__(self, store: str, *, expires_s: int = 600) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        self._arguments = [store, str(self._port), str(expires_s)]
        self._process: subprocess.Popen[str] | None = None
        self.inspector = Inspector()
        hooks: Any = {"response": [self.inspector.hook]}
        self._http = httpx2.Client(event_hooks=hooks, verify=False)
        self.client = OpenAI(
            base_url=f"http://127.0.0.1:{self._port}/v1", api_key="none", http_client=self._http, max_retries=0
        )

    def start(self, *, whole: bool = False) -> None:
        """Serve; `whole` as in `obedient_server`. Returns when requests are taken."""
        command = [sys.executable, "-m", "tests.contract.obedient_server", *self._arguments, *["whole"] * whole]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def send(self, number: signal.Signals) -> None:
        """Pause it (SIGSTOP), let it go on (SIGCONT)."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int | None:
        """End it as an operator does, and give the exit code."""
        return self._end(signal.SIGTERM)

    def close(self) -> None:
        self.kill()
        self._http.close()

    def _end(self, number: signal.Signals) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(number)
        process.communicate(timeout=30)
        return process.returncode


def raced(*racers: Callable[[], Any]) -> list[Any]:
    """Call all at once, each on a thread, and give what each returned, or the text of its refusal."""
    start = threading.Barrier(len(racers))
    ends: list[Any] = [None] * len(racers)

    def run(number: int) -> None:
        start.wait(30)
        try:
            ends[number] = racers[number]()
        except APIStatusError as refused:
            ends[number] = f"{refused.status_code} {refused.body['message']}"
        except BaseException as error:
            ends[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(racers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    broken = [end for end in ends if isinstance(end, BaseException)]
    assert not broken, broken
    return ends


def texts(client: Any, thread_id: str) -> Sequence[tuple[str, str]]:
    """Give the messages of a thread, oldest first, as (text, status)."""
    messages = client.beta.threads.messages.list(thread_id, order="asc")
    return [("".join(part.text.value for part in message.content), message.status) for message in messages]
