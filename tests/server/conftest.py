"""An engine with a scripted model, reached by a bare HTTP client in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from tests.engine.scripted import Script, Scripted, answer
from toolkit.engine import Engine
from toolkit.server.inprocess import InProcess, LoopThread

Serve = Callable[..., httpx2.Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Make an engine with these settings, and a client whose requests are in its project `default`."""
    with ExitStack() as closing:

        def serve(*scripts: Script, store: Any = "sqlite:///:memory:", **settings: Any) -> httpx2.Client:
            engine = closing.enter_context(Engine(store, model=Scripted(scripts or [answer("hello")]), **settings))
            thread = LoopThread()
            closing.callback(lambda: (thread.run(engine.app.aclose()), thread.stop()))
            transport = InProcess(engine.app, thread, "default")
            return closing.enter_context(httpx2.Client(transport=transport, base_url="http://engine"))

        yield serve


@pytest.fixture
def http(serve: Serve) -> httpx2.Client:
    return serve()
