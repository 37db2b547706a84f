from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.search.citing import Citing, Mark


def parts(*pieces: str) -> list[str | Mark]:
    """Give what comes of a text in pieces, with texts that follow each other joined."""
    citing = Citing()
    found = [part for piece in pieces for part in citing.feed(piece)]
    joined: list[str | Mark] = []
    for part in [*found, *citing.end()]:
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cats purr【0:1†source】.", ["Cats purr", Mark(0, 1), "."]),
        ("【4:0†report (final).pdf】", [Mark(4, 0)]),
        ("【4:0】", [Mark(4, 0)]),
        ("[12:3†a.md] and【1:0†source】【2:0†source】", [Mark(12, 3), " and", Mark(1, 0), Mark(2, 0)]),
        ("no mark: [4:0], 【重要】, [link](x), 【, 【4:, [0", ["no mark: [4:0], 【重要】, [link](x), 【, 【4:, [0"]),
        ("【4:0†one\n】", ["【4:0†one\n】"]),
        ("", []),
    ],
)
def test_marks_are_found_and_nothing_else(text: str, found: Sequence[str | Mark]) -> None:
    assert parts(text) == found
    assert parts(*text) == found


def test_what_may_become_a_mark_is_held_back_and_nothing_longer() -> None:
    citing = Citing()
    assert list(citing.feed("Cats 【0:")) == ["Cats "]
    assert list(citing.feed("0†sour")) == []
    assert list(citing.feed("ce】!")) == [Mark(0, 0), "!"]
    assert list(citing.feed("[")) == []
    assert list(citing.feed("a](b)")) == ["[a](b)"]
    assert list(citing.feed("【1:1†" + "x" * 99)) == []
    assert list(citing.feed("xx")) == ["【1:1†" + "x" * 101]
    assert list(citing.end()) == []


def test_a_mark_writes_itself_as_it_is_read() -> None:
    assert parts(str(Mark(7, 19))) == [Mark(7, 19)]


def test_characters_that_come_in_halves_are_whole() -> None:
    assert parts("a\ud83d", "\ude00b") == ["a😀b"]
    assert parts("a\ud83d") == ["a\ufffd"]
    assert parts("\ud83d【1:", "0】") == ["\ufffd", Mark(1, 0)]


ALPHABET = st.sampled_from(["【", "】", "[", "]", "†", ":", "0", "17", "a", " ", "\n", "source", "【3:4†source】", "é"])


@given(st.lists(ALPHABET, max_size=30), st.data())
def test_how_a_text_is_cut_into_pieces_makes_no_difference(words: list[str], data: st.DataObject) -> None:
    text = "".join(words)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    edges = [0, *cuts, len(text)]
    assert parts(*(text[a:b] for a, b in pairwise(edges))) == parts(text)


@given(st.lists(ALPHABET, max_size=30))
def test_what_is_no_mark_stands_as_it_came(words: list[str]) -> None:
    text = "".join(words)
    found = parts(text)
    if not any(isinstance(part, Mark) for part in found):
        assert "".join(map(str, found)) == text
