from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.runs.hosts.fragments import Fragments


def piece(
    index: Any = None, call_id: Any = None, name: Any = None, arguments: Any = None, **more: Any
) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    head = {key: value for key, value in (("index", index), ("id", call_id)) if value is not None}
    return {**head, "function": function, **more}


def told(*pieces: object, taken: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    fragments = Fragments()
    for one in pieces:
        fragments.add([one])
    return [
        (one["id"], one["function"]["name"], one["function"]["arguments"]) for one in fragments.calls(taken, "own_")
    ]


CASES = {
    "as the API has it": (
        [piece(0, "a", "f", ""), piece(0, None, None, '{"x"'), piece(0, None, None, ": 1}"), piece(1, "b", "g", "{}")],
        [("a", "f", '{"x": 1}'), ("b", "g", "{}")],
    ),
    "interleaved": (
        [piece(0, "a", "f", "{"), piece(1, "b", "f", "{"), piece(0, arguments="}"), piece(1, arguments="}")],
        [("a", "f", "{}"), ("b", "f", "{}")],
    ),
    "no index": ([piece(None, "a", "f", '{"x":'), piece(None, None, None, "1}")], [("a", "f", '{"x":1}')]),
    "every call numbered 0": (
        [piece(0, "a", "f", '{"x":1}'), piece(0, "b", "f", '{"x":2}')],
        [("a", "f", '{"x":1}'), ("b", "f", '{"x":2}')],
    ),
    "no ids, whole calls": (
        [piece(None, None, "f", '{"x":1}'), piece(None, None, "f", '{"x":2}')],
        [("own_0", "f", '{"x":1}'), ("own_1", "f", '{"x":2}')],
    ),
    "the id and name in every piece": (
        [piece(0, "a", "f", '{"x"'), piece(0, "a", "f", ":1}")],
        [("a", "f", '{"x":1}')],
    ),
    "told again at the end": ([piece(0, "a", "f", '{"x":1}'), piece(0, "a", "f", '{"x":1}')], [("a", "f", '{"x":1}')]),
    "an id that changes on the way": ([piece(0, "a", "f", "{"), piece(0, "z", None, "}")], [("a", "f", "{}")]),
    "arguments as an object": ([piece(0, "a", "f", {"x": "é"})], [("a", "f", '{"x": "é"}')]),
    "placeholders": ([piece(0, "a", "f", "{}"), piece(0, None, None, '{"x":1}')], [("a", "f", '{"x":1}')]),
    "no arguments": ([piece(0, "a", "f"), piece(1, "b", "g", "null")], [("a", "f", "{}"), ("b", "g", "{}")]),
    "no call": ([piece(0, "", "", ""), {"index": 0}, None, 5], []),
    "a name in pieces": (
        [piece(0, "a", "get_"), piece(0, None, "it"), piece(0, None, None, "{}")],
        [("a", "get_it", "{}")],
    ),
    "broken arguments stay": ([piece(0, "a", "f", '{"x": ')], [("a", "f", '{"x": ')]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_dialects(case: str) -> None:
    pieces, calls = CASES[case]
    assert told(*pieces) == calls


def test_ids_are_told_apart_from_those_of_earlier_turns() -> None:
    assert told(piece(0, "a", "f", "{}"), piece(1, "a", "g", "{}"), taken=("a",)) == [
        ("own_0", "f", "{}"),
        ("own_1", "g", "{}"),
    ]


def test_unknown_fields_go_back_to_the_model() -> None:
    fragments = Fragments()
    fragments.add([{**piece(0, "a", "f", "{}"), "extra_content": {"signature": "s"}}], whole=True)
    assert fragments.calls((), "own_")[0]["extra_content"] == {"signature": "s"}
    fragments.add("no list")
    assert len(fragments.calls((), "own_")) == 1


@given(
    calls=st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=3), max_size=4),
    cuts=st.lists(st.integers(0, 30), max_size=6),
)
def test_however_arguments_are_cut(calls: list[dict[str, Any]], cuts: list[int]) -> None:
    fragments = Fragments()
    for index, arguments in enumerate(calls):
        text = json.dumps(arguments)
        fragments.add([piece(index, f"c{index}", "f", "")])
        edges = [0, *sorted(cut for cut in set(cuts) if cut < len(text)), len(text)]
        for begin, end in pairwise(edges):
            fragments.add([piece(index, None, None, text[begin:end])])
    assert [json.loads(one["function"]["arguments"]) for one in fragments.calls((), "own_")] == calls
