from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from toolkit.engine.model import ModelError, ModelRequest
from toolkit.engine.offline.replying import Reply, reply_to


def today() -> date:
    return date(2026, 5, 1)


def reply(text: str, tools: str | None = None, **options: Any) -> Reply:
    return reply_to(ModelRequest("offline", [json.dumps({"role": "user", "content": text})], tools, options), today)


def named(made: Reply) -> list[tuple[str, Any]]:
    return [(name, json.loads(arguments)) for name, arguments in made.calls]


class Talk:
    """A conversation in which every tool answers with what it was called with."""

    def __init__(
        self, tools: str, output: Callable[[str, str], str] = lambda name, arguments: arguments, **options: Any
    ):
        self.tools, self.output, self.options = tools, output, options
        self.messages: list[str] = []
        self.calls: list[list[str]] = []

    def say(self, text: str) -> str:
        self.messages.append(json.dumps({"role": "user", "content": text}))
        self.calls = []
        for turn in range(10):
            made = reply_to(ModelRequest("offline", self.messages, self.tools, self.options), today)
            calls = [
                {
                    "id": f"{len(self.messages)}-{turn}-{n}",
                    "type": "function",
                    "function": {"name": name, "arguments": arguments},
                }
                for n, (name, arguments) in enumerate(made.calls)
            ]
            self.messages.append(json.dumps({"role": "assistant", "content": made.text, "tool_calls": calls}))
            if not calls:
                return made.text
            self.calls.append([f"{name} {arguments}" for name, arguments in made.calls])
            for call, (name, arguments) in zip(calls, made.calls, strict=True):
                said = {"role": "tool", "tool_call_id": call["id"], "content": self.output(name, arguments)}
                self.messages.append(json.dumps(said))
        raise AssertionError("it goes on calling")


def test_calls_then_an_answer(toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["guide"], lambda name, _: "57 F" if name == "get_current_temperature" else "0.06")
    text = talk.say("What's the weather in San Francisco today and the likelihood it'll rain?")
    assert len(talk.calls) == 1
    assert len(talk.calls[0]) == 2
    assert text == "Current temperature for San Francisco: 57 F.\nRain probability for San Francisco: 0.06."


def test_one_call_a_turn_where_they_must_not_be_parallel(toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["travel"], lambda *_: "fine", parallel_tool_calls=False)
    assert talk.say("weather in Seoul and Paris") == "Weather for Seoul: fine.\nWeather for Paris: fine."
    assert talk.calls == [['get_weather {"city":"Seoul","unit":null}'], ['get_weather {"city":"Paris","unit":null}']]


def test_a_failed_call_is_not_made_again(toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["travel"], lambda name, _: f"The tool {name} failed.")
    assert (
        talk.say("weather in Seoul and weather in Seoul")
        == "Weather for Seoul did not work out: The tool get_weather failed."
    )
    assert len(talk.calls) == 1


def test_a_question_and_its_answer(toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["travel"], lambda *_: "fine")
    assert (
        talk.say("What's the weather?")
        == "To call `get_weather` I still need `city` (city name, such as Seoul). What should it be?"
    )
    assert talk.say("seoul") == "Weather for seoul: fine."
    assert talk.say("flights to Busan").startswith("To call `find_flights` I still need `origin`")
    assert talk.say("from Seoul, on 5 June") == "Flights (origin: Seoul, destination: Busan, date: 2026-06-05): fine."


def test_an_answer_brings_only_what_was_asked_for(toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["dated"], lambda *_: "fine")
    text = talk.say("weather in Seoul and flights to Busan")
    question = "To call `find_flights` I still need `date` (day of departure). What should it be?"
    assert text == f"Weather for Seoul: fine.\n\n{question}"
    assert talk.say("tomorrow") == "Flights (origin: Seoul, destination: Busan, date: 2026-05-02): fine."


def test_a_change_of_subject_is_no_answer(toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["travel"], lambda *_: "fine")
    talk.say("flights to Busan")
    assert talk.say("weather in Oslo") == "Weather for Oslo: fine."


def test_a_request_may_lean_on_the_one_before(toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["travel"], lambda *_: "fine")
    talk.say("weather in Oslo in fahrenheit")
    assert talk.say("And in Paris?") == "Weather for Paris: fine."
    assert talk.say("How about Rome and Bern?") == "Weather for Rome: fine.\nWeather for Bern: fine."
    assert talk.say("thanks").startswith("This is the offline model.")


def test_the_same_request_later_is_a_new_one(toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["travel"], lambda *_: "fine")
    for _ in range(2):
        assert talk.say("weather in Oslo") == "Weather for Oslo: fine."
        assert len(talk.calls) == 1


def test_tool_choice(toolsets: Mapping[str, str]) -> None:
    tools = toolsets["travel"]
    assert reply("weather in Oslo", tools, tool_choice="none").text.startswith("This is the offline model.")
    assert named(reply("Hello", tools, tool_choice="required")) == [("get_weather", {"city": "Hello", "unit": None})]
    assert named(reply("weather in Oslo", tools, tool_choice="required")) == [
        ("get_weather", {"city": "Oslo", "unit": None})
    ]
    flights = {"type": "function", "function": {"name": "find_flights"}}
    wanted = [("find_flights", {"origin": "Oslo", "destination": "weather in Oslo", "date": None})]
    assert named(reply("weather in Oslo", tools, tool_choice=flights)) == wanted
    assert named(reply("weather in Oslo", tools, tool_choice={"type": "function", "name": "find_flights"})) == wanted
    with pytest.raises(ModelError, match="'nothing', which is none of the tools") as error:
        reply("Hi", tools, tool_choice={"type": "function", "function": {"name": "nothing"}})
    assert error.value.code == "invalid_prompt"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_a_forced_call_is_made_once(choice: Any, toolsets: Mapping[str, str]) -> None:
    talk = Talk(toolsets["travel"], lambda *_: "fine", tool_choice=choice)
    assert talk.say("Oslo") == "Weather for Oslo: fine."
    assert len(talk.calls) == 1


def test_json_answers(toolsets: Mapping[str, str]) -> None:
    assert json.loads(reply("Hi", response_format={"type": "json_object"}).text)["answer"].startswith("This is")
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "temperature": {"type": "number"},
            "unit": {"type": "string", "enum": ["c", "f"]},
            "warm": {"type": "boolean"},
            "summary": {"type": "string"},
        },
        "required": ["city", "temperature", "unit", "warm", "summary"],
    }
    response_format = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    output = json.dumps({"temperature": 21.5, "unit": "kelvin", "warm": True, "other": 1})
    talk = Talk(toolsets["travel"], lambda *_: output, response_format=response_format)
    assert json.loads(talk.say("weather in Oslo")) == {
        "city": "Oslo",
        "temperature": 21.5,
        "unit": "c",
        "warm": True,
        "summary": "Weather for Oslo: temperature: 21.5, unit: kelvin, warm: yes, other: 1.",
    }
    assert reply("Hi", response_format={"type": "text"}).text.startswith("This is")
    assert reply("Hi", response_format="auto").text.startswith("This is")


def test_images_alone_are_no_request() -> None:
    content = [{"type": "image_url", "image_url": {"url": "http://a.b/c.png"}}]
    request = ModelRequest("offline", [json.dumps({"role": "user", "content": content})])
    assert "You asked" not in reply_to(request, today).text
