"""The keys in the store, as a server knows them: a change there counts here within a second, without a restart."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import Final

from toolkit.engine.objects import keys
from toolkit.engine.objects.keys import DAY_S, Ring
from toolkit.engine.store import Store
from toolkit.errors import StoreUnavailable

__all__ = ["KeyRing"]

_OLD_S: Final = 0.4
"""After so long the store is looked at again, while requests go by what is known."""
_TOO_OLD_S: Final = 0.8
"""After so long they wait for that look."""


class KeyRing:
    """Looks at the store's keys when requests come, and no more often than they change what they may see.

    A busy server looks twice a second beside its requests; the first request after a pause waits for a look.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ring: Ring | None = None
        self._at = 0.0
        self._looking: asyncio.Task[Ring] | None = None
        self._noted: dict[str, int] = {}
        """Key id -> the day (since 1970) that was last noted for it."""

    async def current(self) -> Ring:
        """Give the keys as they were less than a second ago. Raises StoreUnavailable when they never were read."""
        age_s = time.monotonic() - self._at
        if self._ring is not None and age_s < _OLD_S:
            return self._ring
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="look at the keys")
        if self._ring is not None and age_s < _TOO_OLD_S:
            return self._ring
        return await asyncio.shield(self._looking)  # others wait for it too, whoever of them leaves

    async def project(self, ring: Ring, digest: bytes) -> str | None:
        """Give the project of a key, and note that it was used: the first time on each day; None when it is none."""
        live = ring.live.get(digest)
        if live is None:
            return None
        now = time.time()
        day = int(now) // DAY_S
        if self._noted.get(live.id, live.last_used_at // DAY_S) < day:
            self._noted[live.id] = day
            with suppress(StoreUnavailable):  # which is no reason to turn somebody away
                await self._store.write(partial(keys.used, key_id=live.id, now=now))
        return live.project

    async def _look(self) -> Ring:
        began = time.monotonic()
        try:
            self._ring = await self._store.read(partial(keys.look, seen=self._ring))
        except StoreUnavailable:  # nor can it have been changed; and `/metrics` is wanted just then
            if self._ring is None:
                raise
        self._at = began
        return self._ring
