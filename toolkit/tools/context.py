"""What a tool may know of the call it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["RunContext"]

Deps = TypeVar("Deps")


@dataclass(frozen=True, slots=True)
class RunContext(Generic[Deps]):
    """Hand a tool what the model must not see: a parameter annotated `RunContext[Deps]` is filled in by the run."""

    deps: Deps
    """The object given as `run(..., deps=...)`: connections, the user, settings."""
    call_id: str
    """Id of this call, the same when the call is repeated: a key for work that must not be done twice."""
    tool: str
    """Name under which the model called."""
    run_id: str
    thread_id: str
