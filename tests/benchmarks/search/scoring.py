"""Scores of chunks by keywords, by vectors, and by both; each is a function that gives a question's scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.search.index import Index
from tests.benchmarks.search.measures import Search, apart
from toolkit.engine.search.neighbours import neighbours, together
from toolkit.engine.search.words import wanted

__all__ = ["Scores", "best_first", "bm25", "cosines", "fused", "keywords", "mixed", "near"]

Scores = Callable[[str], NDArray[np.float64]]
"""Give a number for each chunk; 0 for one that does not answer a question at all."""

_RERANKED: Final = 40
"""How many chunks are looked at more closely."""
_RANKED: Final = 200


def best_first(index: Index, scores: Scores) -> Search:
    """Search by scores."""
    return lambda question: apart([index.pieces[number] for number in _ranking(scores(question))])


def keywords(index: Index, counts: Callable[[int], float]) -> Scores:
    """Score by the share of the question's words, each for its rareness, and as it counts that stands there n times."""
    counted = [Counter(words) for words in index.words]

    def scores(question: str) -> NDArray[np.float64]:
        scored, whole = np.zeros(len(index.pieces)), 0.0
        for word in wanted(question):
            having = index.having(word)
            weight = _weight(index, len(having))
            whole += weight
            for number in having:
                scored[number] += weight * counts(max(1, counted[number][word]))
        return scored / whole if whole else scored

    return scores


def bm25(index: Index) -> Scores:
    """Score as FTS5 does, with the constants that it has built in (k1 = 1.2, b = 0.75)."""

    def scores(question: str) -> NDArray[np.float64]:
        scored = np.zeros(len(index.pieces))
        for number, score in (index.bm25(wanted(question)) if wanted(question) else {}).items():
            scored[number] = score
        return scored

    return scores


def cosines(rows: NDArray[np.float32], vector: Callable[[str], NDArray[np.float32]], floor: float = 0.0) -> Scores:
    """Score by the cosine with the question, 0 at the floor, which is that of texts that have nothing in common."""
    return lambda question: np.maximum(0, (rows @ vector(question) - floor) / (1 - floor)).astype(np.float64)


def mixed(first: Scores, second: Scores, share: float) -> Scores:
    """Score by a mean of two, the second with this share."""
    return lambda question: (1 - share) * first(question) + share * second(question)


def fused(first: Scores, second: Scores, k: int = 60) -> Scores:
    """Score by reciprocal ranks in two rankings."""

    def scores(question: str) -> NDArray[np.float64]:
        both = first(question), second(question)
        scored = np.zeros(len(both[0]))
        for each in both:
            for rank, number in enumerate(_ranking(each), 1):
                scored[number] += 1 / (k + rank)
        return scored

    return scores


def near(index: Index, base: Scores, share: float) -> Scores:
    """Score the best chunks by the neighbours in the question that stand near each other there, too."""

    def scores(question: str) -> NDArray[np.float64]:
        scored = base(question)
        pairs = neighbours({word: _weight(index, len(index.having(word))) for word in wanted(question)})
        if not pairs:
            return scored
        reranked = np.zeros(len(scored))
        for number in _ranking(scored)[:_RERANKED]:
            reranked[number] = (1 - share) * scored[number] + share * together(index.words[number], pairs)
        return reranked

    return scores


def _ranking(scored: NDArray[np.float64]) -> Sequence[int]:
    """Give the numbers of chunks, the best first."""
    return [int(number) for number in np.argsort(-scored, kind="stable")[:_RANKED] if scored[number] > 0]


def _weight(index: Index, having: int) -> float:
    return log(1 + (len(index.pieces) + 1) / (having + 1))
