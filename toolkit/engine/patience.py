"""The store as a run under way uses it: one that is full or locked is waited for, as long as the run has time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from toolkit.engine.store import Store, Tx
from toolkit.errors import StoreUnavailable

__all__ = ["Patience"]

_log = logging.getLogger("toolkit.engine")

T = TypeVar("T")

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 2.0


class Patience:
    """Waits for a store on behalf of a run: what the model said is not to be lost.

    `time_left_s` says how long that may take, and `pause` waits for so many seconds.
    """

    def __init__(
        self, store: Store, run_id: str, time_left_s: Callable[[], float], pause: Callable[[float], Awaitable[None]]
    ) -> None:
        self._store, self._run_id = store, run_id
        self._time_left_s, self._pause = time_left_s, pause

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Read, as `Store.read` does. Raises StoreUnavailable when the time is up."""
        return await self._do(self._store.read, work)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Write, as `Store.write` does. Raises StoreUnavailable when the time is up."""
        return await self._do(self._store.write, work)

    async def _do(self, do: Callable[[Callable[[Tx], T]], Awaitable[T]], work: Callable[[Tx], T]) -> T:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await do(work)
            except StoreUnavailable as error:
                if pause_s >= self._time_left_s():
                    raise
                _log.info("run %s waits for the store: %s", self._run_id, error)
            await self._pause(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
