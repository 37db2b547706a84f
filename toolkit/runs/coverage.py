"""A run whose assistant has functions that the toolset lacks is not gone on with.

The run itself tells which functions it may ask for, as soon as it is made and before its model says anything. So this
costs no request, and is held against exactly what this run has.
"""

from __future__ import annotations

from typing import Literal

from toolkit.errors import ToolsMissing
from toolkit.runs.effects import Effect, Json, Request
from toolkit.runs.hosts import Host
from toolkit.tools.toolset import Toolset

__all__ = ["Coverage", "Missing"]

Missing = Literal["raise", "tell"]
"""What becomes of functions that the toolset lacks: an exception, or a text for the model that calls one."""


class Coverage:
    """Looks at a run when it is first seen."""

    def __init__(self, host: Host, toolset: Toolset, missing: Missing) -> None:
        self._host = host
        self._toolset = toolset
        self.is_due = missing == "raise"
        """Whether no run was looked at yet."""

    def foresee(self, effect: Effect) -> None:
        """Look, before the first effect, at a run that is our own to make. Raises ToolsMissing, with nothing sent."""
        run = self._host.run or (effect.run if isinstance(effect, Request) else None)
        if run is not None and self._host.functions(run):  # else the server may know of some
            self.look(run)

    def look(self, run: Json) -> None:
        """Raise ToolsMissing when the toolset does not cover the run's functions."""
        if not self.is_due:
            return
        self.is_due = False
        names = [name for name in self._host.functions(run) if self._toolset.find(name) is None]
        if names:
            raise ToolsMissing(
                f"The assistant has functions that the toolset lacks: {', '.join(names)}. Add them to the toolset, "
                'take them off the assistant, or have the model told: missing="tell".',
                names=names,
            )
