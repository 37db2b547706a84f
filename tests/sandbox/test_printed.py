"""Text and marks, however they are cut."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from toolkit.sandbox.printed import Mark, Printed

WORD = b"aabaabaaabaabaab"
NUMBER = b"\x00\x01\x02\x03\x04\x05\x06\x07"


def read(chunks: Iterable[bytes]) -> list[bytes | Mark]:
    """Read chunks, with text that is beside text in one piece."""
    printed = Printed(WORD)
    found = [each for chunk in chunks for each in printed.feed(chunk)]
    joined: list[bytes | Mark] = []
    for each in [*found, printed.end()]:
        if isinstance(each, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += each
        elif each != b"":
            joined.append(each)
    return joined


def test_text_is_told_from_marks() -> None:
    assert read([b"before" + WORD + NUMBER + b"after"]) == [b"before", Mark(NUMBER.hex()), b"after"]
    assert read([WORD + NUMBER + WORD + NUMBER]) == [Mark(NUMBER.hex())] * 2
    assert read([b"a word cut off " + WORD]) == [b"a word cut off " + WORD]


def test_what_can_be_no_mark_is_not_held_back() -> None:
    assert list(Printed(WORD).feed(b"text.")) == [b"text."]
    assert list(Printed(WORD).feed(b"text aab")) == [b"text "]


@given(
    st.lists(st.one_of(st.just(WORD + NUMBER), st.just(WORD[:7]), st.text("ab\n").map(str.encode)), max_size=8),
    st.lists(st.integers(0, 200), max_size=12),
)
def test_it_does_not_matter_how_it_is_cut(pieces: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(pieces)
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    chunks = [whole[start:end] for start, end in pairwise(places)]
    assert read(chunks) == read([whole])
    assert (
        b"".join(WORD + bytes.fromhex(each.number) if isinstance(each, Mark) else each for each in read(chunks))
        == whole
    )
