"""A store in which the process dies: at one write, on the one side of its commit or on the other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from toolkit.engine.store import Store, Tx

__all__ = ["Dying", "Side"]

T = TypeVar("T")
Side = Literal["before", "after"]


class Dying:
    """A `Store` on another one that counts its writes, and kills this process at the `point`-th (from 1; 0: never).

    On the side `before`, all of the write's work is done and not committed. On the side `after` it is committed, and
    nobody has been told. A write that raises is no commit and does not count.
    """

    def __init__(self, inner: Store, point: int = 0, side: Side = "before") -> None:
        self._inner, self._point, self._side = inner, point, side
        self.writes = 0

    async def write(self, work: Callable[[Tx], T]) -> T:
        number = 0

        def counted(tx: Tx) -> T:
            nonlocal number
            self._perhaps_die("after", self.writes)  # the one before is committed, its caller perhaps not yet awake
            done = work(tx)
            self.writes = number = self.writes + 1
            self._perhaps_die("before", number)
            return done

        done = await self._inner.write(counted)
        self._perhaps_die("after", number)
        return done

    def _perhaps_die(self, side: Side, number: int) -> None:
        if self._point and (side, number) == (self._side, self._point):
            os.kill(os.getpid(), signal.SIGKILL)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
