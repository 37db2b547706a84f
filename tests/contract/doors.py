"""The doors of an engine: blocking and awaiting clients in its process, and a client over a socket.

A scenario is written once, for a blocking client. `blocking` lends that face to an awaiting one.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn
from openai import AsyncOpenAI, OpenAI

from toolkit.engine import Engine
from toolkit.server.inprocess import LoopThread

DOORS = ("in process", "in process, awaiting", "over a socket")


def blocking(value: Any, thread: LoopThread) -> Any:
    """Let a value of an awaiting client be used as that of a blocking one; what it awaits is awaited on `thread`."""
    if inspect.isawaitable(value):
        value = thread.run(_awaited(value))
    awaits = callable(value) or any(hasattr(value, name) for name in ("__aiter__", "__aenter__", "with_raw_response"))
    return Blocking(value, thread) if awaits and not isinstance(value, type) else value


async def _awaited(value: Any) -> Any:
    return await value


class Blocking:
    """See `blocking`."""

    def __init__(self, inner: Any, thread: LoopThread) -> None:
        self._inner, self._thread = inner, thread

    def __getattr__(self, name: str) -> Any:
        return blocking(getattr(self._inner, name), self._thread)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        async def call() -> Any:  # on the loop, where awaiting clients expect to be
            return self._inner(*arguments, **named)

        return blocking(self._thread.run(call()), self._thread)

    def __iter__(self) -> Iterator[Any]:
        iterator = aiter(self._inner)
        while (value := self._thread.run(_next(iterator))) is not _END:
            yield value

    def __enter__(self) -> Any:
        return blocking(self._inner.__aenter__(), self._thread)

    def __exit__(self, *error: Any) -> None:
        self._thread.run(self._inner.__aexit__(*error))


_END = object()


async def _next(iterator: Any) -> Any:
    return await anext(iterator, _END)


class _Server(uvicorn.Server):
    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # more often than ten times a second: a hundred tests wait for its end
            await asyncio.sleep(0.005)


@contextmanager
def served(app: Callable[..., Any]) -> Iterator[str]:
    """Serve an ASGI application on a free port of this machine, and give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sees to it only for sockets of its own
    server = _Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    ready = threading.Event()

    async def serve() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        ready.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@contextmanager
def client_at(door: str, engine: Engine, hooks: Any, **options: Any) -> Iterator[Any]:
    """Give a client that comes in by a door; `hooks` has a `hook` and an `ahook` for each answer."""
    if door == "over a socket":
        warnings.filterwarnings("ignore", "deprecated|The Assistants API is deprecated", DeprecationWarning)
        with served(engine.app) as address, httpx2.Client(event_hooks={"response": [hooks.hook]}, verify=False) as http:
            yield OpenAI(**{"base_url": f"{address}/v1", "api_key": "none", **options}, http_client=http)
    elif door == "in process":
        client = engine.client(**options)
        client._client.event_hooks = {"response": [hooks.hook]}  # the SDK has no public way to it
        yield client
        client.close()
    else:
        thread = LoopThread()
        aclient: AsyncOpenAI = engine.aclient(**options)
        aclient._client.event_hooks = {"response": [hooks.ahook]}
        yield Blocking(aclient, thread)
        thread.run(aclient.close())
        thread.stop()
