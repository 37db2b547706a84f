"""A model that says exactly what a test tells it to: a real implementation of the engine's Model seam."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from toolkit.engine.model import Delta, ModelError, ModelRequest
from toolkit.testing.turns import Turn, deltas

__all__ = ["Asked", "Says", "ScriptedModel"]


class Asked:
    """What the model was sent when it was asked, read from its JSON when it is first looked at."""

    def __init__(self, request: ModelRequest) -> None:
        self.request = request
        """As the model got it."""

    def __repr__(self) -> str:
        return f"<Asked {self.model}: {len(self.request.messages)} messages, the last {self.last}>"

    @property
    def model(self) -> str:
        """The model's name."""
        return self.request.model

    @property
    def options(self) -> Mapping[str, Any]:
        """Temperature, tool_choice and whatever else the run says."""
        return self.request.options

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The chat, oldest first, instructions as its system message."""
        return [json.loads(message) for message in self.request.messages]

    @cached_property
    def tools(self) -> list[str]:
        """Names of the functions that the model may call."""
        return [tool["function"]["name"] for tool in json.loads(self.request.tools or "[]")]

    @property
    def text(self) -> str:
        """The last message's text: what the user said, or what a tool gave."""
        content: Any = self.messages[-1].get("content") if self.messages else ""
        return content if isinstance(content, str) else json.dumps(content)

    @property
    def outputs(self) -> list[str]:
        """What the tools gave that were called in the turn before, in the order of the calls."""
        found: list[str] = []
        for message in reversed(self.messages):
            if message["role"] != "tool":
                break
            found.insert(0, message["content"])
        return found

    @property
    def last(self) -> str:
        """The last message in a few words, for people."""
        role = self.messages[-1]["role"] if self.messages else "nobody"
        return f"{role}: {self.text[:200]!r}"


Says = Turn | Callable[[Asked], Turn]
"""A turn, or a function that makes one of what the model is asked; what it raises fails the run, and the test."""


class ScriptedModel:
    """Says its turns one after the other, whoever asks.

        model = ScriptedModel(call("get_weather", city="Seoul"), "It is sunny in Seoul.")
        engine = Engine("sqlite:///:memory:", model=model)

    A turn is a text or a call, or a list of what happens: pieces of text as they are streamed, parallel calls, seconds
    to wait, a `ModelError` to raise. A function is given what the model was `Asked` and returns the turn; the last one
    is asked again for ever. When the turns have run out, or a function raises, the run fails and says why, and so does
    `assert_played`.
    """

    def __init__(self, *says: Says) -> None:
        self.asked: list[Asked] = []
        """What the model was sent, each time."""
        self.aborted = 0
        """How many turns were broken off by whoever listened."""
        self.wrong: list[str] = []
        """What went otherwise than scripted."""
        self._says: list[Says] = list(says)
        self._next = 0
        self._lock = threading.Lock()  # an engine that is served and used in process asks from two loops

    def add(self, *says: Says) -> None:
        """Add turns behind those there are."""
        self._says += says

    @property
    def left(self) -> int:
        """How many turns nobody has asked for yet; a function at the end is not counted once it was asked."""
        return len(self._says) - self._next

    def assert_played(self) -> None:
        """Raise AssertionError if anything went otherwise than scripted, or turns are left that nobody asked for."""
        wrong = list(self.wrong)
        if self.left:
            shown = ", ".join(repr(one) for one in self._says[self._next :][:3])
            wrong.append(f"{self.left} of {len(self._says)} turns were not asked for. The next: {shown:.500}")
        if wrong:
            raise AssertionError("\n".join(wrong))

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        """Say the next turn. Raises ModelError where the script does, and where it has run out."""
        asked = Asked(request)
        turn = self._turn(asked)
        try:
            for step in deltas(turn):
                if isinstance(step, ModelError):
                    raise step
                if isinstance(step, float | int):
                    await asyncio.sleep(step)
                else:
                    yield step
        except (asyncio.CancelledError, GeneratorExit):
            self.aborted += 1
            raise

    async def names(self) -> Sequence[str]:
        """Give the one name to ask for; any other does as well."""
        return ["scripted"]

    async def aclose(self) -> None:
        """Do nothing: there is nothing to close."""

    def _turn(self, asked: Asked) -> Turn:
        with self._lock:
            self.asked.append(asked)
            number, place = len(self.asked), self._next
            is_over = place >= len(self._says)
            if is_over and self._says and callable(self._says[-1]):
                is_over, place = False, len(self._says) - 1
            self._next = min(place + 1, len(self._says))
        if is_over:
            raise self._failed(
                f"The ScriptedModel was asked a {_nth(number)} time and has {len(self._says)} turns; the last message "
                f"was from {asked.last}. Add a turn, or find out why the model is asked again."
            )
        says = self._says[place]
        if not callable(says):
            return says
        try:
            return says(asked)
        except ModelError:
            raise
        except Exception as error:
            text = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise self._failed(f"When the ScriptedModel was asked the {_nth(number)} time: {text}") from error

    def _failed(self, text: str) -> ModelError:
        self.wrong.append(text)
        return ModelError(text)


def _nth(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number if number < 20 else number % 10, 'th') }"
