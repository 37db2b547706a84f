"""The table, and the engine as one of the rankings."""

from __future__ import annotations

from tests.benchmarks.search.engine import searched
from tests.benchmarks.search.measures import place
from tests.benchmarks.search.questions import Collection, Page, Question
from tests.benchmarks.search.run import BASELINE, Places, table


def test_the_engine_finds_an_answer_where_it_stands() -> None:
    text = "Tomatoes need sun.\n\nRoses are pruned in March."
    asked = Question("q", "heading", "when are roses pruned", "garden/a.txt", 20, len(text))
    with searched(Collection("garden", [Page("b.txt", "Cats purr."), Page("garden/a.txt", text)], [asked])) as search:
        [result] = search(asked.text)
        assert (result.page, result.start, result.end) == ("garden/a.txt", 0, len(text))
        found = Places()
        found.ask(search, [asked])
        assert found.places == [place(asked, [result])] == [1]


def test_the_table() -> None:
    found = {
        BASELINE: {"English": Places([1, 0], 0.004), "Korean": Places([3, 3], 0.004)},
        "vectors": {"English": Places([1, 1], 0.001)},
    }
    assert table(found) == [
        "| | English | against keywords | Korean | against keywords | CPU ms |",
        "|---|---|---|---|---|---|",
        "| keywords | 0.500 / 0.500 / 0.500 |  | 1.000 / 0.333 / 0.500 |  | 2.0 |",
        "| vectors | 1.000 / 1.000 / 1.000 | +0.500 (+0.000 to +1.000) |  |  | 0.5 |",
    ]
