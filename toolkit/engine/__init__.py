"""The Assistants API itself, in this process: `Engine("sqlite:///assistants.db").client()` is an `openai.OpenAI`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.engine.compose import Engine

__all__ = ["Engine"]


def __getattr__(name: str) -> Any:
    """Import the engine when it is first asked for (PEP 562): its rooms import one another from below it."""
    if name != "Engine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from toolkit.engine.compose import Engine

    return Engine
