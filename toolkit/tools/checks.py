"""What is checked of a tool where it is defined, at once, since it is cheap to see: its name and its time-out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from toolkit.errors import DefinitionError
from toolkit.tools.kinds import innermost

__all__ = ["NAME", "checked_name", "checked_timeout"]

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""FunctionObject.name of the API reference."""


def checked_name(function: Callable[..., object], name: object) -> str:
    """Give the name, the function's own where None was given. Raises DefinitionError for one that cannot be."""
    if name is None:
        inner = innermost(function)
        name = str(getattr(inner, "__name__", type(inner).__name__))
        if name == "<lambda>":
            raise DefinitionError('a lambda has no name that a model could call: write tool(name="...")(lambda ...)')
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise DefinitionError(
            f"{name!r} cannot be a tool's name: use 1 to 64 of A-Z a-z 0-9 _ -, or give another, @tool(name=...)"
        )
    return name


def checked_timeout(name: str, timeout_s: object) -> float | None:
    """Give the time-out as it is. Raises DefinitionError for one that cannot be; `name` says whose it is."""
    if timeout_s is None or (isinstance(timeout_s, int | float) and 0 < timeout_s < math.inf):
        return timeout_s
    raise DefinitionError(f"{name}: timeout_s={timeout_s!r} must be more than 0 seconds, or None for no time-out")
