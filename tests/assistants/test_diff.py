"""A plan as people read it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from toolkit.assistants.plan import decide
from toolkit.assistants.wanted import Wanted

Json = dict[str, Any]


def function(name: str, text: str = "", **parameters: Json) -> Json:
    schema = {"type": "object", "properties": parameters, "required": sorted(parameters)}
    return {"type": "function", "function": {"name": name, "description": text, "parameters": schema, "strict": True}}


def wanted(*functions: Json, **fields: Any) -> Wanted:
    return Wanted(functions, name="Weather", fields={"model": "gpt-4o", **fields})


TEMPERATURE = function("get_temperature", "Temperature.", location={"type": "string"})
CONVERT = function("convert", "Convert.\n\nBetween any two units.")
THERE: Json = {"id": "asst_1", **decide(wanted(TEMPERATURE, CONVERT, instructions="Be brief."), None).request}


def test_an_assistant_to_be_made() -> None:
    assert str(decide(wanted(TEMPERATURE, CONVERT), None)) == (
        'Assistant "Weather" would be made:\n'
        '  + name: "Weather"\n'
        '  + model: "gpt-4o"\n'
        "  + get_temperature: Temperature.\n"
        "  + convert: Convert.\n"
        "Functions: 2 to add, 0 to change, 0 to remove."
    )


def test_nothing_to_do() -> None:
    assert str(decide(wanted(TEMPERATURE, CONVERT), THERE)) == 'Assistant "Weather" (asst_1) is as it should be.'
    nameless = {**THERE, "name": None}
    plan = decide(Wanted([TEMPERATURE, CONVERT], assistant_id="asst_1"), nameless)
    assert str(plan) == "Assistant asst_1 is as it should be."


def test_all_that_may_change() -> None:
    better = function(
        "get_temperature",
        "Get the current temperature for a specific location, as the nearest station has measured it.",
        location={"type": "string", "description": "City."},
        unit={"enum": ["C", "F"]},
    )
    told = 'Be brief.\nSay "degrees".'
    there = {**THERE, "tools": [{"type": "file_search"}, *THERE["tools"], function("lookup")]}
    plan = decide(wanted(better, function("rain", "Rain."), model="gpt-4.1", instructions=told, top_p=0.5), there)
    assert str(plan) == (
        'Assistant "Weather" (asst_1) would change:\n'
        '  ~ model: "gpt-4o" -> "gpt-4.1"\n'
        '  ~ instructions: "Be brief." -> "Be brief.\\nSay \\"degrees\\"."\n'
        "  + top_p: 0.5\n"
        "  ~ get_temperature\n"
        "      ~ description\n"
        "          - Temperature.\n"
        "          + Get the current temperature for a specific location, as the nearest\n"
        "            station has measured it.\n"
        '      + parameters.properties.location.description: "City."\n'
        '      + parameters.properties.unit: {"enum": ["C", "F"]}\n'
        '      ~ parameters.required: ["location"] -> ["location", "unit"]\n'
        "  + rain: Rain.\n"
        "  - convert\n"
        "Functions: 1 to add, 1 to change, 1 to remove. Tools of others stay:\n"
        "file_search, lookup."
    )


def test_long_instructions_show_the_lines_that_differ() -> None:
    before = [f"Rule {number}." for number in range(30)]
    after = [*before[:3], "Rule three, and a half.", *before[4:20], *before[21:]]
    there = {**THERE, "instructions": "\n".join(before)}
    text = str(decide(wanted(TEMPERATURE, CONVERT, instructions="\n".join(after)), there))
    assert text.splitlines()[1:-1] == [
        "  ~ instructions",
        "        Rule 2.",
        "      - Rule 3.",
        "      + Rule three, and a half.",
        "        Rule 4.",
        "      ...",
        "        Rule 19.",
        "      - Rule 20.",
        "        Rule 21.",
    ]


def test_what_others_did() -> None:
    theirs = function("get_temperature", "Theirs.", location={"type": "string"})
    plan = decide(wanted(TEMPERATURE, CONVERT), {**THERE, "tools": [theirs]})
    assert str(plan).splitlines()[1:] == [
        "  ! get_temperature: somebody else changed it",
        '      ~ description: "Theirs." -> "Temperature."',
        "  ! convert: somebody else took it off",
        "Functions: 0 to add, 0 to change, 0 to remove, 2 in conflict.",
        "What others did stays, and nothing is sent, unless overwrite is said.",
    ]


def test_what_is_there_already() -> None:
    plan = decide(wanted(TEMPERATURE), {"id": "asst_1", "model": "gpt-4o", "name": "Weather", "tools": [TEMPERATURE]})
    assert str(plan).splitlines()[1:] == [
        "  = get_temperature: there already, and ours from now on",
        "Functions: 0 to add, 0 to change, 0 to remove, 1 there already.",
    ]


def test_a_server_does_not_steer_the_terminal() -> None:
    there = {**THERE, "instructions": "a\x1b[31m\x9bb", "name": "We\x07ather"}
    text = str(decide(wanted(TEMPERATURE, CONVERT, instructions="red\x1b[0m\n" * 40), there))
    assert not {code for code in map(ord, text) if code < 32 or 127 <= code < 160} - {ord("\n")}


TEXTS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=400)


@given(TEXTS, TEXTS, st.text("abc_-", min_size=64, max_size=64), st.sampled_from([THERE, None]))
def test_it_fits_into_eighty_columns(told: str, text: str, name: str, there: Json | None) -> None:
    found = there and {**there, "tools": [function(name, told), *there["tools"]]}
    plan = decide(wanted(function(name, text, **{name: {"enum": [text]}}), TEMPERATURE, instructions=told), found)
    assert max(map(len, str(plan).splitlines())) <= 80
