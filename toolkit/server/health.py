"""Whether this engine can be sent work: what `/readyz` asks."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from toolkit.engine.store import Store
from toolkit.server.metrics import Work

__all__ = ["Readiness"]

_log = logging.getLogger("toolkit.server")

_PATIENCE_S: Final = 2.0
_FRESH_S: Final = 1.0
"""How long an answer holds: asking more often does not ask the store more often."""


class Readiness:
    """Asks the store, one question at a time and at most once a second, whether it can be read and written."""

    def __init__(self, store: Store, work: Work) -> None:
        self._store, self._work = store, work
        self._asking: asyncio.Task[str | None] | None = None
        self._found: str | None = None
        self._found_at = -_FRESH_S

    async def missing(self) -> str | None:
        """Say what is missing, in words that anybody may read; None when nothing is."""
        if self._work.closing:
            return "The engine is shutting down."
        if time.monotonic() - self._found_at < _FRESH_S:
            return self._found
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="ask the store")
        asking = self._asking
        done, _ = await asyncio.wait(
            (asking,), timeout=_PATIENCE_S
        )  # one that is late goes on, and is waited for again
        self._note(asking.result() if done else f"The store did not answer within {_PATIENCE_S:g} s.")
        return self._found

    def _note(self, found: str | None) -> None:
        if found != self._found:
            _log.warning("not ready: %s", found) if found else _log.warning("ready again")
        self._found, self._found_at = found, time.monotonic()

    async def _ask(self) -> str | None:
        try:
            await self._store.read(lambda tx: tx.one("run.by_id", id=""))
            await self._store.write(lambda tx: None)  # takes the lock of writers, on a file that can be written
        except Exception:  # the store itself logs why
            return "The store cannot be read and written."
        return None
