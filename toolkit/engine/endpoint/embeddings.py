"""Vectors of texts, from an endpoint's `/embeddings`.

Servers take a few texts at once or thousands, and texts of 512 tokens or 8,000; few say so beforehand. What is refused
is sent again in halves, lists of texts as well as texts that are too long, and the number that was taken is remembered.
The vector of a text that had to be cut is the mean of its pieces' vectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, cast

from toolkit.engine.endpoint.model import Endpoint
from toolkit.engine.model import ContextExceeded, ModelError

__all__ = ["Embeddings"]

_TEXTS: Final = 64
"""How many texts are sent at once, until a server takes fewer."""
_SHORTEST: Final = 64
"""Characters of a text that is not cut any further."""
_TIMEOUT_S: Final = 120.0


class Embeddings:
    """The embedding models of an endpoint, as the engine asks for them (`toolkit.engine.search.embedder.Embedder`)."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._most = _TEXTS

    async def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Give each text's vector, all of one length. Raises ModelError."""
        vectors: list[Sequence[float]] = []
        while len(vectors) < len(texts):
            some = texts[len(vectors) : len(vectors) + self._most]
            vectors += await self._some(model, some)
        return vectors

    async def _some(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        try:
            answer = await self._endpoint.ask(
                "embeddings", {"model": model, "input": [text if text.strip() else "." for text in texts]}, _TIMEOUT_S
            )
        except ModelError as error:
            if error.retry:
                raise
            if len(texts) > 1:
                half = len(texts) // 2
                halves = [await self._some(model, texts[:half]), await self._some(model, texts[half:])]
                self._most = min(self._most, len(texts) - half)
                return [vector for each in halves for vector in each]
            if not isinstance(error, ContextExceeded) or len(texts[0]) <= _SHORTEST:
                raise
            middle = len(texts[0]) // 2
            pieces = await self.embed(model, [texts[0][:middle], texts[0][middle:]])
            return [[sum(numbers) / len(pieces) for numbers in zip(*pieces, strict=True)]]
        return _vectors_in(answer, len(texts))

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        await self._endpoint.aclose()


def _vectors_in(answer: Any, count: int) -> Sequence[Sequence[float]]:
    """Find the vectors in an answer, in the order of the texts. Raises ModelError."""
    said: Any = cast("dict[str, Any]", answer).get("data") if isinstance(answer, dict) else answer
    listed: list[Any] = said if isinstance(said, list) else []  # pyright: ignore[reportUnknownVariableType]
    objects: list[dict[str, Any]] = [each for each in listed if isinstance(each, dict)]
    if all(isinstance(each.get("index"), int) for each in objects):
        objects.sort(key=lambda each: each["index"])
    vectors: list[Any] = [each.get("embedding") for each in objects]
    if len(vectors) != count or not all(map(_is_vector, vectors)) or len({len(vector) for vector in vectors}) != 1:
        raise ModelError(f"The embedding model answered {count} texts without a vector for each, of one length.")
    return cast("list[list[float]]", vectors)


def _is_vector(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    numbers: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
    return all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
