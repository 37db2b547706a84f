"""How near to each other a text has the words that stand side by side in a question.

`search engine` is answered better by a text with both together than by one with each somewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise

from toolkit.engine.search.words import is_spaced

__all__ = ["Pairs", "neighbours", "together"]

Pairs = Mapping[tuple[str, str], float]
"""Words that stand side by side in a question, and what they weigh."""


def neighbours(weights: Mapping[str, float]) -> Pairs:
    """Pair the words of a question, which come in its order and with their weights, each with the next.

    Of scripts without blanks none are: their words are pairs of characters, which stand side by side as it is.
    """
    return {
        (one, other): weights[one] + weights[other]
        for one, other in pairwise(weights)
        if is_spaced(one) and is_spaced(other)
    }


def together(words: Iterable[str], pairs: Pairs) -> float:
    """Give the share of the pairs that a text has, from 0 to 1: a pair counts whole where its words stand side by side,
    in any order, half with one word between them, a third with two, and so on. There must be pairs.
    """
    of_word: defaultdict[str, list[tuple[tuple[str, str], str]]] = defaultdict(list)
    for one, other in pairs:
        of_word[one].append(((one, other), other))
        of_word[other].append(((one, other), one))
    last: dict[str, int] = {}
    nearest: dict[tuple[str, str], int] = {}
    for at, word in enumerate(words):
        if word not in of_word:
            continue
        for pair, partner in of_word[word]:
            if partner in last:
                nearest[pair] = min(nearest.get(pair, at), at - last[partner])
        last[word] = at
    return sum(pairs[pair] / distance for pair, distance in nearest.items()) / sum(pairs.values())
