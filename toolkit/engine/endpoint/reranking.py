"""How well passages answer a question, from an endpoint's `/rerank`.

It has no one owner: Cohere, Jina, Voyage, vLLM, Infinity and llama.cpp take `documents` and answer with `results` (or
`data`), each with `index` and `relevance_score`; Hugging Face's server takes `texts` and answers a bare list, with
`score`. Some give logits, which are brought between 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, cast

from toolkit.engine.endpoint.model import Endpoint
from toolkit.engine.model import ModelError

__all__ = ["Reranking"]

_TIMEOUT_S: Final = 30.0


class Reranking:
    """The reranking models of an endpoint, as the engine asks for them (`toolkit.engine.search.embedder.Reranker`)."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._name = "documents"
        """What the server calls the passages."""

    async def rerank(self, model: str, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Give each text's score, from 0 to 1. Raises ModelError."""
        try:
            answer = await self._ask(model, question, texts)
        except ModelError as error:
            if error.retry or self._name == "texts" or "texts" not in error.message:
                raise
            self._name = "texts"
            answer = await self._ask(model, question, texts)
        return _scores_in(answer, len(texts))

    async def _ask(self, model: str, question: str, texts: Sequence[str]) -> Any:
        body = {"model": model, "query": question, self._name: texts}
        return await self._endpoint.ask("rerank", body, _TIMEOUT_S)

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        await self._endpoint.aclose()


def _scores_in(answer: Any, count: int) -> Sequence[float]:
    """Find the scores in an answer, in the order of the texts. Raises ModelError."""
    told = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {"results": answer}
    said: Any = told.get("results", told.get("data"))
    listed: list[Any] = said if isinstance(said, list) else []  # pyright: ignore[reportUnknownVariableType]
    scores: dict[int, float] = {}
    for each in listed:
        if isinstance(each, dict):
            result = cast("dict[str, Any]", each)
            index, score = result.get("index"), result.get("relevance_score", result.get("score"))
            if isinstance(index, int) and isinstance(score, int | float) and math.isfinite(score):
                scores[index] = score
    if scores.keys() != set(range(count)):
        raise ModelError(f"The reranking model answered {count} texts without a score for each.")
    ordered = [scores[index] for index in range(count)]
    if all(0 <= score <= 1 for score in ordered):
        return ordered
    return [1 / (1 + math.exp(-max(-500.0, min(500.0, score)))) for score in ordered]
