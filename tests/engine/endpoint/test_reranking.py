"""Scores from servers of every kind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.engine.endpoint.listener import Answering, Asked, refusal, serving
from tests.engine.endpoint.test_embeddings import said
from toolkit.engine.endpoint.reranking import Reranking
from toolkit.engine.model import ModelError


def rerank(answering: Answering, *texts: str, times: int = 1) -> tuple[list[float], list[Asked]]:
    async def main() -> tuple[list[float], list[Asked]]:
        async with serving(answering) as (server, endpoint):
            reranking = Reranking(endpoint)
            for _ in range(times):
                scores = list(await reranking.rerank("m", "which?", texts))
            return scores, server.asked

    return asyncio.run(main())


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}]},  # Cohere, vLLM
        {"object": "list", "data": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}]},
        [{"index": 1, "score": 0.9, "text": "b"}, {"index": 0, "score": 0.25, "text": "a"}],  # Hugging Face
    ],
)
def test_scores_come_in_the_order_of_the_texts(answer: Any) -> None:
    scores, [asked] = rerank(lambda asked: said(answer), "a", "b")
    assert scores == [0.25, 0.9]
    assert asked.line == "POST /v1/rerank HTTP/1.1"
    assert asked.body == {"model": "m", "query": "which?", "documents": ["a", "b"]}


def test_logits_are_brought_between_0_and_1() -> None:
    results = [{"index": 0, "relevance_score": -9000}, {"index": 1, "relevance_score": 0}]
    results.append({"index": 2, "relevance_score": 3.2})
    scores, _ = rerank(lambda asked: said({"results": results}), "a", "b", "c")
    assert scores == pytest.approx([0, 0.5, 0.96083], abs=1e-5)


def test_a_server_that_calls_them_texts() -> None:
    def answer(asked: Asked) -> Any:
        if "texts" not in asked.body:
            return refusal(422, {"error": "Failed to deserialize: missing field `texts` at line 1 column 3"})
        return said([{"index": 0, "score": 0.5}])

    scores, asked = rerank(answer, "a", times=2)
    assert scores == [0.5]
    assert ["texts" in each.body for each in asked] == [False, True, True]


@pytest.mark.parametrize(
    "answer",
    [
        {"results": []},
        {"results": [{"index": 0, "relevance_score": 1}]},
        {"results": [{"index": 0}, {"index": 1}]},
        {"results": "no"},
        {},
        None,
    ],
)
def test_answers_without_scores(answer: Any) -> None:
    with pytest.raises(ModelError, match="answered 2 texts without a score for each"):
        rerank(lambda asked: said(answer), "a", "b")


def test_refusals_are_told() -> None:
    with pytest.raises(ModelError, match=r"was not found \(404\)"):
        rerank(lambda asked: refusal(404), "a")
