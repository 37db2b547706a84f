"""What the execution of runs needs of its engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from toolkit.engine.code.interpreting import Interpreting
from toolkit.engine.filing import Filing
from toolkit.engine.meter import Meter
from toolkit.engine.routing import Models
from toolkit.engine.search.retrieving import Retriever
from toolkit.engine.store import Store
from toolkit.engine.tokens import Scale

__all__ = ["Rooms"]


@dataclass(frozen=True, slots=True)
class Rooms:
    """The parts of an engine that a run meets."""

    store: Store
    filing: Filing
    models: Models
    clock: Callable[[], float]
    meter: Meter
    context_tokens: int | None
    max_turns: int
    """How often a run may ask for tools."""
    interpreting: Interpreting
    retriever: Retriever = field(default_factory=Retriever)
    scale: Scale = field(default_factory=Scale)
    """What the models' tokens have been seen to hold."""
