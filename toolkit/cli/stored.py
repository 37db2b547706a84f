"""Open a store that is there, for the commands that look after one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from toolkit.cli import settings
from toolkit.cli.mistakes import Mistake
from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress, default_url, parse
from toolkit.engine.store.sqlite import SQLite

__all__ = ["Stored", "file_of", "opened"]

T = TypeVar("T")


class Stored:
    """A store for a command, which has no event loop: each call is one transaction."""

    def __init__(self, store: SQLite, runner: asyncio.Runner) -> None:
        self._store = store
        self._runner = runner

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on one consistent snapshot."""
        return self._runner.run(self._store.read(work))

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction of its own; committed when this returns."""
        return self._runner.run(self._store.write(work))

    def is_gone(self, worker: str) -> bool:
        """Say whether the one who executes runs is known to live no more."""
        return self._store.is_gone(worker)


def file_of(store: str | None, data_dir: Path | None) -> SQLiteAddress:
    """Settle on the store of a command, which must be there: a typing error makes no new one. Raises Mistake."""
    if not store and data_dir is not None and not data_dir.is_dir():
        raise Mistake(f"There is no folder {data_dir}. Name the store's with --data-dir, or the store with --store.")
    address = parse(settings.store_url(store, data_dir) or default_url())
    if address.path is None:
        raise Mistake("A store in memory is gone with its program. Name one in a file: --store sqlite:///PATH")
    if not address.path.is_file():
        raise Mistake(f"There is no store at {address.path}. Name one with --store or --data-dir.")
    return address


@contextmanager
def opened(address: SQLiteAddress) -> Generator[Stored]:
    """Open a store for the time of a command. Servers may be at work on it. Raises EngineError."""
    with asyncio.Runner() as runner:
        store = SQLite(address)
        try:
            yield Stored(store, runner)
        finally:
            runner.run(store.aclose())
