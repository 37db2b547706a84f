from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from toolkit.engine.offline.answering import Done, answer, introduction, is_question, question
from toolkit.engine.offline.matching import plan
from toolkit.engine.offline.toolbox import toolbox


def said(output: Any, name: str = "get_weather", **arguments: Any) -> str:
    return answer([Done(name, arguments, output if isinstance(output, str) else json.dumps(output))])


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("21 °C and sunny", "Weather for Seoul: 21 °C and sunny."),
        ("It rains!", "Weather for Seoul: It rains!"),
        ('"quoted"', "Weather for Seoul: quoted."),
        ("# Title\n\nText.\n", "Weather for Seoul:\n# Title\n\nText."),
        (0.35, "Weather for Seoul: 0.35."),
        (True, "Weather for Seoul: yes."),
        (False, "Weather for Seoul: no."),
        (None, "Get weather for Seoul: done."),
        ("", "Get weather for Seoul: done."),
        ({}, "Get weather for Seoul: done."),
        ([], "Weather for Seoul: nothing found."),
        (["a", "b", 3], "Weather for Seoul: a, b and 3."),
        ({"temperature": 21, "rain": False}, "Weather for Seoul: temperature: 21, rain: no."),
        ({"city": "Seoul", "wind_speed": 3}, "Weather for Seoul: wind speed: 3."),
        ({"city": "Seoul"}, "Weather for Seoul: city: Seoul."),
        (
            {"wind": {"speed": 3, "from": None}, "days": ["Mo", "Tu"], "x": []},
            "Weather for Seoul: wind: (speed: 3, from: none), days: Mo and Tu, x: none.",
        ),
        (
            [{"file": "a.md", "line": 3}, {"file": "b.md", "line": 4}],
            "Weather for Seoul:\n- file: a.md, line: 3\n- file: b.md, line: 4",
        ),
        ({"error": "No such city"}, "Weather for Seoul did not work out: No such city."),
        ("The tool get_weather failed.", "Weather for Seoul did not work out: The tool get_weather failed."),
        ("Error: no station", "Weather for Seoul did not work out: Error: no station."),
        ("[" * 10_000, f"Weather for Seoul: {'[' * 4_000} …"),
    ],
)
def test_outputs_in_words(output: Any, text: str) -> None:
    assert said(output, city="Seoul", unit=None) == text


KEPT = "[/mnt/data/a b.csv is kept for the user: sandbox:/mnt/data/a b.csv]"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("4", "4"),
        ("[1, 2]", "[1, 2]"),
        ("[[1, 2]\n [3, 4]]\n[5]", "[[1, 2]\n [3, 4]]\n[5]"),
        (f"[1]\n{KEPT}", "[1]\n\nFiles: [a b.csv](sandbox:/mnt/data/a b.csv)"),
        (KEPT, "Files: [a b.csv](sandbox:/mnt/data/a b.csv)"),
        ("[2 images are shown to the user with your answer.]", "Done."),
        (
            "[1]\n[1 image is shown to the user with your answer.]\n" + KEPT + "\n[There is more of this: 3]",
            "[1]\n\nFiles: [a b.csv](sandbox:/mnt/data/a b.csv)",
        ),
        ("x\n[The user's file 'a.csv' is /mnt/data/a-2.csv here.]", "x"),
        ("x\n[The file 'a.csv' could not be put into the session: too large]", "x"),
        ("The code ran, and printed nothing.", "The code ran, and printed nothing."),
    ],
)
def test_what_code_printed_is_told_without_the_engines_notes(output: str, text: str) -> None:
    assert said(output, "code_interpreter", code="1") == text


def test_long_listings_are_cut() -> None:
    lines = said([{"n": n} for n in range(50)]).split("\n")
    assert (len(lines), lines[1], lines[-1]) == (22, "- n: 0", "... and 30 more")


@pytest.mark.parametrize(
    ("name", "arguments", "subject"),
    [
        (
            "find_flights",
            {"origin": "Seoul", "destination": "Busan", "date": None},
            "Flights (origin: Seoul, destination: Busan)",
        ),
        ("roll_dice", {"sides": 6}, "Dice (sides: 6)"),
        ("listFiles", {"folder": "."}, "Files"),
        ("ping", {}, "Ping"),
        ("search_notes", {"text": "x" * 100}, "Notes"),
        ("set_light", {"room": "kitchen", "on": True}, "Light for kitchen"),
    ],
)
def test_subjects(name: str, arguments: dict[str, Any], subject: str) -> None:
    assert said(7, name, **arguments) == f"{subject}: 7."


def test_each_call_has_its_line() -> None:
    done = [Done("get_weather", {"city": city}, "fine") for city in ("Seoul", "Oslo")]
    assert answer(done) == "Weather for Seoul: fine.\nWeather for Oslo: fine."


def test_questions_are_known_again(toolsets: Mapping[str, str]) -> None:
    text = question(plan("a flight", toolbox(toolsets["dated"]), lambda: date(2026, 5, 1)))
    assert text == (
        "To call `find_flights` I still need `origin` (city to leave from), `destination` (city to fly to) "
        "and `date` (day of departure). What should they be?"
    )
    assert is_question(text)
    assert is_question(f"Weather for Seoul: fine.\n\n{text}")
    assert not is_question("To call or not to call")


def test_a_question_names_the_choices() -> None:
    unit = {"type": "string", "enum": ["c", "f"]}
    function = {"name": "measure", "parameters": {"properties": {"unit": unit}, "required": ["unit"]}}
    box = toolbox(json.dumps([{"type": "function", "function": function}]))
    assert question(plan("measure it", box, lambda: date(2026, 5, 1))) == (
        "To call `measure` I still need `unit` (one of c, f). What should it be?"
    )


def test_it_says_what_it_is_and_how_to_get_a_real_one(toolsets: Mapping[str, str]) -> None:
    text = introduction("Tell me a joke", None)
    assert text == (
        "This is the offline model. It is not a language model: it only matches words to tools. "
        'You asked: "Tell me a joke". There are no tools to call, so there is nothing more I can do. '
        "For real answers, set TOOLKIT_MODEL_URL and TOOLKIT_MODEL (or `--model-url URL --model NAME`)."
    )
    assert "You asked" not in introduction("", None)
    assert '"w w w w w w w w w w w w ..."' in introduction("w " * 50, None)
    assert "there are `get_weather` and `find_flights`." in introduction("Hi", toolbox(toolsets["travel"]))
    assert "`get_order_status`" not in introduction("Hi", toolbox(toolsets["mixed"]))
    assert "and 3 more." in introduction("Hi", toolbox(toolsets["mixed"]))
