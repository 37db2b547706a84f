"""The measures, with values."""

from __future__ import annotations

import pytest

from tests.benchmarks.search.index import Piece
from tests.benchmarks.search.measures import Measured, apart, interval, measured, place
from tests.benchmarks.search.questions import Question

QUESTION = Question("q", "heading", "when", "a.txt", 100, 200)


def piece(start: int, end: int, page: str = "a.txt") -> Piece:
    return Piece(page, start, end, "")


def test_measures_of_places() -> None:
    assert measured([1, 1]) == Measured(1, 1, 1)
    assert measured([0]) == Measured(0, 0, 0)
    assert measured([3, 0]) == Measured(0.5, 1 / 6, 0.25)
    assert measured([7]) == Measured(0, pytest.approx(1 / 7), pytest.approx(1 / 3))
    assert measured([11]) == Measured(0, pytest.approx(1 / 11), 0)


def test_an_answer_is_found_where_half_of_it_is() -> None:
    assert place(QUESTION, [piece(0, 149), piece(100, 200, "b.txt"), piece(0, 150)]) == 3
    assert place(QUESTION, [piece(150, 900)]) == 1
    assert place(QUESTION, [piece(151, 900)]) == 0


def test_what_better_chunks_say_is_not_shown_again() -> None:
    ranked = [piece(100, 200), piece(150, 250), piece(60, 110), piece(115, 205), piece(150, 250, "b.txt")]
    assert apart(ranked) == [piece(100, 200), piece(200, 250), piece(60, 100), piece(150, 250, "b.txt")]
    assert len(apart([piece(number, number + 1) for number in range(30)])) == 20


def test_an_interval_has_the_mean_in_it_and_is_the_same_each_time() -> None:
    ours, others = [1] * 30 + [0] * 20, [1] * 20 + [0] * 30
    more, low, high = interval(ours, others)
    assert more == 0.2
    assert 0 < low < more < high < 0.4
    assert interval(ours, others) == (more, low, high)
    assert interval(ours, ours) == (0, 0, 0)
