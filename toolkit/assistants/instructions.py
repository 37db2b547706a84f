"""Instructions of several hands become one text."""

from __future__ import annotations

__all__ = ["joined"]


def joined(first: str, second: str) -> str:
    """Put a text behind another, as a paragraph of its own, unless it is there already."""
    return first if second in first else f"{first}\n\n{second}".lstrip("\n")
