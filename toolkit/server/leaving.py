"""Clients that leave before they are answered: what is only waited for is not done for them any more.

Official clients ask again when they have waited for too long. A request that waits (for the lock of a store, say) and
whose client has left would be carried out beside those that came after it.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

from toolkit.server.multipart import Form
from toolkit.server.wire import HungUp, Receive, until_gone

__all__ = ["Watch"]

_SOON_S: Final = 0.25
"""Most answers are there sooner, and are not to pay for a task that listens."""


class Watch:
    """`with Watch(receive, form):` cancels what is waited for when the client leaves, and raises HungUp.

    A form is read to its end first, by whoever reads it: that is who hears that its client has left until then.
    """

    __slots__ = ("_cancelling", "_form", "_leaving", "_left", "_loop", "_receive", "_task", "_timer")

    def __init__(self, receive: Receive, form: Form | None = None) -> None:
        self._receive, self._form = receive, form
        self._leaving: asyncio.Task[None] | None = None
        self._left = False

    def __enter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._timer = self._loop.call_later(_SOON_S, self._listen)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._leaving is not None:
            self._leaving.cancel()
        if self._left and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise HungUp from error

    def _listen(self) -> None:
        if self._form is not None and not self._form.whole:
            self._timer = self._loop.call_later(_SOON_S, self._listen)
        else:
            self._leaving = self._loop.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        await until_gone(self._receive)
        self._left = True
        self._task.cancel()
