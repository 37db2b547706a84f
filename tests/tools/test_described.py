from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.test_fitting import SCHEMAS
from toolkit import DefinitionError, RunContext, Tool, Toolset

ORDER: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "self": {"type": "string", "description": "Who orders."},
        "count": {"type": "integer", "minimum": 1, "default": 1},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["self"],
}


def echo(**arguments: Any) -> Any:
    return arguments


def order(schema: dict[str, Any] | None = None, **options: Any) -> Tool[..., Any]:
    return Tool.from_schema(echo, schema or ORDER, name="order", description="Order something.", **options)


def test_the_schema_goes_to_the_model_as_it_is() -> None:
    tool = order(strict=False)
    assert tool.plain_parameters == {key: value for key, value in ORDER.items() if key != "$schema"}
    assert tool.definition["function"]["parameters"] == tool.plain_parameters
    assert (tool.name, tool.description, tool.strict) == ("order", "Order something.", False)


def test_it_is_strict_where_that_can_be_said() -> None:
    parameters = order().definition["function"]["parameters"]
    assert parameters["required"] == ["self", "count", "notes"]
    assert parameters["additionalProperties"] is False
    assert order().call('{"self": "Ann", "count": null, "notes": [{"key": "to", "value": "Bob"}]}').content == (
        '{"self":"Ann","notes":{"to":"Bob"}}'
    )


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"type": "object"}, "a: is open to any members"),
        ({"type": "object", "additionalProperties": True}, "a: is open to any members; write"),
        ({}, "a: can be anything"),
        ({"if": {}, "then": {}}, "a: if cannot be said strictly"),
        ({"$ref": "https://elsewhere.example/a"}, "a: refers to https://elsewhere.example/a"),
        ({"$ref": "#/definitions/a"}, "a: refers to #/definitions/a"),
        ({"type": "array", "items": [{"type": "string"}]}, "a: items cannot be said strictly"),
        ({"type": "string", "minLength": "many"}, "a: minLength cannot be said strictly"),
        (True, "a: is no schema of its own"),
    ],
)
def test_why_it_is_not_strict(part: Any, why: str) -> None:
    tool = order({"type": "object", "properties": {"a": part}})
    assert not tool.strict
    assert (tool.not_strict_because or "").startswith(why)


def test_several_forms_are_not_strict() -> None:
    tool = order({"type": "object", "anyOf": [{"required": ["a"]}], "properties": {"a": {"type": "string"}}})
    assert tool.not_strict_because == "the arguments have several forms"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "self: missing"),
        ('{"self": "a", "count": 0}', "count: must be at least 1"),
        ('{"self": "a", "self": "b"}', "'self' is given twice in one object; give it once"),
        ('{"self": "a", "count": NaN}', "Invalid JSON: NaN is no JSON number"),
        ("[]", "The arguments must be one JSON object"),
        ("{", "Invalid JSON: Expecting property name"),
        ('{"self": ' + "[" * 100_000, "Invalid JSON"),
    ],
)
def test_arguments_that_do_not_fit(text: str, told: str) -> None:
    output = order(strict=False).call(text)
    assert not output.ok
    assert output.content.startswith(told)


def test_unknown_arguments_are_told_with_those_that_exist() -> None:
    tool = order({"type": "object", "properties": {"a": {}, "b": {}}, "additionalProperties": False})
    assert tool.call('{"c": 1}').content == "c: unknown\nKnown arguments: a, b"
    assert order({"additionalProperties": False}).call('{"c": 1}').content.endswith("There are no arguments: send {}")


def test_null_for_what_may_be_left_out_is_left_out() -> None:
    tool = order({"properties": {"a": {"type": "string"}, "b": {"type": ["string", "null"]}}}, strict=False)
    assert tool.call('{"a": null, "b": null}').content == '{"b":null}'


def test_guards_and_approval_see_the_arguments_by_name() -> None:
    seen: list[dict[str, Any]] = []
    tool = order(approve=lambda count=1: count > 5)
    guarded = Toolset(tool).guarded(lambda ctx, arguments: seen.append(dict(arguments)))["order"]
    context = RunContext(None, "call_1", "order", "run_1", "thread_1")
    assert guarded.call('{"self": "Ann", "count": 2, "notes": null}', context).ok
    assert seen == [{"self": "Ann", "count": 2}]
    assert tool.needs_approval('{"self": "Ann", "count": 6, "notes": null}')
    assert not tool.needs_approval('{"self": "Ann", "count": 5, "notes": null}')


def test_toolsets_rename_it_and_keep_its_schema() -> None:
    renamed = Toolset(order()).prefixed("shop_")["shop_order"]
    assert renamed.plain_parameters == order().plain_parameters
    assert renamed.varied(strict=False).call('{"self": "Ann"}').content == '{"self":"Ann"}'


def test_what_cannot_be_a_tool() -> None:
    def one(a: int) -> int:
        return a

    with pytest.raises(DefinitionError, match="must take what the schema says by name"):
        Tool.from_schema(one, ORDER, name="one", description="")
    with pytest.raises(DefinitionError, match="must be that of an object"):
        order({"type": "array"})
    with pytest.raises(DefinitionError, match="must be that of an object"):
        order({"properties": []})
    with pytest.raises(DefinitionError, match="order cannot be strict: a: is open"):
        order({"properties": {"a": {"type": "object"}}}, strict=True).check()


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), SCHEMAS), st.lists(st.sampled_from("abc"), unique=True))
def test_any_schema_makes_a_tool(properties: dict[str, Any], required: list[str]) -> None:
    tool = order({"type": "object", "properties": properties, "required": required})
    json.dumps(tool.definition)
    assert tool.strict or tool.not_strict_because
    tool.call("{}")
