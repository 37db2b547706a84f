"""The Assistants API itself, in this process: `Engine("sqlite:///assistants.db").client()` is an `openai.OpenAI`.

`Endpoint` is one model server, for an engine that uses several or one that needs headers and a query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.engine.compose import Engine
    from toolkit.engine.endpoint import Endpoint

__all__ = ["Endpoint", "Engine"]


def __getattr__(name: str) -> Any:
    """Import the engine when it is first asked for (PEP 562): its rooms import one another from below it."""
    if name == "Engine":
        from toolkit.engine.compose import Engine

        return Engine
    if name == "Endpoint":
        from toolkit.engine.endpoint import Endpoint

        return Endpoint
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
