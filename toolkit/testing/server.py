"""A whole Assistants server in this process whose model is scripted, and which fails where it is told to."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from toolkit.engine import Engine
from toolkit.testing.faults import Faults, Faulty, kind_of
from toolkit.testing.links import Exchange, Sent, linked
from toolkit.testing.scripted import Says, ScriptedModel
from toolkit.tools.toolset import Toolset

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

__all__ = ["ScriptedServer", "Seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that a client has sent."""

    kind: str
    """One of `faults.KINDS`, or `other`."""
    fault: str
    """The word for what happened to it, `ok` for most."""
    sent: Sent


class ScriptedServer:
    """The engine with a scripted model, behind a transport that fails as it is told.

        with ScriptedServer(call("get_weather", city="Seoul"), "Sunny.", faults={"submit": "500-done drop"}) as server:
            result = run(server.client(), tools, assistant_id=server.assistant(tools), input="Weather?")

    `faults` has words for each kind of request (`create`, `submit`, `cancel`, `read`, ...), one a request, in order;
    `toolkit.testing.faults` lists both. Everything else is the engine's own: what it accepts, keeps and refuses. There
    is no port, and nothing waits: runs expire when the clock is told so. `settings` are those of `Engine`.
    """

    def __init__(self, *says: Says, faults: Mapping[str, str] | None = None, **settings: Any) -> None:
        self.model = ScriptedModel(*says)
        """The model, for what it was `asked`."""
        self.seen: list[Seen] = []
        """The requests of all clients, in order."""
        self._faults = Faults(faults or {})
        self._late_s = 0.0
        self._expires_s: float = settings.get("run_expires_s", 600)
        settings = {"store": "sqlite:///:memory:", "model": self.model, "clock": self._clock, **settings}
        self.engine = Engine(**settings)
        """The engine behind it; its own `client()` meets no faults."""

    def client(self, **options: Any) -> OpenAI:
        """Make an `openai.OpenAI` that meets the faults. `options` are those of `OpenAI(...)`."""
        return linked(self.engine.client(**options), self._begin)

    def aclient(self, **options: Any) -> AsyncOpenAI:
        """Make an `openai.AsyncOpenAI` that meets the faults."""
        return linked(self.engine.aclient(**options), self._begin)

    def assistant(self, tools: Toolset | None = None, **settings: Any) -> str:
        """Make an assistant with these tools and give its id; no fault happens to that."""
        asked: dict[str, Any] = {"model": "scripted", "tools": [] if tools is None else tools.definitions, **settings}
        with self.engine.client() as client:
            return client.beta.assistants.create(**asked).id  # pyright: ignore[reportDeprecated]

    def count(self, kind: str) -> int:
        """Count the requests of a kind."""
        return sum(one.kind == kind for one in self.seen)

    def expire(self) -> None:
        """Let the time of all runs be up."""
        self._late_s += self._expires_s + 1

    @property
    def faults_left(self) -> Mapping[str, str]:
        """The faults that have not happened."""
        return self._faults.left

    def assert_played(self) -> None:
        """Raise AssertionError unless all turns were asked for and all faults have happened."""
        self.model.assert_played()
        if self.faults_left:
            raise AssertionError(f"These faults have not happened: {dict(self.faults_left)}. Seen: {self._kinds()}")

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, sent: Sent) -> Exchange:
        kind = kind_of(sent)
        word = self._faults.next(kind)
        self.seen.append(Seen(kind, word, sent))
        return Faulty(word, self.expire)

    def _clock(self) -> float:
        return time.time() + self._late_s

    def _kinds(self) -> Sequence[str]:
        return [one.kind for one in self.seen]
