"""The seam to models that say what texts are about: as vectors of numbers, or by putting passages in order.

`toolkit.engine.Endpoint` is both; any object with these methods may stand in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Embedder", "Meaning", "Reranker"]


class Embedder(Protocol):
    """Makes vectors of texts; those of texts about the same thing point the same way."""

    async def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Give each text's vector, all of one length. Raises ModelError."""
        ...

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        ...


class Reranker(Protocol):
    """Says how well texts answer a question, by reading them together with it."""

    async def rerank(self, model: str, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Give each text's score, from 0 to 1. Raises ModelError."""
        ...

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        ...


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question's vector by one of the models that a vector store has vectors of."""

    embedder: int
    """The model's number in the store of the engine."""
    floor: float
    """The cosine that the model gives to texts which have nothing in common."""
    vector: bytes
    """Of length 1, as `vectors.packed` makes it."""
