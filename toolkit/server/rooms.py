"""What the HTTP layer is handed: the parts of an engine that requests are carried out with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from toolkit.engine.execute import Execution
from toolkit.engine.filing import Filing
from toolkit.engine.indexing import Indexing
from toolkit.engine.search.retrieving import Retriever
from toolkit.engine.store import Store
from toolkit.server.metrics import Metrics
from toolkit.server.origins import Origins

__all__ = ["Names", "Rooms"]


class Names(Protocol):
    """Knows the names of the models that can be asked for."""

    async def names(self) -> Sequence[str]:
        """List them."""
        ...


@dataclass(frozen=True, slots=True)
class Rooms:
    """The parts of one engine."""

    store: Store
    filing: Filing
    indexing: Indexing
    retriever: Retriever
    execution: Execution
    models: Names
    keys: Mapping[bytes, str]
    """Digest of an API key -> project; the store may have more."""
    origins: Origins
    """Which web pages may come in, and under which names."""
    unknown_fields: Literal["refuse", "warn"]
    """What to do with request fields that the API does not know."""
    metrics: Metrics
    """Where requests are counted; the same one counts the engine's runs and model calls."""
