"""A Python value becomes text for the model."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Output"]


@dataclass(frozen=True, slots=True)
class Output:
    """What the model is told of a call: `content` is text (JSON for values, strings as they are), `ok` whether it worked."""

    content: str
    ok: bool = True
