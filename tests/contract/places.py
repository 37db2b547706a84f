"""Every place in the bodies of requests where the official schema says something, with a body for any value there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.contract.official import definitions

__all__ = ["Place", "places", "sample"]

Make = Callable[[Any], Any]


@dataclass(frozen=True)
class Place:
    """A place in a body: its path as errors write it, what must be there, and bodies with any value there."""

    path: str
    schema: Any
    make: Make
    """Gives a body that has a value there."""
    needed: bool = False
    """Whether it must not be left out."""
    without: Any = None
    """A body in which it is left out; None in a list."""
    unknown: tuple[str, Any] | None = None
    """The path of a member beside it that the API does not know, and a body that has it."""


def places(name: str) -> Iterator[Place]:
    """Give the places of the request `name`, of each kind of object that may be there."""
    yield from _members(definitions("requests")[name], "", lambda value: value, ())


def _members(schema: Any, path: str, make: Make, within: tuple[str, ...]) -> Iterator[Place]:
    """Give the places below one; `within` are the definitions that it is in, as filters have filters."""
    if isinstance(schema, bool):  # anything goes
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in within:
            yield from _members(definitions("requests")[name], path, make, (*within, name))
        return
    for choice in _choices(schema):
        yield from _members(choice, path, make, within)
    if "items" in schema:
        inner = f"{path}[0]"
        yield Place(inner, schema["items"], lambda value: make([value]), needed=True)
        yield from _members(schema["items"], inner, lambda value: make([value]), within)
    if "properties" not in schema:
        return
    whole = sample(schema)
    for name, below in schema["properties"].items():
        there = f"{path}.{name}" if path else name

        def put(value: Any, name: str = name) -> Any:
            return make({**whole, name: value})

        without = make({other: value for other, value in whole.items() if other != name})
        unknown = f"{path}.colour" if path else "colour", make({**whole, "colour": "red"})
        yield Place(there, below, put, name in schema.get("required", ()), without, unknown)
        yield from _members(below, there, put, within)


def _choices(schema: Any) -> list[Any]:
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]


def sample(schema: Any) -> Any:
    """Give the smallest right value."""
    if "$ref" in schema:
        return sample(definitions("requests")[schema["$ref"].rpartition("/")[2]])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" or "properties" in schema:
        return {name: sample(schema["properties"][name]) for name in schema.get("required", ())}
    if choices := _choices(schema):
        return sample(choices[0])
    if schema.get("type") == "array":
        return [sample(schema["items"])] * schema.get("minItems", 0)
    least = schema.get("minimum", 1)
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    return {"string": "x", "integer": least, "number": least, "boolean": True}[kind]
