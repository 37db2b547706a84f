"""What an operation is, and what one request for it is handed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel

from toolkit.engine.objects.kept import Key, once
from toolkit.engine.store import Tx
from toolkit.server.rooms import Rooms
from toolkit.server.wire import Answer, Download, Stream

__all__ = ["SOONEST_MS", "Call", "Reply", "Route", "poll_after_ms"]

Reply = Answer | Stream | Download

SOONEST_MS: Final = 20
_LATEST_MS: Final = 250


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read and let in."""

    rooms: Rooms
    project: str
    now: int
    params: Mapping[str, str]
    query: bytes
    headers: Mapping[bytes, bytes]
    key: Key | None
    helper: bool
    """Whether a poll helper of an SDK asks, which may be held until there is news."""

    def __getitem__(self, name: str) -> str:
        """Give a part of the path by its name in the table."""
        return self.params[name]

    def of(self, *more: str) -> Call:
        """Give the call with its key for a request that also said `more`."""
        return replace(self, key=self.key.of(*more)) if self.key else self

    async def read(self, work: Callable[[Tx], str]) -> Answer:
        """Answer with what a transaction function reads."""
        return Answer(await self.rooms.store.read(work))

    async def write(self, work: Callable[[Tx], str]) -> Answer:
        """Answer with what a transaction function writes, once for an Idempotency-Key."""
        return Answer((await self.rooms.store.write(once(self.project, self.key, self.now, work))).text)

    async def index(self, work: Callable[[Tx], str]) -> Answer:
        """Answer likewise, where work may put files into vector stores or take them out."""
        answer = await self.write(work)
        self.rooms.indexing.wake()
        return answer


@dataclass(frozen=True, slots=True)
class Route:
    """An operation: `answer(call, body)`; `body` says what its request must be, None that it has none to read."""

    method: str
    path: str
    answer: Callable[[Call, Any], Awaitable[Reply]]
    body: type[BaseModel] | None = None
    form: bool = False
    """Whether it comes as a form with a file, which `answer` reads."""

    @property
    def operation(self) -> str:
        """What it is called where operations are counted."""
        return f"{self.method} /{self.path}"


def poll_after_ms(age_s: int) -> int:
    """Say how soon a client should look again at something under way: the later, the older it is."""
    return min(_LATEST_MS, SOONEST_MS + 10 * max(0, age_s))
