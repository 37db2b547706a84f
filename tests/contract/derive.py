"""Make assistants-v2.schema.json out of OpenAI's own OpenAPI description: `python -m tests.contract.derive FILE`.

FILE is the openapi.yaml of github.com/openai/openai-openapi. What is taken are the operations of the Assistants API,
with whatever they name, as JSON Schema: no texts, no examples, nothing that only generators of clients read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

__all__ = ["KEPT", "derived"]

KEPT = Path(__file__).with_name("assistants-v2.schema.json")

ROOTS = ("assistants", "threads", "files", "uploads", "vector_stores", "models")
BESIDES = ("AssistantStreamEvent", "ErrorResponse")
"""What no operation names: the events of streams, and errors."""
SAYS = {
    *("$ref", "additionalProperties", "allOf", "anyOf", "enum", "items", "maxItems", "maxLength", "maximum"),
    *("minItems", "minLength", "minimum", "oneOf", "pattern", "properties", "required", "type"),
}
"""The keywords that say what is valid."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
COMMENT = (
    "Operations and shapes of the Assistants API, taken from OpenAI's own OpenAPI description "
    "(openai/openai-openapi, MIT licence) by derive.py: without texts and examples."
)


def derived(description: Mapping[str, Any]) -> dict[str, Any]:
    """Give the operations, by operationId, and the schemas that they need."""
    operations = {
        operation["operationId"]: _operation(method, path, operation)
        for path, methods in description["paths"].items()
        if path.split("/")[1] in ROOTS
        for method, operation in methods.items()
    }
    schemas = {name: _plain(schema) for name, schema in description["components"]["schemas"].items()}
    needed: dict[str, Any] = {}
    missing = {*BESIDES, *_named(operations)}
    while missing:
        needed |= {name: schemas[name] for name in missing}
        missing = {name for schema in needed.values() for name in _named(schema)} - needed.keys()
    return {"$schema": DIALECT, "$comment": COMMENT, "$defs": needed, "operations": operations}


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    query = {
        parameter["name"]: _plain(parameter["schema"])
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    [answer] = operation["responses"]["200"]["content"].values()
    taken = {"method": method.upper(), "path": path, "query": query, "response": _plain(answer["schema"])}
    if body := operation.get("requestBody"):
        [(kind, content)] = body["content"].items()
        taken["request"] = {
            "content": kind,
            "required": body.get("required", False),
            "schema": _plain(content["schema"]),
        }
    return taken


def _plain(schema: Any) -> Any:
    """Give a schema with what says something; `nullable`, which is no keyword of JSON Schema any more, in its words."""
    if not isinstance(schema, dict):
        return [_plain(each) for each in schema] if isinstance(schema, list) else schema
    kept = {name: _below(name, value) for name, value in schema.items() if name in SAYS}
    if schema.get("format") == "binary":
        kept["format"] = "binary"
    nullable = schema.get("nullable", False)
    if "allOf" in schema:  # of which one often says nothing but that
        nullable = nullable or any(each.get("nullable") for each in schema["allOf"])
        said = [{name: value for name, value in each.items() if name != "nullable"} for each in schema["allOf"]]
        kept["allOf"] = [each for each in map(_plain, said) if each]
        if len(kept["allOf"]) == 1:
            [kept] = kept["allOf"]
    return {"anyOf": [kept, {"type": "null"}]} if nullable else kept


def _below(name: str, value: Any) -> Any:
    if name == "properties":
        return {member: _plain(schema) for member, schema in value.items()}
    if name == "$ref":
        return value.replace("#/components/schemas/", "#/$defs/")
    return _plain(value) if name not in ("enum", "required") else value


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for below in value.values():
            yield from _named(below)
    elif isinstance(value, list):
        for below in value:
            yield from _named(below)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        description = yaml.safe_load(file)
    KEPT.write_text(json.dumps(derived(description), indent=1, sort_keys=True) + "\n")
