from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from toolkit.engine.offline.filling import empty, fill, fill_schema
from toolkit.engine.offline.toolbox import toolbox


def today() -> date:
    return date(2026, 5, 1)


def filled(
    text: str, required: bool = True, around: str | None = None, **properties: Any
) -> dict[str, Any] | list[str]:
    """The arguments, or the names of what is missing."""
    schema = {"type": "object", "properties": properties, "required": list(properties) if required else []}
    box = toolbox(json.dumps([{"type": "function", "function": {"name": "do", "parameters": schema}}]))
    found = fill(box.tools[0], text, text if around is None else around, today, box.known)
    return [each.name for each in found.missing] or found.each[0]


NULL = {"type": "null"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("in red, not blue", {"enum": ["blue", "red"]}, "red"),
        ("give it as plain text", {"enum": ["plain_text", "html"]}, "plain_text"),
        ("in °F", {"enum": ["c", "f"]}, "f"),
        ("in miles", {"enum": ["metric", "imperial"]}, "imperial"),
        ("x = f", {"enum": ["c", "f"]}, "f"),
        ("2 of them", {"enum": [1, 2]}, 2),
        ("anything", {"const": "fixed"}, "fixed"),
        ("take 7", {"type": "integer"}, 7),
        ("take seven", {"type": "integer"}, 7),
        ("take 7.5", {"type": "number"}, 7.5),
        ("take 7.5 or 9", {"type": "integer"}, 9),
        ("take 7 or 20", {"type": "integer", "minimum": 10}, 20),
        ("take 7 or 20", {"type": "integer", "maximum": 6}, None),
        ("with x", {"type": "boolean"}, True),
        ("without x", {"type": "boolean"}, False),
        ("anything", {"type": "boolean"}, False),
        ("add 1, 2 and 3.5", {"type": "array", "items": {"type": "number"}}, [1, 2, 3.5]),
        ("Oslo and Rome", {"type": "array", "items": {"type": "string"}}, ["Oslo", "Rome"]),
        ("milk, eggs and bread", {"type": "array"}, ["milk", "eggs", "bread"]),
        ("red and blue", {"type": "array", "items": {"enum": ["blue", "green", "red"]}}, ["blue", "red"]),
        ("for the code ABC-12", {"type": "string"}, "ABC-12"),
        ("for Alice", {"type": "string"}, "Alice"),
        ('for "whole thing" or Alice', {"type": "string"}, "whole thing"),
        ("x: 'beans'", {"type": "string"}, "beans"),
        ("x is 12", {"type": "string"}, "12"),
        ("on 2026-06-01", {"type": "string", "format": "date"}, "2026-06-01"),
        ("at 7pm", {"type": "string", "format": "time"}, "19:00"),
        ("to a@b.de", {"type": "string", "format": "email"}, "a@b.de"),
        ("see http://a.b/c", {"type": "string", "format": "uri"}, "http://a.b/c"),
        ("for Alice", {"type": "string", "pattern": "^[a-z]+$"}, None),
        ("for Alice", {"type": "string", "pattern": "("}, "Alice"),
        ("at 7", {"type": "string", "format": "date"}, None),
        ("Oslo", CITY, {"city": "Oslo"}),
        ("hm", {"type": "object", "properties": {"city": {"type": "integer"}}, "required": ["city"]}, None),
        ("Rome", {"type": "array", "items": CITY}, [{"city": "Rome"}]),
        ("take 7", {"anyOf": [{"type": "integer"}, NULL]}, None),
        ("x 7", {"anyOf": [{"type": "integer"}, NULL]}, 7),
        ("anything", NULL, None),
    ],
)
def test_one_parameter(text: str, schema: dict[str, Any], value: Any) -> None:
    found = filled(text, x=schema)
    if value is None:
        assert found in (["x"], {"x": None})
    else:
        assert found == {"x": value}


def test_what_may_be_left_out_is_left_out() -> None:
    assert filled("for Alice", required=False, x={"type": "string"}, n={"type": "integer"}) == {}
    assert filled("n 3", required=False, x={"type": "string"}, n={"type": "integer"}) == {"n": 3}


def test_what_is_missing_is_looked_for_around() -> None:
    place = {"type": "string"}
    assert filled("the weather", around="the weather, in Oslo", city=place) == {"city": "Oslo"}
    assert filled("from Rome", around="from Rome, in Oslo", origin=place, destination=place) == {
        "origin": "Rome",
        "destination": "Oslo",
    }


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "said"),
        ({"type": "integer"}, 0),
        ({"type": "number", "minimum": 2}, 2),
        ({"type": "boolean"}, False),
        ({"type": "array"}, []),
        ({"type": "null"}, None),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 4}, 4),
        ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}, {"a": 0}),
    ],
)
def test_the_least_that_fits(schema: dict[str, Any], value: Any) -> None:
    assert empty(schema, "said") == value


def test_an_object_schema_is_filled_as_well_as_can_be() -> None:
    properties = {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "warm": {"type": "boolean"},
        "note": {"type": "string"},
    }
    schema = {"type": "object", "properties": properties, "required": ["city", "days", "warm"]}
    assert fill_schema(schema, "three days in Seoul", today) == {"city": "Seoul", "days": 3, "warm": False}
