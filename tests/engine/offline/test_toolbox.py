from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.engine.offline.toolbox import Parameter, parameters_of, toolbox


def parameter(name: str, schema: dict[str, Any], **root: Any) -> Parameter:
    whole = {"type": "object", "properties": {name: schema}, "required": [name], **root}
    return parameters_of(whole, whole)[0]


@pytest.mark.parametrize(
    ("name", "schema", "role"),
    [
        ("city", {}, "place"),
        ("origin", {"description": "City to leave from."}, "from"),
        ("from_currency", {}, "from"),
        ("destination", {}, "to"),
        ("startDate", {"format": "date"}, "date"),
        ("day", {}, "date"),
        ("file_name", {}, "file"),
        ("name", {"description": "File name of the note."}, "file"),
        ("name", {"description": "Who it is."}, "name"),
        ("note", {"description": "Name of a file."}, "file"),
        ("note", {"description": "What to remember."}, "free"),
        ("folder", {}, "folder"),
        ("column", {}, "column"),
        ("query", {}, "free"),
        ("limit", {}, "most"),
        ("recipient_email", {}, "email"),
        ("x", {"format": "uri"}, "url"),
        ("x", {}, ""),
    ],
)
def test_roles(name: str, schema: dict[str, Any], role: str) -> None:
    assert parameter(name, {"type": "string", **schema}).role == role


@pytest.mark.parametrize(
    ("schema", "plain", "nullable"),
    [
        ({"type": "string"}, {"type": "string"}, False),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "integer"}, True),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, {"type": "integer"}, False),
        ({"anyOf": [{"type": "null"}]}, {}, True),
        ({"type": ["string", "null"]}, {"type": "string"}, True),
        ({"enum": ["a", None]}, {"enum": ["a"]}, True),
        ({"$ref": "#/$defs/Unit"}, {"enum": ["c", "f"]}, False),
        ({"anyOf": [{"$ref": "#/$defs/Unit"}, {"type": "null"}]}, {"enum": ["c", "f"]}, True),
        ({"$ref": "#/$defs/Loop"}, {}, True),
        ({"$ref": "#/nowhere"}, {}, False),
    ],
)
def test_null_and_references_are_taken_out(schema: dict[str, Any], plain: dict[str, Any], nullable: bool) -> None:
    found = parameter("x", schema, **{"$defs": {"Unit": {"enum": ["c", "f"]}, "Loop": {"$ref": "#/$defs/Loop"}}})
    assert (dict(found.schema), found.nullable) == (plain, nullable)


def test_both_forms_of_a_function_and_none_that_are_others() -> None:
    function = {"name": "get_weather", "description": "Weather.", "parameters": {"properties": {"city": {}}}}
    tools = [{"type": "function", "function": function}, {"type": "function", **function}, {"type": "file_search"}, 7]
    first, second = toolbox(json.dumps(tools)).tools
    assert first == second
    assert [each.name for each in first.parameters] == ["city"]
    assert toolbox(json.dumps(tools)).known == {"get", "weather", "city"}


def test_a_function_may_have_a_name_alone() -> None:
    [tool] = toolbox('[{"type":"function","function":{"name":"ping","parameters":null,"description":null}}]').tools
    assert (tool.name, tool.parameters) == ("ping", ())


def test_a_word_that_many_tools_share_says_less() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("read_note", "list_note", "send_mail")]
    read, _, send = toolbox(json.dumps(tools)).tools
    assert read.words["note"] < read.words["read"] == send.words["send"]
