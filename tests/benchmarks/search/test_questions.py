"""Questions are fair and the same each time: their words are cut out, and the answers are where they are said to be."""

from __future__ import annotations

from tests.benchmarks.search.pages import docstrings, markdown, restructured
from tests.benchmarks.search.questions import Collection, Named, Page, collection, is_for_tuning

LONG = "Prune the climbing ones in spring, the others when leaves have fallen. " * 4

RST = f"""\
======
Garden
======

See :ref:`when to cut old branches off <pruning>`, or :ref:`pruning`.

.. _pruning:

How to prune climbing roses
===========================

{LONG}

Tools for gardens and houses
----------------------------

{LONG}
"""

MARKDOWN = f"""\
# 정원

[오래된 가지를 자르는 방법](roses.md#cut)을 보세요.

## 장미 가지치기는 언제 하나요 {{#cut}}

{LONG}

```
# no heading at all, but code
```
"""


def answers(made: Collection) -> dict[str, str]:
    texts = {page.name: page.text for page in made.pages}
    return {question.text: texts[question.page][question.start : question.end] for question in made.questions}


def test_headings_and_links_of_restructured_text() -> None:
    pages = [Page("garden.txt", RST)]
    found = collection("garden", pages, restructured(pages), 10)
    assert {(question.form, question.text) for question in found.questions} == {
        ("heading", "How to prune climbing roses"),
        ("link", "when to cut old branches off"),
        ("heading", "Tools for gardens and houses"),
    }
    assert {answer.strip() for answer in answers(found).values()} == {LONG.strip()}
    text = found.pages[0].text
    assert "How to prune" not in text
    assert "old branches" not in text
    assert ":ref:`pruning`" in text, "which says no other words than the heading's label"


def test_headings_and_links_of_markdown() -> None:
    pages = [Page("roses.md", MARKDOWN)]
    found = collection("garden", pages, markdown(pages), 10)
    assert {question.text: question.form for question in found.questions} == {
        "장미 가지치기는 언제 하나요": "heading",
        "오래된 가지를 자르는 방법": "link",
    }
    assert all(answer.startswith(LONG.strip()) for answer in answers(found).values())
    assert "장미" not in found.pages[0].text
    assert "가지를" not in found.pages[0].text


def test_first_sentences_of_docstrings() -> None:
    source = f'"""Roses."""\ndef prune(rose, year):\n    """Cut climbing roses\n    back early. {LONG}"""\n'
    page, named = docstrings("garden.roses", source)
    assert page.name == "garden.roses.txt"
    found = collection("garden", [page], named, 10)
    assert answers(found) == {"Cut climbing roses back early.": LONG.strip()}
    assert "prune(rose, year)" in found.pages[0].text
    assert "back early" not in found.pages[0].text


def test_what_is_no_fair_question_is_not_asked() -> None:
    page = Page("a.txt", f"{LONG}short")
    end = len(LONG)

    def named(words: str, start: int = 0, end: int = end) -> Named:
        return Named("heading", words, [], "a.txt", start, end)

    asked = [
        named("Pruning of climbing roses"),
        named("Pruning roses"),
        named("Twice for different passages"),
        named("twice FOR different passages"),
        named("An answer that is short", end),
    ]
    assert [question.text for question in collection("a", [page], asked, 10).questions] == ["Pruning of climbing roses"]
    assert (
        len(collection("a", [page], [named(f"roses pruned {number} times") for number in range(9)], 4).questions) == 4
    )


def test_the_halves_never_change() -> None:
    page = Page("a.txt", LONG)
    asked = [Named("link", f"roses pruned {number} times", [], "a.txt", 0, len(LONG)) for number in range(8)]
    halves = {question.text: is_for_tuning(question) for question in collection("a", [page], asked, 10).questions}
    assert [number for number in range(8) if halves[f"roses pruned {number} times"]] == [1, 2]
