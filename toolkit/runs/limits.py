"""How far a run may go before we end it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from toolkit.errors import DefinitionError
from toolkit.tools.calls import Call, FinishedCall

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bound a run; whichever limit comes first cancels it and raises `LimitReached`. None lifts a limit.

    >>> Limits(turns=10, seconds=60)
    Limits(turns=10, seconds=60, calls=200, retries=3)

    Raises `DefinitionError` for a value that cannot be a limit.
    """

    turns: int | None = 50
    """How many times the model may ask for tools."""
    seconds: float | None = 600.0
    """Wall time of the whole run, waiting and tools included."""
    calls: int | None = 200
    """How many function calls the run may make in all."""
    retries: int = 3
    """How often each tool may raise `Retry` and be called again."""

    def __post_init__(self) -> None:
        for name in ("turns", "calls", "retries"):
            value: object = getattr(self, name)
            least = 0 if name == "retries" else 1
            if value is None and name != "retries":
                continue
            if type(value) is not int or value < least:
                none = "" if name == "retries" else ", or None for no limit"
                raise DefinitionError(f"Limits({name}={value!r}): give a whole number from {least}{none}")
        seconds: object = self.seconds
        if seconds is not None and (type(seconds) not in (int, float) or not 0 < self.seconds < math.inf):  # type: ignore[operator]  # a number here
            raise DefinitionError(f"Limits(seconds={seconds!r}): give a number above 0, or None for no limit")

    def reached(self, turns: int, calls: int) -> str | None:
        """Name the limit that forbids having made so many turns and calls, if one does."""
        if self.turns is not None and turns > self.turns:
            return "turns"
        if self.calls is not None and calls > self.calls:
            return "calls"
        return None

    def retries_left(self, calls: Iterable[Call], finished: Iterable[FinishedCall]) -> Mapping[str, int]:
        """Count, for each tool now called, how often it may still ask to be called again."""
        left = {call.name: self.retries for call in calls}
        for one in finished:
            if one.call.name in left and one.asked_again:
                left[one.call.name] -= 1
        return {name: max(count, 0) for name, count in left.items()}
