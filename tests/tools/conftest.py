"""A way to the arguments of a function; and the rules of strict mode, written a second time, to hold schemas to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from toolkit.tools.arguments import Arguments
from toolkit.tools.definition import Definition

KEYWORDS = {
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "exclusiveMaximum",
    "exclusiveMinimum", "format", "items", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum",
    "multipleOf", "pattern", "properties", "required", "type",
}  # fmt: skip
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}


def arguments_of(function: Callable[..., Any]) -> Arguments:
    return Definition("function", function, None, None).arguments


def problems(schema: dict[str, Any]) -> Iterator[str]:
    if schema.get("type") != "object":
        yield "the root is no object"
    yield from inside(schema, schema, "#", 1)
    for name, each in schema.get("$defs", {}).items():
        yield from inside(each, schema, f"#{name}", 1)


def inside(node: Any, root: dict[str, Any], at: str, level: int) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"{at}: {node!r} is no schema"
        return
    if odd := node.keys() - KEYWORDS:
        yield f"{at}: {sorted(odd)}"
    if level > 10:
        yield f"{at}: too deep"
    if "$ref" in node:
        if node.keys() != {"$ref"}:
            yield f"{at}: $ref has siblings"
        if node["$ref"].removeprefix("#/$defs/") not in root.get("$defs", {}):
            yield f"{at}: {node['$ref']} leads nowhere"
        return
    if "anyOf" in node:
        if not node["anyOf"]:
            yield f"{at}: empty anyOf"
        for index, each in enumerate(node["anyOf"]):
            yield from inside(each, root, f"{at}|{index}", level)
    elif node.get("type") not in TYPES:
        yield f"{at}: has no type"
    if node.get("type") == "object":
        if node.get("additionalProperties") is not False:
            yield f"{at}: open"
        if sorted(node.get("required", ())) != sorted(node.get("properties", {})):
            yield f"{at}: not all required"
    if node.get("type") == "array" and "items" not in node:
        yield f"{at}: array of anything"
    if node.get("format", "date") not in FORMATS:
        yield f"{at}: format {node['format']}"
    if re.search(r"\(\?<?[=!]", node.get("pattern", "")):
        yield f"{at}: look-around"
    if "description" in node and not (isinstance(node["description"], str) and node["description"]):
        yield f"{at}: description is {node['description']!r}"
    for name, each in node.get("properties", {}).items():
        yield from inside(each, root, f"{at}.{name}", level + 1)
    if "items" in node:
        yield from inside(node["items"], root, f"{at}[]", level + 1)


@pytest.fixture(scope="session")
def strict_problems() -> Callable[[dict[str, Any]], list[str]]:
    """Lists what strict mode would refuse in a schema."""
    return lambda schema: list(problems(schema))
