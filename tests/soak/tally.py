"""What a soak has seen: counts, and everything that should not have been."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["KINDS", "Problem", "Tally"]

KINDS = ("lost", "crossed", "doubled", "stuck", "wrong")
"""Kinds of problems: what was accepted is gone; something of another conversation is there; something is there twice;
nothing came within a minute; anything else."""


class Problem(Exception):
    """Something that should not have been, in a conversation, which ends with it."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind


@dataclass
class Tally:
    """Counts of all workers together."""

    conversations: int = 0
    requests: int = 0
    repeats: int = 0
    """Requests sent again, since they were not answered."""
    ends: Counter[str] = field(default_factory=Counter[str])
    """Runs by how they ended."""
    problems: list[Problem] = field(default_factory=list[Problem])
    killed_at: float | None = None
    """When a server was last killed, until a request that was sent after that is answered."""
    silences_s: list[float] = field(default_factory=list[float])
    """From each kill to that answer."""

    def answered(self, sent_at: float) -> None:
        """Count the answer to a request."""
        self.requests += 1
        if self.killed_at is not None and sent_at > self.killed_at:
            self.silences_s.append(time.monotonic() - self.killed_at)
            self.killed_at = None

    def count(self, kind: str) -> int:
        return sum(problem.kind == kind for problem in self.problems)

    @property
    def runs(self) -> int:
        return self.ends.total()
