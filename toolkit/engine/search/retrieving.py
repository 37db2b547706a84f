"""A search from its question to its passages: what the question means is asked of a model, then the index is read.

Reading is one transaction on a thread of the store's; models are asked before it and after it. A model that does not
answer is done without: what is found by words is found all the same.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from toolkit.engine.model import ModelError
from toolkit.engine.search.embedder import Embedder, Meaning, Reranker
from toolkit.engine.search.searching import Hit, Nearness, Question, hits
from toolkit.engine.store import Row, Tx

__all__ = ["Retriever"]

_log = logging.getLogger("toolkit.engine")

T = TypeVar("T")
_Found = Sequence[Hit] | None

_PATIENCE_S: Final = 10.0
"""How long a search waits for a model."""
_REST_S: Final = 30.0
"""How long searches do without a model that did not answer."""
_RERANKED: Final = 50
"""How many passages a reranking model reads, at most."""


class _Read(Protocol):
    """`Store.read`, or what waits for a store in trouble."""

    async def __call__(self, work: Callable[[Tx], T], /) -> T: ...


class Retriever:
    """Finds passages in vector stores, by words, and with models for it by what they are about too."""

    def __init__(
        self,
        embedder: Embedder | None = None,
        nearness: Nearness | None = None,
        reranker: Reranker | None = None,
        reranking_model: str = "",
    ) -> None:
        self._embedder, self._nearness = embedder, nearness
        self._reranker, self._reranking_model = reranker, reranking_model
        self._rests: dict[str, float] = {}
        """Model -> until when it is done without."""

    async def find(
        self, read: _Read, stores: Callable[[Tx], Sequence[Row]], queries: Sequence[str], filter_: Any, most: int
    ) -> Sequence[Hit]:
        """Give the passages of some stores that answer any of the queries best, the best first."""
        wanted = most if self._reranker is None else max(most, _RERANKED)
        asked: frozenset[int] = frozenset()
        while True:
            models = await read(lambda tx: _models(tx, stores(tx))) if self._nearness is not None else ()
            asked |= {model["seq"] for model in models}
            questions = await self._understood(models, queries)

            def work(tx: Tx, asked: frozenset[int] = asked, questions: Sequence[Question] = questions) -> _Found:
                there = stores(tx)
                if self._nearness is not None and any(model["seq"] not in asked for model in _models(tx, there)):
                    return None  # vectors of another model have come meanwhile, perhaps in the place of these
                return hits(tx, there, questions, filter_, wanted, self._nearness)

            if (found := await read(work)) is not None:
                return (await self._reranked(queries, found))[:most]

    async def aclose(self) -> None:
        """Close the connections of this event loop to models."""
        if self._embedder is not None:
            await self._embedder.aclose()
        if self._reranker is not None:
            await self._reranker.aclose()

    async def _understood(self, models: Sequence[Row], queries: Sequence[str]) -> Sequence[Question]:
        """Have the queries' vectors made, by each model that the stores have vectors of: one, but when it changes."""
        meanings: list[list[Meaning]] = [[] for _ in queries]
        embedder, nearness = self._embedder, self._nearness
        if embedder is not None and nearness is not None:
            for model in models:
                vectors = await self._asked(model["name"], partial(embedder.embed, model["name"], queries))
                if vectors is not None and len(vectors[0]) == model["dimensions"]:
                    for each, vector in zip(meanings, vectors, strict=True):
                        each.append(Meaning(model["seq"], model["floor"], nearness.packed([vector])))
        return [Question(query, each) for query, each in zip(queries, meanings, strict=True)]

    async def _reranked(self, queries: Sequence[str], found: Sequence[Hit]) -> Sequence[Hit]:
        reranker = self._reranker
        if reranker is None or not found:
            return found
        texts, model = [hit.text for hit in found], self._reranking_model
        best = [0.0] * len(found)
        for query in queries:
            scores = await self._asked(model, partial(reranker.rerank, model, query, texts))
            if scores is None:
                return found
            best = list(map(max, best, scores))
        ranked = [replace(hit, score=round(score, 4)) for hit, score in zip(found, best, strict=True)]
        return sorted(ranked, key=lambda hit: -hit.score)

    async def _asked(self, model: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Ask a model; None when it does not answer in time, or did not a moment ago."""
        if time.monotonic() < self._rests.get(model, 0.0):
            return None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await ask()
        except (ModelError, TimeoutError) as error:
            why = error.code if isinstance(error, ModelError) else "too slow"
            _log.warning("searches do without the model %s for %.0f s: it does not answer (%s)", model, _REST_S, why)
            self._rests[model] = time.monotonic() + _REST_S
            return None


def _models(tx: Tx, stores: Sequence[Row]) -> Sequence[Row]:
    found = {row["seq"]: row for store in stores for row in tx.all("embedder.of_store", store=store["seq"])}
    return list(found.values())
