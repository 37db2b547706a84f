"""`toolkit tools show`: what a model will see of the tools."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, cast

import typer

from toolkit.cli.target import AnyTool, TargetArgument, toolset_of

__all__ = ["show"]

WIDTH = 80


def show(
    target: TargetArgument,
    as_json: Annotated[bool, typer.Option("--json", help="The definitions as they are sent.")] = False,
) -> None:
    """Print what a model will see: names, descriptions, parameters."""
    tools = toolset_of(target)
    if as_json:
        typer.echo(json.dumps(tools.definitions, indent=2, ensure_ascii=False))
        return
    typer.echo("\n\n".join("\n".join(_described(tool)) for tool in tools.values()))


def _described(tool: AnyTool) -> Iterator[str]:
    function = cast("Mapping[str, Any]", tool.definition["function"])
    yield tool.name
    yield from _wrapped(str(function.get("description") or "(no description: give the function a docstring)"), "  ")
    schema: Mapping[str, Any] = function.get("parameters") or {}
    yield from _parameters(schema, schema.get("$defs", {}), "  ", frozenset())
    if tool.not_strict_because:
        yield from _wrapped(f"Not strict: {tool.not_strict_because}", "  ")
    for rule in tool.unsayable:
        yield from _wrapped(f"Checked, though the schema cannot say it: {rule}", "  ")


def _parameters(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], indent: str, seen: frozenset[str]
) -> Iterator[str]:
    required = schema.get("required", [])
    for name, given in schema.get("properties", {}).items():
        optional = "" if name in required else ", may be left out"
        yield from _wrapped(f"{name}: {_kind(given, definitions)}{optional}", indent + "- ", indent + "    ")
        if given.get("description"):
            yield from _wrapped(str(given["description"]), indent + "    ")
        for reference in _references(given):
            if reference not in seen:
                inner = definitions.get(reference, {})
                yield from _parameters(inner, definitions, indent + "    ", seen | {reference})
        yield from _parameters(given, definitions, indent + "    ", seen)


def _references(schema: Mapping[str, Any]) -> list[str]:
    """Names of the definitions that a value is made of, directly or within a list or a choice."""
    found = [str(schema["$ref"]).rpartition("/")[2]] if "$ref" in schema else []
    inner = [schema["items"]] if isinstance(schema.get("items"), Mapping) else []
    for part in [*schema.get("anyOf", []), *inner]:
        found += [name for name in _references(part) if name not in found]
    return found


def _kind(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Say in a few words which values a schema takes."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        target = definitions.get(name, {})
        return _kind(target, definitions) if "enum" in target else name
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " | ".join(_kind(part, definitions) for part in schema["anyOf"])
    kinds: str | list[str] = schema.get("type", "any value")
    kind = kinds if isinstance(kinds, str) else " | ".join(kinds)
    if kind == "array" and schema.get("items"):
        kind = f"list of {_kind(schema['items'], definitions)}"
    return kind + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    words = {
        "minimum": ">=",
        "exclusiveMinimum": ">",
        "maximum": "<=",
        "exclusiveMaximum": "<",
        "minLength": "length >=",
        "maxLength": "length <=",
        "minItems": "items >=",
        "maxItems": "items <=",
        "format": "as",
        "pattern": "matching",
    }
    said = [f"{word} {schema[key]}" for key, word in words.items() if key in schema]
    return f" ({', '.join(said)})" if said else ""


def _wrapped(text: str, first: str, later: str | None = None) -> Iterator[str]:
    for line in text.splitlines():
        yield from textwrap.wrap(
            line, WIDTH, initial_indent=first, subsequent_indent=later or first, break_on_hyphens=False
        ) or [""]
        first = later or first
