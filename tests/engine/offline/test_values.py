from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.offline.values import values_in


def today() -> date:
    return date(2026, 5, 1)  # a Friday


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('the "green beans" and “red” ones', [("quoted", "green beans"), ("quoted", "red")]),
        ("don't and it's", []),
        ("see https://example.com/a?b=c.", [("url", "https://example.com/a?b=c")]),
        ("mail bob.b@example.co.uk!", [("email", "bob.b@example.co.uk")]),
        (
            "read garden.md or a/b.csv, e.g. recipes/",
            [("file", "garden.md"), ("file", "a/b.csv"), ("file", "recipes/")],
        ),
        ("and/or", []),
        ("on 2026-06-01", [("date", "2026-06-01")]),
        ("at 2026-06-01T10:00:00Z", [("date", "2026-06-01T10:00:00Z")]),
        (
            "5 May, May 6th, Dec 24 and 1st of January 2030",
            [("date", d) for d in ("2026-05-05", "2026-05-06", "2026-12-24", "2030-01-01")],
        ),
        ("April 30", [("date", "2027-04-30")]),
        ("31 February", [("number", "31")]),
        (
            "today, tomorrow, friday and next Monday",
            [("date", d) for d in ("2026-05-01", "2026-05-02", "2026-05-08", "2026-05-04")],
        ),
        ("at 7pm, 12 am or 18:30", [("time", "19:00"), ("time", "00:00"), ("time", "18:30")]),
        ("25:99", [("number", "25"), ("number", "99")]),
        ("12*7+3 or (1 + 2) * 3", [("sum", "12*7+3"), ("sum", "(1 + 2) * 3")]),
        ("1,000 and -2.5 and three but no one", [("number", "1000"), ("number", "-2.5"), ("number", "3")]),
        ("order A-1234", [("code", "A-1234")]),
        ("in New York and Rio de Janeiro", [("name", "New York"), ("name", "Rio de Janeiro")]),
        ("What is Seoul's weather", [("name", "Seoul")]),
        ("Compare Oslo with the Hague. Dim the light", [("name", "Oslo"), ("name", "Hague")]),
        ("in San Francisco, CA or Paris, France", [("name", "San Francisco, CA"), ("name", "Paris, France")]),
        ("in 東京 and 서울", [("name", "東京"), ("name", "서울")]),
        ("Friday in May in Celsius", [("date", "2026-05-08")]),
        ("", []),
    ],
)
def test_values(text: str, found: list[tuple[str, str]]) -> None:
    assert [(value.kind, value.text) for value in values_in(text, today)] == found


def test_words_about_the_tools_are_no_names() -> None:
    assert [value.text for value in values_in("the Weather in Seoul", today, known={"weather"})] == ["Seoul"]


def test_the_word_that_leads_to_a_value() -> None:
    found = values_in("from Seoul to the Hague, in my Berlin. Oslo", today)
    assert [(value.text, value.lead) for value in found] == [
        ("Seoul", "from"),
        ("Hague", "to"),
        ("Berlin", "in"),
        ("Oslo", ""),
    ]


@given(st.text(max_size=60))
def test_values_stand_where_they_say(text: str) -> None:
    end = 0
    for value in values_in(text, today):
        assert end <= value.start < value.end <= len(text)
        end = value.end
