"""A call that the model asks for, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from toolkit.errors import Retry
from toolkit.tools.output import Output

__all__ = ["Around", "Call", "CallListener", "FinishedCall"]


@dataclass(frozen=True, slots=True)
class Call:
    """One function call that the model asks for; `arguments` is its JSON text, not yet checked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call and what came of it, as the app sees it (`result.calls`)."""

    call: Call
    output: Output
    """What the model was told."""
    error: BaseException | None = None
    """What was raised, when something was; its text is hidden from the model unless it is a ToolError or Retry."""
    seconds: float = 0.0

    @property
    def asked_again(self) -> bool:
        """Whether the tool raised Retry: each such call takes one from the tool's `retries_left` of the next turn."""
        return isinstance(self.error, Retry)


class CallListener(Protocol):
    """Hears of each call where it is made, in its thread or task: right before the function, and right behind it.

    What it raises ends the turn: a call that could not be told of is not made.
    """

    def started(self, call: Call) -> None:
        """Hear that a function is about to be called; it is not when this raises."""
        ...

    def finished(self, finished: FinishedCall) -> None:
        """Hear what came of it, also when nobody waits for it any more."""
        ...


Around = Callable[[Call], AbstractContextManager[Callable[[FinishedCall], object]]]
"""Makes what is entered before a call is made, in its thread or task, told what came of it, and left behind it.

So that it may set context variables for the function. It must neither block nor raise.
"""
