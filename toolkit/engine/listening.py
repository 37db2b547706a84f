"""Who else hears of the model calls of this process: nobody, unless somebody asks to.

One listener at most, for all engines. It is handed each model that a run is about to use, and gives one to use in its
place: itself a `Model`, that passes on what it is asked and what is said. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Final

from toolkit.engine.model import Model
from toolkit.engine.objects.runs import Run

__all__ = ["Around", "asked_by", "asks", "heard", "listen"]

Around = Callable[[Model, Run], Model]
"""Puts something around a model for one leg of a run."""

_HEADERS: Final = (b"traceparent", b"tracestate")
_ASKED: Final[ContextVar[Mapping[str, str]]] = ContextVar("toolkit_asked_by")
_NOBODY: Final[Mapping[str, str]] = {}

_around: Around | None = None


def listen(around: Around | None) -> None:
    """Let somebody hear of all model calls that begin from now on; None for nobody."""
    global _around
    _around = around


def heard(model: Model, run: Run) -> Model:
    """Give the model for whoever runs it: with the listener around it, if there is one."""
    return model if _around is None else _around(model, run)


def asks(headers: Mapping[bytes, bytes]) -> None:
    """Note where the present request comes from, for the runs it starts: their tasks inherit it."""
    if _around is not None:
        _ASKED.set({name.decode(): headers[name].decode("latin-1") for name in _HEADERS if name in headers})


def asked_by() -> Mapping[str, str]:
    """Give the W3C trace context of the request on whose behalf the present task works; empty when it had none."""
    return _ASKED.get(_NOBODY)
