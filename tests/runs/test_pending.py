from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.runs.pending import Pending
from toolkit.tools.calls import Call

TEXT = st.text('ab1{}[]:,"\\\n\0\x7fé\ud800\U0001f600', max_size=20)  # models write lone surrogates too
CALLS = st.lists(st.builds(Call, TEXT, TEXT, TEXT), max_size=4).map(tuple)
PENDING = st.builds(
    Pending, TEXT, TEXT, CALLS, st.none() | st.integers(0, 2**40), st.dictionaries(TEXT, st.integers(0, 9), max_size=2)
)
ONE = Pending("run_1", "thread_1", (Call("call_1", "pay", '{"amount": 5}'),), 1_800_000_000)


@settings(deadline=None)
@given(PENDING)
def test_it_comes_back_as_it_was_stored(pending: Pending) -> None:
    stored = pending.to_json()
    stored.encode("ascii")  # goes through any store
    assert Pending.from_json(stored) == pending
    assert Pending.from_json(json.dumps(json.loads(stored), indent=2, sort_keys=True)) == pending


@settings(deadline=None)
@given(PENDING, PENDING)
def test_the_hash_is_that_of_the_question(one: Pending, other: Pending) -> None:
    same = (one.run_id, one.thread_id, one.calls) == (other.run_id, other.thread_id, other.calls)
    begun = [[each.begun.get(call.id, 0) for call in each.calls] for each in (one, other)]
    assert (one.hash == other.hash) == (same and begun[0] == begun[1])


def test_what_is_stored() -> None:
    said = json.loads(ONE.to_json())
    assert said == {
        "run_id": "run_1",
        "thread_id": "thread_1",
        "calls": [{"id": "call_1", "name": "pay", "arguments": '{"amount": 5}'}],
        "expires_at": 1_800_000_000,
        "begun": {},
        "hash": ONE.hash,
    }
    assert len(ONE.hash) == 64


@pytest.mark.parametrize(
    ("was", "now"), [('amount\\": 5', 'amount\\": 500'), ("pay", "pay_all"), ("run_1", "run_2"), ("call_1", "call_2")]
)
def test_what_was_changed_is_refused(was: str, now: str) -> None:
    changed = ONE.to_json().replace(was, now)
    assert changed != ONE.to_json()
    with pytest.raises(ValueError, match="was changed"):
        Pending.from_json(changed)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "3", '{"calls": 3}', '"run_1"', ONE.to_json()[:-1]])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not what"):
        Pending.from_json(text)
