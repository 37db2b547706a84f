"""How well answers are found: where the first result stands that has half of the answer, or more."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from tests.benchmarks.search.index import Piece
from tests.benchmarks.search.questions import Question

__all__ = ["Measured", "Search", "apart", "gain", "interval", "measured", "place"]

Search = Callable[[str], Sequence[Piece]]
"""Give what answers a question, the best first."""

_RESULTS: Final = 20
"""As many as a run of the Assistants API gives to its model."""
_WORTH: Final = 0.2
"""Of a chunk that overlaps with better ones, less than this part is not shown."""
_RESAMPLED: Final = 2000


@dataclass(frozen=True, slots=True)
class Measured:
    """Recall among the first five, mean reciprocal rank, and discounted gain among the first ten."""

    recall_5: float
    mrr: float
    ndcg_10: float


def measured(places: Sequence[int]) -> Measured:
    """Sum up where the answers were found: 1 is the first place, 0 nowhere. A question has one answer."""
    return Measured(
        fmean(0 < place <= 5 for place in places),
        fmean(1 / place if place else 0 for place in places),
        fmean(gain(place) for place in places),
    )


def gain(place: int) -> float:
    """Give the discounted gain of one answer among ten."""
    return 1 / math.log2(1 + place) if 0 < place <= 10 else 0.0


def place(question: Question, results: Sequence[Piece]) -> int:
    """Find the place of the answer among results; 0 when it is not there."""
    size = question.end - question.start
    for number, piece in enumerate(results, 1):
        shared = min(piece.end, question.end) - max(piece.start, question.start)
        if piece.page == question.page and shared * 2 >= size:
            return number
    return 0


def apart(ranked: Sequence[Piece]) -> Sequence[Piece]:
    """Leave out of each chunk what better ones of its page say, as the engine does, and take the first results."""
    taken: list[Piece] = []
    for piece in ranked:
        start, end = piece.start, piece.end
        for better in taken:
            if better.page != piece.page:
                continue
            if better.start <= start < better.end:
                start = min(better.end, end)
            if better.start < end <= better.end:
                end = max(better.start, start)
        if end - start > (piece.end - piece.start) * _WORTH:
            taken.append(Piece(piece.page, start, end, piece.text))
        if len(taken) == _RESULTS:
            break
    return taken


def interval(ours: Sequence[int], others: Sequence[int]) -> tuple[float, float, float]:
    """Give how much more gain ours has, and between which bounds that is in 95 of 100 samples of the questions."""
    more = [gain(our) - gain(other) for our, other in zip(ours, others, strict=True)]
    drawn = random.Random(0)
    means = sorted(fmean(drawn.choices(more, k=len(more))) for _ in range(_RESAMPLED))
    return fmean(more), means[_RESAMPLED // 40], means[-_RESAMPLED // 40]
