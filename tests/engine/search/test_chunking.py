from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.search.chunking import BYTES_PER_TOKEN, Chunk, chunks, tokens

TEXTS = st.text(max_size=400) | st.text(st.sampled_from("ab .\n。!東🙂\u0301"), max_size=2000)


@st.composite
def cuts(draw: Any) -> tuple[str, int, int]:
    """A text, a size and an overlap in tokens: smaller ones than the API allows, so that short texts are cut too."""
    size = draw(st.integers(1, 60))
    return draw(TEXTS), size, draw(st.integers(0, size // 2))


def cut(text: str, size: int = 100, overlap: int = 0) -> list[str]:
    return [chunk.text for chunk in chunks(text, size, overlap)]


def joined(parts: list[Chunk]) -> str:
    """Put chunks together again, as they say where they begin."""
    text = ""
    for chunk in parts:
        assert chunk.start <= len(text)
        text = text[: chunk.start] + chunk.text
    return text


@given(cuts())
def test_chunks_are_slices_and_together_the_text(asked: tuple[str, int, int]) -> None:
    text, size, overlap = asked
    parts = list(chunks(text, size, overlap))
    assert all(text[chunk.start : chunk.start + len(chunk.text)] == chunk.text for chunk in parts)
    assert joined(parts) == text
    assert all(chunk.text for chunk in parts)


@given(cuts())
def test_no_chunk_is_larger_than_asked_nor_an_overlap(asked: tuple[str, int, int]) -> None:
    text, size, overlap = asked
    parts = list(chunks(text, size, overlap))
    assert all(len(chunk.text.encode()) <= size * BYTES_PER_TOKEN for chunk in parts)
    for chunk, after in pairwise(parts):
        assert chunk.start < after.start, "progress"
        assert chunk.start + len(chunk.text) < after.start + len(after.text), "none is in the one before"
        shared = text[after.start : chunk.start + len(chunk.text)]
        assert len(shared.encode()) <= overlap * BYTES_PER_TOKEN


@given(cuts())
def test_chunks_are_no_smaller_than_they_must_be(asked: tuple[str, int, int]) -> None:
    text, size, overlap = asked
    *parts, _ = [*chunks(text, size, overlap), Chunk(0, "")]
    assert all(len(chunk.text.encode()) > size * BYTES_PER_TOKEN * 3 // 4 - 4 for chunk in parts[:-1])


def test_nothing_gives_nothing_and_a_short_text_itself() -> None:
    assert cut("") == []
    assert cut("short") == ["short"]
    assert cut("a" * 400) == ["a" * 400]
    assert cut("a" * 401) == ["a" * 400, "a"]


LINE = "0123456789 " * 8 + "01234567890\n"


@pytest.mark.parametrize(
    ("late", "ends"),
    [
        ("one two\n\nthree\nfour. five six", "one two\n\n"),
        ("one two\nthree four. five", "one two\n"),
        ("one two. three four", "one two. "),
        ('he said "no." and left', 'he said "no." '),
        ("一二。三四 五", "一二。"),
        ("one two threefour", "one two "),
        ("onetwothree", "onetwothree"),
        ("a\n\nb\n\nc", "a\n\nb\n\n"),  # the last of equals
    ],
)
def test_a_chunk_ends_at_the_best_place(late: str, ends: str) -> None:
    begin = "x" * 310
    text = begin + late + "y" * (400 - len((begin + late).encode()) + 300)
    [first, *_] = cut(text)
    if ends == "onetwothree":
        assert len(first) == 400, "nowhere better, so it is full"
    else:
        assert first == begin + ends


def test_an_overlap_begins_at_a_good_place_too() -> None:
    text = " ".join(f"word{number:04}" for number in range(200))
    for before, after in pairwise(chunks(text, 100, 50)):
        assert after.text.startswith("word")
        assert text[after.start - 1] == " "
        shared = before.start + len(before.text) - after.start
        assert 150 < shared <= 200


def test_lines_stay_whole_where_they_can() -> None:
    parts = cut(LINE * 50, 100, 50)
    assert all(part.startswith("0123456789 ") and part.endswith("01234567890\n") for part in parts)


def test_no_character_is_cut() -> None:
    for text in ("東" * 1000, "🙂" * 1000, "a🙂" * 1000):
        parts = cut(text, 100, 13)
        assert set("".join(parts)) == set(text)


@given(st.text())
def test_tokens_are_four_bytes_rounded_up(text: str) -> None:
    assert 4 * tokens(text) - 4 < len(text.encode()) <= 4 * tokens(text)


@pytest.mark.parametrize("text", ["a\n" * 2_500_000, "a" * 5_000_000, " " * 5_000_000, "ab " * 1_700_000])
def test_a_large_text_is_cut_as_its_chunks_are_asked_for(text: str) -> None:
    parts = chunks(text, 800, 400)
    began = time.process_time()
    assert next(parts).start == 0
    assert time.process_time() - began < 0.05
    count = sum(1 for _ in parts)
    assert 5_000_000 / 3200 < count < 3 * 5_000_000 / 1600
    assert time.process_time() - began < 10
