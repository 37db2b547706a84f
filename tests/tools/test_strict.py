from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from toolkit.tools.strict import NotStrict, entry, strict_schema

Problems = Callable[[dict[str, Any]], list[str]]


def root(node: dict[str, Any], *, required: bool = True, **defs: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {"x": node}, "additionalProperties": False}
    return schema | ({"required": ["x"]} if required else {}) | ({"$defs": defs} if defs else {})


POINT = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
STRICT_POINT = POINT | {"additionalProperties": False}
STRING: dict[str, Any] = {"type": "string"}


@pytest.mark.parametrize(
    ("plain", "strict", "rules"),
    [
        (
            {"type": "string", "description": "d", "title": "T", "examples": ["e"]},
            {"type": "string", "description": "d"},
            [],
        ),
        ({"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2},) * 2 + ([],),
        ({"type": "string", "minLength": 1, "maxLength": 2, "pattern": "^a"},) * 2 + ([],),
        ({"type": "string", "pattern": "(?=a)b"}, STRING, ["x: pattern (?=a)b"]),
        ({"type": "string", "pattern": "(?<!a)b"}, STRING, ["x: pattern (?<!a)b"]),
        ({"type": "string", "format": "date"},) * 2 + ([],),
        ({"type": "string", "format": "path"}, STRING, []),
        ({"type": "string", "format": "uri"}, STRING, ["x: format uri"]),
        ({"type": "string", "format": "uuid4"}, {"type": "string", "format": "uuid"}, ["x: format uuid4"]),
        ({"type": "string", "contentMediaType": "application/json"}, STRING, ["x: JSON text"]),
        (POINT, STRICT_POINT, []),
        (
            {"type": "array", "items": STRING, "uniqueItems": True},
            {"type": "array", "items": STRING},
            ["x: unique items"],
        ),
        ({"type": "array", "maxItems": 0}, {"type": "array", "maxItems": 0, "items": {"type": "null"}}, []),
        (
            {"type": "array", "prefixItems": [STRING, STRING], "minItems": 2, "maxItems": 2},
            {"type": "array", "items": STRING, "minItems": 2, "maxItems": 2},
            [],
        ),
        (
            {"type": "array", "prefixItems": [STRING, {"type": "integer", "description": "n"}], "minItems": 2},
            {
                "type": "array",
                "items": {
                    "anyOf": [STRING | {"description": "Item 1"}, {"type": "integer", "description": "Item 2: n"}]
                },
                "minItems": 2,
            },
            ["x: items in this order: string, integer"],
        ),
        (
            {"enum": [1, "a", None, True]},
            {
                "anyOf": [
                    {"type": "integer", "enum": [1]},
                    {"type": "string", "enum": ["a"]},
                    {"type": "null"},
                    {"type": "boolean", "enum": [True]},
                ]
            },
            [],
        ),
        ({"const": "a", "type": "string"}, {"type": "string", "enum": ["a"]}, []),
        ({"type": ["string", "null"]}, {"anyOf": [STRING, {"type": "null"}]}, []),
        ({"oneOf": [STRING, {"type": "null"}], "discriminator": {}}, {"anyOf": [STRING, {"type": "null"}]}, []),
        ({"anyOf": [STRING, {"anyOf": [STRING, {"type": "null"}]}]}, {"anyOf": [STRING, {"type": "null"}]}, []),
        ({"allOf": [POINT], "description": "d"}, STRICT_POINT | {"description": "d"}, []),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"key": STRING, "value": {"type": "integer"}},
                    "required": ["key", "value"],
                    "additionalProperties": False,
                },
                "minItems": 1,
            },
            [],
        ),
    ],
)
def test_each_keyword(plain: Any, strict: Any, rules: list[str], strict_problems: Problems) -> None:
    schema, lost = strict_schema(root(plain))
    assert schema["properties"]["x"] == strict
    assert list(lost) == rules
    assert strict_problems(schema) == []


