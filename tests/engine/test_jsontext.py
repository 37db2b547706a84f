from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.engine.jsontext import clean, dump, id_of, members, quote

any_text = st.text(st.characters(blacklist_categories=()))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(values)
def test_dump_is_compact_and_reads_back(value: object) -> None:
    assert json.loads(dump(value)) == value


@settings(max_examples=30)  # which are large
@given(st.dictionaries(st.text(), values, min_size=1), st.dictionaries(st.text(), values, min_size=1))
def test_members_join_to_an_object(one: dict[str, object], other: dict[str, object]) -> None:
    assert json.loads(f"{{{members(one)},{members(other)}}}") == {**one, **other}


@given(any_text)
def test_clean_text_is_always_encodable_and_valid_text_unharmed(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert cleaned == text


def test_clean_joins_a_pair_that_arrived_in_pieces() -> None:
    assert clean("\ud83d" + "\ude00") == "😀"
    assert clean("a\ud83d") == "a\ufffd"


@given(any_text)
def test_quote_passes_anything_through_ascii(text: str) -> None:
    assert quote(text).isascii()
    assert json.loads(quote(text)) == json.loads(json.dumps(text))


def test_id_of_reads_the_first_member() -> None:
    assert id_of('{"id":"run_abc","object":"thread.run"}') == "run_abc"
