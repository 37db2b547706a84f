"""How listeners in this process hear of runs: what is streamed, and that there is news."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Final
from weakref import WeakValueDictionary

from toolkit.engine.events import DONE, frame
from toolkit.engine.objects.runs import Event

__all__ = ["Feed", "Feeds"]

_KEPT_BYTES: Final = 8 * 2**20
"""How much of ended feeds is kept, the newest, for listeners that come again: a repeat within a moment or two."""


_AT_ONCE: Final = 256
"""Events sent together at most: what is joined for a listener that does not read waits in memory."""


class Feed:
    """The events of one leg of a run, from its start to the next wait or end, for any number of listeners.

    Everything published stays until the feed is dropped, so a listener that comes late, or again after its connection
    broke, gets the leg from the start.
    """

    def __init__(self, leg: str = "", *, contents: bool = False) -> None:
        self.leg = leg
        """The answer to the request that began the leg, which tells it from the run's others."""
        self.contents = contents
        """Whether listeners asked for the contents of results of file_search."""
        self._frames: list[bytes] = []
        self._news = asyncio.Event()
        self.ended = False

    @property
    def size(self) -> int:
        """Bytes of what was published."""
        return sum(map(len, self._frames))

    def publish(self, events: Iterable[Event]) -> None:
        """Tell all listeners. Nothing is told after the end."""
        if not self.ended:
            self._frames.extend(map(frame, events))
            self._news.set()

    def end(self) -> None:
        """Say `done`: the run waits for the application, or is over."""
        if not self.ended:
            self._frames.append(DONE)
            self.ended = True
            self._news.set()

    async def listen(self) -> AsyncIterator[bytes]:
        """Yield what there is and then what comes, in chunks of whole events, until the end."""
        told = 0
        while True:
            if told < len(self._frames):
                ahead = self._frames[told : told + _AT_ONCE]
                told += len(ahead)
                yield b"".join(ahead)
            elif self.ended:
                return
            else:
                self._news.clear()
                await self._news.wait()


class Feeds:
    """The feeds of the legs under way here, by run, and of the last ones that ended."""

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}
        self._ended: deque[tuple[str, Feed]] = deque()
        self._ended_size = 0
        self._news: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    def get(self, run_id: str) -> Feed | None:
        """Give the feed of a run's present leg; None when nobody asked for a stream here."""
        return self._feeds.get(run_id)

    def __contains__(self, run_id: str) -> bool:
        """Whether somebody asked for a stream of a run's present leg here."""
        return run_id in self._feeds

    def begin(self, run_id: str, leg: str, events: Iterable[Event] | None, *, contents: bool = False) -> None:
        """Begin a leg: with a feed when it is streamed, in place of the one of the leg before.

        That one may still be told how its leg went; whoever does so ends it.
        """
        self._feeds.pop(run_id, None)
        if events is not None:
            feed = self._feeds[run_id] = Feed(leg, contents=contents)
            feed.publish(events)

    def publish(self, run_id: str, events: Iterable[Event]) -> None:
        """Tell those who listen to a run."""
        feed = self._feeds.get(run_id)
        if feed is not None:
            feed.publish(events)

    def end(self, run_id: str, feed: Feed | None) -> None:
        """End a leg for its listeners, and for those who wait for news of the run."""
        if feed is not None and not feed.ended:
            feed.end()
            self._keep(run_id, feed)
        if news := self._news.pop(run_id, None):
            news.set()

    def news(self, run_id: str) -> asyncio.Event:
        """Give what is set when the run's present leg ends here."""
        return self._news.setdefault(run_id, asyncio.Event())

    def _keep(self, run_id: str, feed: Feed) -> None:
        self._ended.append((run_id, feed))
        self._ended_size += feed.size
        while self._ended_size > _KEPT_BYTES:
            oldest_id, oldest = self._ended.popleft()
            self._ended_size -= oldest.size
            if self._feeds.get(oldest_id) is oldest:
                del self._feeds[oldest_id]
