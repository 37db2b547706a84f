from __future__ import annotations

import json

import pytest

from toolkit.engine.model import CallBegan, CallPiece, Ended, ModelCall, ModelError, Text, Usage
from toolkit.testing.turns import USAGE, Turn, call, deltas


def test_a_text_is_one_piece_and_an_end() -> None:
    assert list(deltas("Hi")) == [
        Text("Hi"),
        Ended("stop", (), '{"role": "assistant", "content": "Hi"}', USAGE),
    ]


def test_calls_come_in_pieces_and_all_together_at_the_end() -> None:
    one, two = call("f", call_id="a", x=1), call("g", "", call_id="b")
    *heard, ended = deltas(["I call.", one, two])
    assert heard == [
        Text("I call."),
        CallBegan(0, "a", "f"),
        CallPiece(0, '{"x"'),
        CallPiece(0, ": 1}"),
        CallBegan(1, "b", "g"),
    ]
    assert isinstance(ended, Ended)
    assert ended.calls == (one, two)
    said = json.loads(ended.message)
    assert said["content"] == "I call."
    assert [one["function"]["arguments"] for one in said["tool_calls"]] == ['{"x": 1}', ""]


def test_waits_and_deltas_pass_and_nothing_follows_an_error() -> None:
    broken = ModelError("gone", retry=True)
    assert list(deltas(["Hel", 0.5, Text("lo"), broken, "never"])) == [Text("Hel"), 0.5, Text("lo"), broken]


def test_an_end_of_ones_own() -> None:
    [text, ended] = deltas(["cut", Ended("length", usage=Usage(1, 2))])
    assert text == Text("cut")
    assert ended == Ended("length", (), '{"role": "assistant", "content": "cut"}', Usage(1, 2))


@pytest.mark.parametrize("turn", ["", [], [""]])
def test_silence_is_an_empty_message(turn: Turn) -> None:
    [ended] = deltas(turn)
    assert isinstance(ended, Ended)
    assert json.loads(ended.message)["content"] == ""


def test_calls_have_ids_of_their_own_and_arguments_as_they_are_said() -> None:
    assert call("f").id != call("f").id
    assert call("f", '{"broken', call_id="a") == ModelCall("a", "f", '{"broken')
    assert call("f", city="Seoul").arguments == '{"city": "Seoul"}'
    assert call("f", name="n").arguments == '{"name": "n"}'
    with pytest.raises(TypeError, match="not both"):
        call("f", "{}", x=1)
    with pytest.raises(TypeError, match="as JSON text, or by their names"):
        call("f", {"x": 1})  # type: ignore[arg-type] - wrong on purpose
