"""What lines of the log are about: ids that travel with the work, so that no line has to name them all.

A request says once that it is `about(request_id=...)`, a run that it is `about(run_id=...)`; tasks inherit it. Whoever
writes the lines out (`toolkit/cli/logs.py`, or an application's own formatter) asks for `ids()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

__all__ = ["about", "ids"]

_IDS: Final[ContextVar[Mapping[str, str]]] = ContextVar("toolkit_log_ids")
_NONE: Final[Mapping[str, str]] = {}


def about(**more: str) -> None:
    """Say what the present task works on, beside what was said before: ids, never content."""
    _IDS.set({**_IDS.get(_NONE), **more})


def ids() -> Mapping[str, str]:
    """Give the ids of what the present task works on, by name."""
    return _IDS.get(_NONE)
