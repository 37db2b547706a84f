from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.code.streamed import Streamed
from toolkit.engine.jsontext import clean


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    at = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(at)]


def read(arguments: Sequence[str]) -> str:
    streamed = Streamed()
    told = "".join(streamed.feed(piece) for piece in arguments)
    assert told == streamed.code
    return told


def test_a_character_in_two_escapes_is_told_when_both_have_come() -> None:
    streamed = Streamed()
    pieces = ('{"code": "a\\ud83d', "\\ude00", "\\ud83d", 'b\\ud83d"}')
    assert [streamed.feed(piece) for piece in pieces] == ["a", "\U0001f600", "", "\ufffdb\ufffd"]


@given(st.text(), st.lists(st.integers(0, 200)), st.booleans())
def test_any_code_in_any_pieces(code: str, cuts: list[int], ascii_: bool) -> None:
    arguments = json.dumps({"code": code, "more": "ignored"}, ensure_ascii=ascii_)
    assert read(pieces(arguments, cuts)) == clean(code)


@pytest.mark.parametrize(
    "arguments", ['{"other": "x", "code": "y"}', "print(1)", '["code"]', '{"code": 5}', "", " " * 500 + '{"code": "x"}']
)
def test_arguments_that_do_not_begin_with_the_code_give_nothing(arguments: str) -> None:
    assert read(list(arguments)) == ""


def test_code_is_told_as_far_as_it_is_certain() -> None:
    streamed = Streamed()
    assert [streamed.feed(piece) for piece in ('{"co', 'de": "a\\', "nb\\u00", 'e9"', '}"x"')] == [
        "",
        "a",
        "\nb",
        "é",
        "",
    ]
