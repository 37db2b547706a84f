from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.search.neighbours import neighbours, together


def test_the_words_of_a_question_are_paired_with_the_next() -> None:
    assert neighbours({"a": 1, "b": 2, "c": 4}) == {("a", "b"): 3, ("b", "c"): 6}
    assert neighbours({"a": 1}) == neighbours({}) == {}
    assert neighbours({"a": 1, "b": 2, "벡터": 4, "터검": 8, "c": 1}) == {("a", "b"): 3}


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("search engine", 1),
        ("engine search", 1),
        ("search the engine", 1 / 2),
        ("engine of our search", 1 / 3),
        ("search a b c engine d search engine", 1),
        ("search search", 0),
        ("engine", 0),
        ("", 0),
    ],
)
def test_a_pair_counts_by_how_near_its_words_stand(text: str, near: float) -> None:
    assert together(text.split(), {("search", "engine"): 8}) == pytest.approx(near)


def test_pairs_count_by_their_weights() -> None:
    pairs = {("a", "b"): 3.0, ("b", "c"): 1.0}
    assert together("a b x c".split(), pairs) == (3 + 1 / 2) / 4
    assert together("b c".split(), pairs) == 1 / 4
    assert together("c b a".split(), pairs) == 1


@given(st.lists(st.sampled_from("abcxy"), max_size=30))
def test_it_is_the_shortest_distance(words: list[str]) -> None:
    places = [(at, word) for at, word in enumerate(words) if word in "ab"]
    distances = [there - here for (here, one), (there, other) in combinations(places, 2) if one != other]
    assert together(words, {("a", "b"): 2.5}) == pytest.approx(1 / min(distances) if distances else 0)
