"""What the app iterates: the events of a whole run, over all its turns, as one stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing
from types import TracebackType
from typing import Any, Generic, Self

from typing_extensions import TypeVar

from toolkit.runs.events import Event, RunEnded, ServerEvent, TextDelta
from toolkit.runs.hosts import Host
from toolkit.runs.result import Result, text_of

__all__ = ["AsyncStream", "Stream"]

T = TypeVar("T", default=None)


class _Reader:
    """Add the text to the server's events: each piece once, also what no stream brought."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lengths: dict[str, int] = {}
        self._told: set[str] = set()
        self.result: Result[Any] | None = None

    def read(self, event: Event) -> Iterator[Event]:
        if isinstance(event, RunEnded):
            self.result = event.result
            for message in event.result.messages_json:
                # What was missed while a stream was broken.
                yield from self._piece(message["id"], text_of(message)[self._lengths.get(message["id"], 0) :])
            yield event
            return
        yield event
        if not isinstance(event, ServerEvent):
            return
        try:
            piece = self._host.text(event)
        except ValueError:  # broken JSON: as if it had been lost, its text comes at the end
            return
        if piece is None or event.id in self._told:
            return
        if event.id is not None:
            self._told.add(event.id)
        yield from self._piece(*piece)

    def _piece(self, message_id: str, text: str) -> Iterator[Event]:
        if text:
            self._lengths[message_id] = self._lengths.get(message_id, 0) + len(text)
            yield TextDelta(text, message_id)

    def ended(self) -> Result[Any]:
        if self.result is None:
            raise RuntimeError("There is no result yet: iterate over the stream to its end first.")
        return self.result


class Stream(Generic[T]):
    """A run under way, as `stream(OpenAI(), ...)` gives it.

    Iterate over its events, or over `.text` for the pieces of the answer alone; then there is `.result`. Leaving the
    `with` block earlier cancels the run. A run that does not end well raises out of the iteration.
    """

    def __init__(self, events: Generator[Event], host: Host) -> None:
        self._reader = _Reader(host)
        self._events = _read(events, self._reader)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    @property
    def text(self) -> Iterator[str]:
        """The pieces of the assistant's text as they come."""
        return (event.text for event in self._events if isinstance(event, TextDelta))

    @property
    def result(self) -> Result[T]:
        """What the run left, once the iteration is over."""
        return self._reader.ended()

    def close(self) -> None:
        """Leave; a run that is not over is cancelled."""
        self._events.close()


class AsyncStream(Generic[T]):
    """A run under way, as `stream(AsyncOpenAI(), ...)` gives it: `Stream` with `async with` and `async for`."""

    def __init__(self, events: AsyncGenerator[Event], host: Host) -> None:
        self._reader = _Reader(host)
        self._events = _aread(events, self._reader)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    @property
    def text(self) -> AsyncIterator[str]:
        """The pieces of the assistant's text as they come."""
        return (event.text async for event in self._events if isinstance(event, TextDelta))

    @property
    def result(self) -> Result[T]:
        """What the run left, once the iteration is over."""
        return self._reader.ended()

    async def aclose(self) -> None:
        """Leave; a run that is not over is cancelled."""
        await self._events.aclose()


# Functions, since generators of a stream's own would hold it in a circle: one left without `with` then lives on, and
# with it the run, until Python looks for circles.


def _read(events: Generator[Event], reader: _Reader) -> Generator[Event]:
    with closing(events):
        for event in events:
            yield from reader.read(event)


async def _aread(events: AsyncGenerator[Event], reader: _Reader) -> AsyncGenerator[Event]:
    async with aclosing(events):
        async for event in events:
            for one in reader.read(event):
                yield one
