from __future__ import annotations

import json
import re
from typing import Any

import pytest

from toolkit.engine.endpoint.fragments import Calls
from toolkit.engine.model import CallBegan, CallPiece, Delta, ModelError


def part(
    index: Any = None, call_id: Any = None, name: Any = None, arguments: Any = None, **more: Any
) -> dict[str, Any]:
    """A fragment with only the fields that are given."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fields = {"index": index, "id": call_id, "function": function or None}
    return {key: value for key, value in fields.items() if value is not None} | more


def read(*events: list[Any], taken: frozenset[str] = frozenset()) -> tuple[list[tuple[str, str, str]], list[Delta]]:
    calls = Calls(taken)
    deltas = [delta for event in events for delta in calls.take(event)]
    deltas += calls.end()
    return [(call.id, call.name, call.arguments) for call in calls.calls()], deltas


def check_deltas(found: list[tuple[str, str, str]], deltas: list[Delta]) -> None:
    """What is streamed adds up to what is handed over."""
    began = [delta for delta in deltas if isinstance(delta, CallBegan)]
    pieces = [delta for delta in deltas if isinstance(delta, CallPiece)]
    assert [(each.index, each.id, each.name) for each in began] == [(n, c[0], c[1]) for n, c in enumerate(found)]
    for number, call in enumerate(found):
        assert "".join(piece.arguments for piece in pieces if piece.index == number) == call[2]
    assert all(piece.arguments for piece in pieces)


A, B = ("a", "get_weather", '{"city":"Seoul"}'), ("b", "get_rain", '{"city":"Oslo"}')


@pytest.mark.parametrize(
    ("events", "calls"),
    [
        pytest.param(
            [
                [part(0, "a", "get_weather", "")],
                [part(0, arguments='{"city"')],
                [part(0, arguments=':"Seoul"}')],
                [part(1, "b", "get_rain", '{"city":')],
                [part(1, arguments='"Oslo"}')],
            ],
            [A, B],
            id="as OpenAI streams",
        ),
        pytest.param([[part(0, *A), part(1, *B)]], [A, B], id="whole, in one event"),
        pytest.param([[part(0, *A)], [part(0, *B)]], [A, B], id="every index 0"),
        pytest.param([[part(None, *A)], [part(None, *B)]], [A, B], id="no index"),
        pytest.param([[part(3, *A)], [part(7, *B)]], [A, B], id="indexes with gaps"),
        pytest.param([[part(1, *A)], [part(0, *B)]], [A, B], id="index not from 0"),
        pytest.param(
            [[part(0, "a", "get_weather", '{"city"')], [part(0, "a", "get_weather", ':"Seoul"}')]],
            [A],
            id="name repeated",
        ),
        pytest.param(
            [[part(0, "a", "get_weather", "{")], [part(0, "", "", '"city":"Seoul"}')]], [A], id="empty is absent"
        ),
        pytest.param(
            [[part(0, "a", "get_weather", '{"city"')], [part(0, "z", arguments=':"Seoul"}')]], [A], id="id that changes"
        ),
        pytest.param(
            [[part(0, "a", "get_weather", '{"city"')], [part(None, "z", "", ':"Seoul"}')]],
            [A],
            id="id that changes, no index",
        ),
        pytest.param(
            [[part(0, "a", "get_")], [part(0, None, "weather")], [part(0, arguments=A[2])]], [A], id="name in pieces"
        ),
        pytest.param([[part(0, None, "get_weather")], [part(0, "a", None, A[2])]], [A], id="id after name"),
        pytest.param(
            [[part(0, "a", None, '{"city"')], [part(0, None, *A[1:2], ':"Seoul"}')]], [A], id="name after arguments"
        ),
        pytest.param(
            [
                [part(0, "a", "get_weather", '{"city"'), part(1, "b", "get_rain", '{"city"')],
                [part(1, arguments=':"Oslo"}'), part(0, arguments=':"Seoul"}')],
            ],
            [A, B],
            id="interleaved by index",
        ),
        pytest.param(
            [[part(0, "a", "get_weather", '{"city"')], [part(5, "b", *B[1:])], [part(9, "a", arguments=':"Seoul"}')]],
            [A, B],
            id="known id wins over index",
        ),
        pytest.param([[part("0", *A)], [part("1", *B)]], [A, B], id="indexes that are text"),
        pytest.param([[None, "x", part(0, *A, function=None), part(0, *A)]], [A], id="junk among them"),
        pytest.param([[part(0, *A)], [part(0, *A)]], [A], id="told twice"),
        pytest.param([[part(0, *A)], [part(0, *A[:2], '{"city": "Seoul"}')]], [A], id="told twice, written otherwise"),
        pytest.param([[part(0, "a", "now", "{}")], [part(0, "a", "now", "{}")]], [("a", "now", "{}")], id="{} twice"),
    ],
)
def test_which_call_a_fragment_belongs_to(events: list[list[Any]], calls: list[tuple[str, str, str]]) -> None:
    found, deltas = read(*events)
    assert found == calls
    check_deltas(found, deltas)


@pytest.mark.parametrize(
    "events",
    [
        [[part(None, None, *A[1:]), part(None, None, *B[1:])]],
        [[part(None, None, *A[1:])], [part(None, None, *B[1:])]],
        [[part(0, "", *A[1:])], [part(0, "", *B[1:])]],
        [[part(0, None, *A[1:]), part(0, None, *A[1:])]],
        [[part(0, "a", *A[1:]), part(1, "a", *B[1:])]],
    ],
    ids=["no id or index", "one after the other", "index 0 and no id", "the same twice", "one id for two"],
)
def test_calls_without_an_id_of_their_own_get_one(events: list[list[Any]]) -> None:
    found, deltas = read(*events)
    assert len(found) == 2
    assert found[0][0] != found[1][0]
    assert all(call_id.startswith("call_") and len(call_id) == 29 for call_id, *_ in found if call_id != "a")
    assert next(arguments for *_, arguments in found) == A[2]
    check_deltas(found, deltas)


@pytest.mark.parametrize(
    "events",
    [
        [[part(0, "a", "f", '{"x":1}')], [part(0, "a", "f", '{"x":2}')]],
        [[part(0, "a", "f", '{"x":1}'), part(1, "a", "f", '{"x":2}')]],
        [[part(0, "a", "f", '{"x"')], [part(0, None, None, ":1}")], [part(0, "a", "f", '{"x":2}')]],
        [[part(0, None, "f", '{"x":1}')], [part(0, None, "f", '{"x":2}')]],
        [[part(None, "a", "f", {"x": 1})], [part(None, "a", "f", {"x": 2})]],
    ],
)
def test_calls_of_one_function_and_one_id_are_told_apart_when_each_is_whole(events: list[list[Any]]) -> None:
    found, deltas = read(*events)
    assert [call[1:] for call in found] == [("f", '{"x":1}'), ("f", '{"x":2}')]
    assert found[0][0] != found[1][0]
    check_deltas(found, deltas)


def test_what_follows_goes_to_the_newest_call_of_an_id() -> None:
    found, _ = read([part(0, "a", "f", '{"x":1}')], [part(0, "a", "g", '{"y"')], [part(0, "a", None, ":2}")])
    assert [call[1:] for call in found] == [("f", '{"x":1}'), ("g", '{"y":2}')]


@pytest.mark.parametrize(
    ("told", "taken", "made"),
    [
        ("call_1", set(), r"call_1"),
        ("call_1", {"call_1"}, r"call_[0-9a-f]{24}"),
        ("0", {"0"}, r"call_[0-9a-f]{24}"),
        ("weather", {"weather", "call_1"}, r"call_[0-9a-f]{24}"),
        ("functions.f:0", {"functions.f:0", "functions.f:1"}, r"functions\.f:2"),
        ("f:999999999999", {"f:999999999999"}, r"call_[0-9a-f]{24}"),
        ("D681PevKs", {"D681PevKs"}, r"(?!D681PevKs)[A-Za-z0-9]{9}"),
        ("", {""}, r"call_[0-9a-f]{24}"),
    ],
)
def test_ids_that_were_used_before_are_replaced(told: str, taken: set[str], made: str) -> None:
    events = [part(0, told, "f", "")], [part(0, told, None, '{"x"')], [part(0, told, None, ":1}")]
    calls = Calls(frozenset(taken))
    deltas = [delta for fragments in events for delta in calls.take(fragments)] + calls.end()
    [call] = calls.calls()
    assert re.fullmatch(made, call.id)
    assert call.arguments == '{"x":1}'
    assert calls.history()[0]["id"] == call.id
    check_deltas([(call.id, call.name, call.arguments)], deltas)


def test_two_calls_of_one_answer_get_two_new_ids() -> None:
    events = [
        [part(0, "f:0", "f", "")],
        [part(0, None, None, '{"x":1}')],
        [part(1, "f:1", "f", "")],  # the very id that the first call was given instead of its own
        [part(1, None, None, '{"x"')],
        [part(1, "f:1", None, ":2}")],
    ]
    found, deltas = read(*events, taken=frozenset({"f:0"}))
    assert found == [("f:1", "f", '{"x":1}'), ("f:2", "f", '{"x":2}')]
    check_deltas(found, deltas)


@pytest.mark.parametrize(
    ("pieces", "arguments"),
    [
        ([], "{}"),
        ([""], "{}"),
        ([None], "{}"),
        (["null"], "{}"),
        (["nu", "ll"], "{}"),
        (["{}"], "{}"),
        (["{", "}"], "{}"),
        (["{}", '{"a":1}'], '{"a":1}'),
        (["{", "}", '{"a"', ":1}"], '{"a":1}'),
        (['{} {"a":1}'], '{"a":1}'),
        ([{"a": 1}], '{"a":1}'),
        ([{}], "{}"),
        ([{}, '{"a":1}'], '{"a":1}'),
        (['{"a":', "1"], '{"a":1'),
        (["{"], "{"),
        (["null", "able"], "nullable"),
        ([' {"a":1} '], ' {"a":1} '),
        (['{"a":NaN}'], '{"a":NaN}'),
        (["[1]"], "[1]"),
    ],
)
def test_arguments(pieces: list[Any], arguments: str) -> None:
    began = part(0, "a", "f")
    events = [[{**began, "function": {"name": "f", "arguments": None}}]]
    events += [[{"index": 0, "function": {"arguments": piece}}] for piece in pieces]
    found, deltas = read(*events)
    assert found == [("a", "f", arguments)]
    check_deltas(found, deltas)


def test_nothing_is_held_back_without_need() -> None:
    calls = Calls()
    assert calls.take([part(0, "a", "f", '{"x')]) == [CallBegan(0, "a", "f"), CallPiece(0, '{"x')]
    assert calls.take([part(0, arguments="y")]) == [CallPiece(0, "y")]


@pytest.mark.parametrize(
    "fragments", [[], [{}], [part(0)], [part(0, "", "", "")], [{"function": {"name": "", "arguments": ""}}]]
)
def test_placeholders_are_no_calls(fragments: list[Any]) -> None:
    assert read(fragments) == ([], [])


def test_an_id_without_anything_else_is_no_call() -> None:
    assert read([part(0, "a")]) == ([], [])


def test_arguments_without_a_name_break_the_answer() -> None:
    with pytest.raises(ModelError) as error:
        read([part(0, "a", arguments='{"x":1}')])
    assert error.value.retry


def test_whole_calls_are_never_joined() -> None:
    calls = Calls()
    deltas = [*calls.take([part(0, *A), part(0, *A)], whole=True), *calls.end()]
    found = [(call.id, call.name, call.arguments) for call in calls.calls()]
    assert [each[1:] for each in found] == [A[1:], A[1:]]
    assert found[0][0] == "a" != found[1][0]
    check_deltas(found, deltas)


def test_unknown_fields_go_back_to_the_server() -> None:
    calls = Calls()
    signature = {"google": {"thought_signature": "abc"}}
    calls.take([part(0, "123456789", "f", '{"x"', type="function", extra_content=signature, note=None)])
    calls.take([{"index": 0, "function": {"arguments": ":1}", "strict": True}, "late": 1}])
    calls.end()
    assert calls.history() == [
        {
            "id": "123456789",
            "type": "function",
            "function": {"name": "f", "arguments": '{"x":1}', "strict": True},
            "extra_content": signature,
            "late": 1,
        }
    ]
    assert json.loads(calls.calls()[0].arguments) == {"x": 1}