@pytest.mark.parametrize(
    ("plain", "strict"),
    [
        (STRING, {"anyOf": [STRING, {"type": "null"}]}),
        (
            STRING | {"default": "é", "description": "d"},
            {"anyOf": [STRING, {"type": "null", "description": 'Use the default: "é"'}], "description": "d"},
        ),
        (STRING | {"default": "e" * 300}, {"anyOf": [STRING, {"type": "null", "description": "Use the default"}]}),
        ({"type": "null", "default": None}, {"anyOf": [{"type": "null"}]}),
        (
            {"anyOf": [STRING, {"type": "null"}], "default": "a"},
            {"anyOf": [STRING, {"type": "null", "description": 'Use the default: "a"'}]},
        ),
    ],
)
def test_a_default_is_said_beside_the_null(plain: Any, strict: Any, strict_problems: Problems) -> None:
    schema, _ = strict_schema(root(plain, required=False))
    assert schema["properties"]["x"] == strict
    assert schema["required"] == ["x"]
    assert strict_problems(schema) == []


def test_a_reference_with_a_text_is_wrapped_and_defaults_of_what_it_means_become_null(
    strict_problems: Problems,
) -> None:
    tree = {
        "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/Tree"}, "default": []}},
    }
    schema, _ = strict_schema(root({"$ref": "#/$defs/Tree", "description": "d"}, Tree=tree))
    assert schema["properties"]["x"] == {"anyOf": [{"$ref": "#/$defs/Tree"}], "description": "d"}
    assert schema["$defs"]["Tree"]["required"] == ["kids"]
    assert schema["$defs"]["Tree"]["properties"]["kids"]["anyOf"][1] == {
        "type": "null",
        "description": "Use the default: []",
    }
    assert strict_problems(schema) == []


@pytest.mark.parametrize(
    ("plain", "where"),
    [
        ({}, "x"),
        ({"type": "object", "additionalProperties": True}, "x"),
        ({"type": "array", "items": {}}, "x[]"),
        ({"type": "array"}, "x[]"),
        ({"anyOf": [STRING, {}]}, "x"),
        ({"allOf": [POINT, POINT]}, "x"),
        ({"enum": [[1]]}, "x"),
        ({"type": "object", "properties": {"y": {"type": "object", "additionalProperties": True}}}, "x.y"),
        ({"anyOf": [{"type": "object", "additionalProperties": STRING}, {"type": "array", "items": STRING}]}, "x"),
    ],
)
def test_what_would_lose_its_meaning_is_refused_with_its_place(plain: Any, where: str) -> None:
    with pytest.raises(NotStrict) as caught:
        strict_schema(root(plain))
    assert caught.value.where == where
    assert "write" in caught.value.why


def wide(count: int) -> dict[str, Any]:
    return {"type": "object", "properties": {f"p{each}": STRING for each in range(count)}}


def deep(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = STRING
    for _ in range(levels):
        node = {"type": "array", "items": node}
    return node


@pytest.mark.parametrize(
    ("fits", "does_not", "word"),
    [
        (wide(4_999), wide(5_000), "properties"),
        (deep(9), deep(10), "levels"),
        ({"enum": list(range(1_000))}, {"enum": list(range(1_001))}, "enum values"),
        ({"enum": ["e" * 119_999]}, {"enum": ["e" * 120_000]}, "characters"),
    ],
    ids=lambda each: "" if isinstance(each, dict) else each,
)
def test_limits(fits: Any, does_not: Any, word: str) -> None:
    strict_schema(root(fits))
    with pytest.raises(NotStrict, match=word):
        strict_schema(root(does_not))


def test_a_mapping_shows_its_key_and_value() -> None:
    assert entry({"type": "object", "additionalProperties": STRING}) == (STRING, STRING)
    assert entry({"type": "object", "additionalProperties": STRING, "propertyNames": {"enum": ["a"]}}) == (
        {"type": "string", "enum": ["a"]},
        STRING,
    )
    assert entry({"type": "object", "patternProperties": {"^a": POINT}}) == ({"type": "string", "pattern": "^a"}, POINT)
    assert entry(POINT) is None
    assert entry({"type": "object", "additionalProperties": True}) is None
    assert entry({"type": "array"}) is None


def test_the_rules_of_these_tests_can_fail(strict_problems: Problems) -> None:
    bad = {
        "type": "object",
        "properties": {"x": {"default": 1}, "y": {"$ref": "#/$defs/Y", "title": "Y"}},
        "required": [],
    }
    assert len(strict_problems(bad)) >= 6
