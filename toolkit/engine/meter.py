"""The seam to whoever counts: what the engine tells of its work, in numbers and states, never in content."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Meter", "Silent"]


class Meter(Protocol):
    """Counts what happens to runs and model calls. Called on the engine's event loop; must neither block nor raise."""

    def run_ended(self, status: str, seconds: float) -> None:
        """Count a run that is over, `seconds` after it was created."""
        ...

    def model_answered(self, seconds: float) -> None:
        """Count a model call that came whole."""
        ...

    def model_failed(self, code: str, *, again: bool) -> None:
        """Count a model call that did not; `again` says that it is made once more."""
        ...


class Silent:
    """A `Meter` for nobody."""

    def run_ended(self, status: str, seconds: float) -> None:
        """Count nothing."""

    def model_answered(self, seconds: float) -> None:
        """Count nothing."""

    def model_failed(self, code: str, *, again: bool) -> None:
        """Count nothing."""
