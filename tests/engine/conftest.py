"""A store in memory, worked on from plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from toolkit.engine.store import Tx
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.server.inprocess import LoopThread

Do = Callable[[Callable[[Tx], Any]], Any]


@pytest.fixture
def do() -> Iterator[Do]:
    """Run a transaction function on a new store, from where no loop runs."""
    thread = LoopThread()
    store = SQLite(parse("sqlite:///:memory:"))
    yield lambda work: thread.run(store.write(work))
    thread.run(store.aclose())
    thread.stop()
