from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import DefinitionError
from toolkit.openapi.document import Document
from toolkit.openapi.schemas import MOST_NODES, Schemas


def said(node: Any, version: str = "3.0.3", **schemas: Any) -> tuple[Any, dict[str, Any]]:
    found = Schemas(Document({"openapi": version, "paths": {}, "components": {"schemas": schemas}}))
    return found.said(node), found.definitions


@pytest.mark.parametrize(
    ("node", "schema"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"nullable": True, "allOf": [{"type": "string"}]},
            {"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}]},
        ),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
        ({"type": "string", "example": "a", "xml": {}, "x-go-name": "A", "deprecated": True}, {"type": "string"}),
        (
            {"type": "array", "items": {"nullable": True, "type": "integer"}},
            {"type": "array", "items": {"type": ["integer", "null"]}},
        ),
        (True, True),
        (None, {}),
    ],
)
def test_the_dialect_of_3_0(node: Any, schema: Any) -> None:
    assert said(node)[0] == schema


def test_3_1_is_json_schema_already() -> None:
    node = {
        "type": ["string", "null"],
        "exclusiveMinimum": 1,
        "const": "a",
        "prefixItems": [{"x-a": 1, "type": "null"}],
    }
    assert said(node, "3.1.0")[0] == {**node, "prefixItems": [{"type": "null"}]}


def test_references_become_definitions_once() -> None:
    pet = {"type": "object", "properties": {"parent": {"$ref": "#/components/schemas/Pet"}}}
    schema, definitions = said({"items": {"$ref": "#/components/schemas/Pet", "description": "A pet."}}, Pet=pet)
    assert schema == {"items": {"$ref": "#/$defs/Pet", "description": "A pet."}}
    assert definitions == {"Pet": {"type": "object", "properties": {"parent": {"$ref": "#/$defs/Pet"}}}}


def test_definitions_of_one_name_are_kept_apart() -> None:
    a = {"properties": {"id": {"type": "string"}}}
    b = {"properties": {"id": {"type": "integer"}}}
    refs = [{"$ref": f"#/components/schemas/{each}/properties/id"} for each in "AB"]
    schema, definitions = said({"anyOf": refs}, A=a, B=b)
    assert [definitions[part["$ref"].rpartition("/")[2]] for part in schema["anyOf"]] == [
        {"type": "string"},
        {"type": "integer"},
    ]


def test_what_is_only_read_is_not_written() -> None:
    pet = {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"$ref": "#/components/schemas/Id"}, "name": {"type": "string"}},
    }
    schema, _ = said(pet, Id={"type": "string", "readOnly": True})
    assert (schema["required"], list(schema["properties"])) == (["name"], ["name"])


@pytest.mark.parametrize("reference", ["pet.json", "http://127.0.0.1/pet.json", "file:///etc/passwd", "#/nowhere"])
def test_references_that_are_not_followed(reference: str) -> None:
    with pytest.raises(DefinitionError):
        said({"properties": {"a": {"$ref": reference}}})


def test_a_document_that_unfolds_without_end_is_refused() -> None:
    node: dict[str, Any] = {"type": "string"}
    for _ in range(20):  # what aliases of YAML make: the same again and again
        node = {"anyOf": [node, node]}
    with pytest.raises(DefinitionError, match=f"more than {MOST_NODES} schemas"):
        said(node)


NODES = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "boolean"])}, optional={"nullable": st.booleans()}
    ),
    lambda inner: (
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"nullable": st.booleans()})
        | st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("ab"), inner)}
        )
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(NODES)
def test_what_is_made_is_a_json_schema(node: dict[str, Any]) -> None:
    schema, _ = said(node)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(None) is bool(node.get("nullable"))
