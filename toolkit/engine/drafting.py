"""Keeps what listeners hear of a message under way, in pieces, so that little of it is lost when the process dies."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Final

from toolkit.engine.objects.answers import draft
from toolkit.engine.store import Store

__all__ = ["Drafting"]

_log = logging.getLogger("toolkit.engine")

_DRAFT_S: Final = 0.05
"""How much of it may be lost: pieces are kept together with what follows them within this time."""
_AGAIN_S: Final = 0.5


class Drafting:
    """The draft of one message at a time. Keeping it holds nothing up, and what goes wrong with it changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._message_id = ""
        self._pieces: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._keeping: asyncio.Future[None] | None = None

    def heard(self, message_id: str, piece: str) -> None:
        """Have a piece of a message kept, soon."""
        self._message_id = message_id
        self._pieces.append(piece)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DRAFT_S, self._keep)

    def stop(self) -> None:
        """Keep nothing more of it: it is about to be closed, or is somebody else's now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._message_id = ""
        self._pieces.clear()

    def _keep(self) -> None:
        self._timer = None
        if self._keeping is not None and not self._keeping.done():
            self._timer = asyncio.get_running_loop().call_later(_DRAFT_S, self._keep)  # one at a time, in order
            return
        message_id, text = self._message_id, "".join(self._pieces)
        self._pieces.clear()
        self._keeping = asyncio.ensure_future(self._store.write(lambda tx: draft(tx, message_id, text)))
        self._keeping.add_done_callback(partial(self._kept, message_id, text))

    def _kept(self, message_id: str, text: str, kept: asyncio.Future[None]) -> None:
        """Take back what could not be kept, so that there are no holes when it can be again."""
        if kept.cancelled() or (error := kept.exception()) is None:
            return
        _log.info("a draft was not kept: %s", type(error).__name__)
        if message_id == self._message_id:
            self._pieces.insert(0, text)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_AGAIN_S, self._keep)
