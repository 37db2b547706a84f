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
    """Id of this call, the same when the call is repeated."""
    tool: str
    """Name under which the model called."""
    run_id: str
    thread_id: str

    @property
    def idempotency_key(self) -> str:
        """A key of this call alone, the same when it is made again after a crash: for work not to be done twice."""
        return f"{self.run_id}-{self.call_id}"
