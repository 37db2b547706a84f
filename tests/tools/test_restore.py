from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import ArgumentsInvalid
from toolkit.tools.restore import has_inner_defaults, has_mappings, restore

INT = {"type": "integer"}
MAYBE = {"anyOf": [INT, {"type": "null"}]}
POINT = {"type": "object", "properties": {"a": INT, "b": {"type": "integer", "default": 2}}, "required": ["a"]}
NULLABLE = {
    "type": "object",
    "properties": {"a": INT, "b": MAYBE, "c": INT},
    "required": ["a", "b", "c"],
}
MAP = {"type": "object", "additionalProperties": POINT}
TREE = {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/Tree"}, "default": []}}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "point": POINT,
        "points": {"type": "array", "items": POINT},
        "pair": {"type": "array", "prefixItems": [POINT, MAP]},
        "map": MAP,
        "either": {"anyOf": [POINT, NULLABLE, {"type": "string"}]},
        "tagged": {
            "oneOf": [
                {"type": "object", "properties": {"kind": {"const": "n"}, "b": MAYBE}, "required": ["kind", "b"]},
                {"type": "object", "properties": {"kind": {"const": "d"}, "b": INT}, "required": ["kind"]},
            ]
        },
        "tree": {"$ref": "#/$defs/Tree"},
        "optional": INT,
    },
    "required": ["point"],
    "$defs": {"Tree": TREE},
}


@pytest.mark.parametrize(
    ("strict", "plain"),
    [
        ({"point": {"a": 1, "b": None}}, {"point": {"a": 1}}),
        ({"point": {"a": None, "b": 3}}, {"point": {"a": None, "b": 3}}),
        ({"points": [{"a": 1, "b": None}, 7]}, {"points": [{"a": 1}, 7]}),
        (
            {"pair": [{"a": 1, "b": None}, [{"key": "k", "value": {"a": 1, "b": None}}]]},
            {"pair": [{"a": 1}, {"k": {"a": 1}}]},
        ),
        (
            {"map": [{"key": "k", "value": {"a": 1, "b": None}}, {"key": "l", "value": 3}]},
            {"map": {"k": {"a": 1}, "l": 3}},
        ),
        ({"map": {"k": {"a": 1}}}, {"map": {"k": {"a": 1}}}),
        ({"map": []}, {"map": {}}),
        ({"either": {"a": 1, "b": None}}, {"either": {"a": 1}}),
        ({"either": {"a": 1, "b": None, "c": 3}}, {"either": {"a": 1, "b": None, "c": 3}}),
        ({"either": "text"}, {"either": "text"}),
        ({"either": {"zz": None}}, {"either": {"zz": None}}),
        ({"tagged": {"kind": "n", "b": None}}, {"tagged": {"kind": "n", "b": None}}),
        ({"tagged": {"kind": "d", "b": None}}, {"tagged": {"kind": "d"}}),
        ({"tree": {"kids": [{"kids": None}, {"kids": [{"kids": None}]}]}}, {"tree": {"kids": [{}, {"kids": [{}]}]}}),
        ({"optional": None, "unknown": None}, {"unknown": None}),
        ([1], [1]),
        (None, None),
    ],
)
def test_strict_form_to_plain_form(strict: Any, plain: Any) -> None:
    assert restore(strict, SCHEMA, SCHEMA) == plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"map": [{"key": "k", "value": 1}, {"key": "k", "value": 2}]}, "map: 'k' is given twice"),
        ({"map": [{"key": 1, "value": 1}]}, "map: must be a list of objects"),
        ({"map": [3]}, "map: must be a list of objects"),
        ({"pair": [{}, [{"key": "k", "value": 1, "more": 2}]]}, "pair[1]: must be a list of objects"),
        ({"map": [{"key": "k" * 10_000, "value": 1}] * 2}, "map: 'kkk"),
    ],
)
def test_entries_that_make_no_mapping_are_told(value: Any, text: str) -> None:
    with pytest.raises(ArgumentsInvalid) as caught:
        restore(value, SCHEMA, SCHEMA)
    assert str(caught.value).startswith(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("part", "defaults", "mappings"),
    [
        (INT, False, False),
        (POINT, True, False),
        (MAP, True, True),
        (NULLABLE, False, False),
        ({"type": "array", "items": POINT}, True, False),
        ({"type": "object", "additionalProperties": INT}, False, True),
    ],
)
def test_only_what_differs_below_the_top_needs_the_pass(part: Any, defaults: bool, mappings: bool) -> None:
    for schema in ({"type": "object", "properties": {"x": part}}, {"type": "object", "$defs": {"X": part}}):
        assert has_inner_defaults(schema) is defaults
        assert has_mappings(schema) is mappings
