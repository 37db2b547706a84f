from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.tools.fitting import misfits, pointed


def said(value: object, schema: dict[str, Any]) -> list[str]:
    return list(misfits(value, schema, schema))


@pytest.mark.parametrize(
    ("value", "schema", "found"),
    [
        ({"a": 1}, {"properties": {"a": {"type": "string"}}}, ["a: must be of type string"]),
        ({}, {"required": ["a", "b"]}, ["a: missing", "b: missing"]),
        ({"z": 1}, {"properties": {}, "additionalProperties": False}, ["z: unknown"]),
        ({"a": [{"b": None}]}, {"properties": {"a": {"items": {"required": ["c"]}}}}, ["a[0].c: missing"]),
        ({"a": "x"}, {"properties": {"a": {"enum": ["y", 1]}}}, ["a: must be one of 'y', 1"]),
        (True, {"type": "integer"}, ["the arguments: must be of type integer"]),
        ({"a": "xxx"}, {"properties": {"a": {"maxLength": 2}}}, ["a: must have at most 2 characters"]),
        ({"a": []}, {"properties": {"a": {"minItems": 1}}}, ["a: must have at least 1 items"]),
        (1, {"anyOf": [{"type": "string"}]}, ["the arguments: fits none of the forms that it may have"]),
        ({}, {"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}, ["the arguments: must be of type null"]),
    ],
)
def test_what_is_told(value: object, schema: dict[str, Any], found: list[str]) -> None:
    assert said(value, schema) == found


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"anyOf": [{"$ref": "#"}]},
        {"$ref": "#/nowhere"},
        {"$ref": "https://elsewhere.example/schema"},
        {"type": 3, "required": "a", "properties": [], "enum": "x", "minimum": "many", "anyOf": {}, "items": 1},
        {"pattern": "(a+)+$"},
    ],
)
def test_a_schema_of_any_shape_is_survived(schema: dict[str, Any]) -> None:
    for value in ({"a": "a" * 40 + "!"}, [1], "text", 1, None, True):
        assert said(value, schema) == []


def test_nothing_that_came_in_is_echoed() -> None:
    schema = {"properties": {"a": {"type": "integer"}}}
    assert "secret" not in "".join(said({"a": "secret"}, schema))


def test_references_are_followed_within_the_document() -> None:
    root = {"a": [{"b/c": {"d~e": 1}}]}
    assert pointed("#/a/0/b~1c/d~0e", root) == 1
    assert pointed("#", root) is root
    assert pointed("#/a/1", root) is None
    assert pointed("other.json#/a", root) is None


SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | st.sampled_from(["", "a", "bb"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner)
)
KINDS = st.sampled_from(["string", "integer", "number", "boolean", "null", "object", "array"])
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": KINDS | st.lists(KINDS, min_size=1, max_size=2, unique=True),
        "enum": st.lists(SCALARS.filter(lambda value: not isinstance(value, float)), min_size=1, max_size=3),
        "minimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "maxLength": st.integers(0, 2),
        "minItems": st.integers(0, 2),
    },
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), inner),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
        },
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, VALUES)
def test_it_agrees_with_a_whole_validator(schema: dict[str, Any], value: Any) -> None:
    assert (said(value, schema) == []) is jsonschema.Draft202012Validator(schema).is_valid(value)
