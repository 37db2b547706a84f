"""What the toolsets that a tool goes through lay down for its calls, beside what `@tool` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from toolkit.tools.context import RunContext
from toolkit.tools.output import MAX_OUTPUT_BYTES

__all__ = ["Filter", "Guard", "Lane", "Terms"]

Filter = Callable[[RunContext[Any]], bool]
"""Says whether a run may see the tool; the context has no call yet."""
Guard = Callable[[RunContext[Any], Mapping[str, Any]], object]
"""Looks at a call before it is made: its context, and the checked arguments by name."""


class Lane:
    """The tools of one toolset with a `concurrency`: at most so many of their calls of one turn run at a time."""

    __slots__ = ("most",)

    def __init__(self, most: int) -> None:
        self.most = most


class Terms(NamedTuple):
    """How a tool is called, under whatever name. (A named tuple: a dataclass makes defining a tool dearer.)"""

    max_output_bytes: int = MAX_OUTPUT_BYTES
    lane: Lane | None = None
    filters: tuple[Filter, ...] = ()
    guards: tuple[Guard, ...] = ()
