from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from openai import OpenAI

from toolkit import LimitReached, Limits, RunFailed, TextDelta, Toolset, run, stream, tool
from toolkit.engine import Engine
from toolkit.engine.model import Ended, ModelError
from toolkit.testing.scripted import Asked, Says, ScriptedModel
from toolkit.testing.turns import Turn, call


@tool
def weather(city: str) -> str:
    """Weather in a city."""
    return f"Sunny in {city}."


TOOLS = Toolset(weather)


@contextmanager
def engine(*says: Says) -> Iterator[tuple[ScriptedModel, OpenAI, str]]:
    model = ScriptedModel(*says)
    with Engine("sqlite:///:memory:", model=model) as engine, engine.client() as client:
        made = client.beta.assistants.create(model="any", instructions="Be kind.", tools=TOOLS.definitions)
        yield model, client, made.id


def test_it_calls_and_says_and_keeps_what_it_was_asked() -> None:
    with engine([call("weather", city="Seoul"), call("weather", city="Paris")], "Fine everywhere.") as (
        model,
        at,
        made,
    ):
        result = run(at, TOOLS, assistant_id=made, input="Weather?", temperature=0.5)
        assert result.text == "Fine everywhere."
        assert [one.output.content for one in result.calls] == ["Sunny in Seoul.", "Sunny in Paris."]
        first, second = model.asked
        assert (first.model, first.text, first.outputs, first.tools) == ("any", "Weather?", [], ["weather"])
        assert first.messages[0] == {"role": "system", "content": "Be kind."}
        assert first.options["temperature"] == 0.5
        assert second.outputs == ["Sunny in Seoul.", "Sunny in Paris."]
        assert repr(second) == "<Asked any: 5 messages, the last tool: 'Sunny in Paris.'>"
        model.assert_played()


def test_pieces_are_streamed_as_they_are_scripted() -> None:
    with (
        engine(["Hel", 0.01, "lo"]) as (_, at, made),
        stream(at, TOOLS, assistant_id=made, input="Hi") as events,
    ):
        assert [event.text for event in events if isinstance(event, TextDelta)] == ["Hel", "lo"]


def test_an_error_that_may_pass_is_tried_again() -> None:
    with engine(["Hal", ModelError("gone", retry=True)], "Whole.") as (model, at, made):
        assert run(at, TOOLS, assistant_id=made, input="Hi").text == "Whole."
        assert len(model.asked) == 2


def test_an_error_for_good_fails_the_run() -> None:
    with (
        engine(ModelError("no such model", code="invalid_prompt")) as (_, at, made),
        pytest.raises(RunFailed, match="no such model") as failed,
    ):
        run(at, TOOLS, assistant_id=made, input="Hi")
    assert failed.value.code == "invalid_prompt"


def test_an_end_of_its_own() -> None:
    with engine(["Cut", Ended("length")]) as (_, at, made):
        assert run(at, TOOLS, assistant_id=made, input="Hi").status == "incomplete"


def test_a_script_that_runs_out_says_so_where_the_run_fails() -> None:
    with engine(call("weather", city="Seoul")) as (model, at, made):
        with pytest.raises(
            RunFailed, match=r"asked a 2nd time and has 1 turns; .* tool: 'Sunny in Seoul.'. Add a turn"
        ):
            run(at, TOOLS, assistant_id=made, input="Hi")
        with pytest.raises(AssertionError, match="asked a 2nd time"):
            model.assert_played()


def test_turns_that_nobody_asked_for_are_told() -> None:
    model = ScriptedModel("Hi", "there")
    with pytest.raises(AssertionError, match=r"2 of 2 turns were not asked for\. The next: 'Hi', 'there'"):
        model.assert_played()
    assert model.left == 2


def test_a_function_makes_the_turn_and_the_last_one_for_ever() -> None:
    def answer(asked: Asked) -> Turn:
        return f"You said {asked.text}"

    with engine("First", answer) as (model, at, made):
        texts = [run(at, TOOLS, assistant_id=made, input=text).text for text in "abc"]
        assert texts == ["First", "You said b", "You said c"]
        model.assert_played()


def test_a_function_that_expects_something_else_fails_the_run_with_its_words() -> None:
    def answer(asked: Asked) -> Turn:
        assert "Seoul" in asked.text, f"no Seoul in {asked.text!r}"
        return "Sunny"

    with engine(answer) as (model, at, made):
        with pytest.raises(RunFailed, match="asked the 1st time: AssertionError: no Seoul in 'Paris'"):
            run(at, TOOLS, assistant_id=made, input="Paris")
        assert len(model.wrong) == 1


def test_a_function_may_raise_a_model_error() -> None:
    def refuse(asked: Asked) -> Turn:
        raise ModelError("full")

    with engine(refuse) as (model, at, made):
        with pytest.raises(RunFailed, match="full"):
            run(at, TOOLS, assistant_id=made, input="Hi")
        model.assert_played()


def test_a_wait_is_broken_off_with_its_run() -> None:
    with engine() as (model, at, made):
        model.add(["Wait", 60.0])
        began = time.monotonic()
        with pytest.raises(LimitReached):
            run(at, TOOLS, assistant_id=made, input="Hi", limits=Limits(seconds=0.3))
        deadline = began + 10
        while not model.aborted and time.monotonic() < deadline:
            time.sleep(0.01)
        assert model.aborted == 1


@pytest.mark.parametrize(
    ("number", "said"), [(0, "1st"), (1, "2nd"), (2, "3rd"), (3, "4th"), (10, "11th"), (21, "22nd")]
)
def test_counting(number: int, said: str) -> None:
    from toolkit.testing.scripted import _nth

    assert _nth(number + 1) == said
