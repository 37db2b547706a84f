"""What rankings are made of, with values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from math import log

import numpy as np
import pytest

from tests.benchmarks.search.index import Index
from tests.benchmarks.search.offline import grams, latent
from tests.benchmarks.search.questions import Collection, Page
from tests.benchmarks.search.scoring import best_first, bm25, cosines, fused, keywords, mixed, near

TEXTS = ("roses are pruned in spring, roses!", "spring roses", "a car needs oil", "the automobile needs oil")


@pytest.fixture
def index() -> Iterator[Index]:
    with closing(indexed(*TEXTS)) as made:
        yield made


def indexed(*texts: str) -> Index:
    return Index(Collection("garden", [Page(f"{number}.txt", text) for number, text in enumerate(texts)], []))


def test_keywords(index: Index) -> None:
    scores = keywords(index, lambda times: times / (times + 1))
    roses, tulips = log(1 + 5 / 3), log(1 + 5 / 1)
    assert scores("Roses?") == pytest.approx([2 / 3, 1 / 2, 0, 0])
    share = roses / (roses + tulips)
    assert scores("roses tulips") == pytest.approx([2 / 3 * share, 1 / 2 * share, 0, 0])
    assert scores("?!") == pytest.approx([0, 0, 0, 0])
    assert [piece.page for piece in best_first(index, scores)("rose")] == ["0.txt", "1.txt"]


def test_bm25_is_of_fts5(index: Index) -> None:
    scored = bm25(index)("pruning cars")
    assert scored[0] > 0
    assert scored[2] > 0
    assert [scored[1], scored[3]] == [0, 0]
    assert bm25(index)("?!") == pytest.approx([0, 0, 0, 0])


def test_cosines_and_what_both_say(index: Index) -> None:
    rows = np.array([[1, 0], [0.6, 0.8], [0, 1], [-1, 0]], np.float32)
    cosine = cosines(rows, lambda _: np.array([1, 0], np.float32), 0.2)
    assert cosine("any") == pytest.approx([1, 0.5, 0, 0], abs=1e-6)
    words = keywords(index, lambda _: 1.0)
    assert mixed(words, cosine, 0.25)("oil") == pytest.approx([0.25, 0.125, 0.75, 0.75], abs=1e-6)
    assert fused(words, cosine, 9)("roses") == pytest.approx([0.2, 2 / 11, 0, 0])


def test_neighbours(index: Index) -> None:
    scores = near(index, keywords(index, lambda _: 1.0), 0.5)
    assert scores("spring roses") == pytest.approx([1, 1, 0, 0])
    assert scores("roses pruned")[0] == 0.75, "with a word between"
    assert scores("roses") == pytest.approx([1, 1, 0, 0])


def test_vectors_of_letters_find_words_that_look_alike(index: Index) -> None:
    rows, vector = grams(index)
    assert int(np.argmax(cosines(rows, vector)("automobiles"))) == 3


def test_latent_vectors_find_words_that_stand_among_the_same() -> None:
    with closing(
        indexed(
            "car oil wheel", "automobile oil wheel", "car engine", "automobile engine", "spring rose", "rose spring"
        )
    ) as index:
        rows, vector = latent(index, 2)
        scored = cosines(rows, vector)("car")
        assert min(scored[:4]) > 0.9, "though two have another word for it"
        assert max(scored[4:]) < 0.1
