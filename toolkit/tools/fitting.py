"""What in a JSON value does not fit a JSON Schema that others wrote, in words for the model.

Looked at: types, choices, members, bounds, unions, references within the schema. What is beyond that (patterns, which
an unkind author could make run for hours, conditions, formats) is left to whoever receives the value.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

__all__ = ["misfits", "pointed"]

KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
BOUNDS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (operator.ge, "must be at least {}"),
    "maximum": (operator.le, "must be at most {}"),
    "exclusiveMinimum": (operator.gt, "must be more than {}"),
    "exclusiveMaximum": (operator.lt, "must be less than {}"),
}
SIZES = {"minLength": (1, str), "maxLength": (-1, str), "minItems": (1, list), "maxItems": (-1, list)}
DEEPEST = 64
"""Steps of schemas into schemas; beyond it a value passes, since a reference may lead to itself for ever."""
SHOWN = 200
"""Characters shown of the choices there are."""


def misfits(value: object, schema: object, root: Mapping[str, Any], where: str = "", depth: int = 0) -> Iterator[str]:
    """Tell what does not fit, each with its place (`passengers[0].age: missing`). Never echoes the value."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return
    node = cast("dict[str, Any]", schema)
    if "$ref" in node:
        yield from misfits(value, pointed(str(node["$ref"]), root), root, where, depth + 1)
    for branches in (node.get("anyOf"), node.get("oneOf")):
        if isinstance(branches, list) and not _fits_one(value, cast("list[object]", branches), root, depth):
            yield _said(where, "fits none of the forms that it may have")
    for part in _list(node.get("allOf")):
        yield from misfits(value, part, root, where, depth + 1)
    if (wrong := _choice(value, node) or _kind(value, node)) is not None:
        yield _said(where, wrong)
        return
    yield from (_said(where, each) for each in _bounds(value, node))
    if isinstance(value, dict):
        yield from _members(cast("dict[str, Any]", value), node, root, where, depth)
    elif isinstance(value, list) and "prefixItems" not in node:
        for at, item in enumerate(cast("list[object]", value)):
            yield from misfits(item, node.get("items"), root, f"{where}[{at}]", depth + 1)


def pointed(reference: str, root: Mapping[str, Any]) -> object:
    """Follow a reference within the document, `#/a/b`; None where it leads nowhere, or out of it."""
    found: object = root
    if not reference.startswith("#"):
        return None
    for raw in reference[1:].split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = cast("dict[str, object]", found).get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(cast("list[object]", found)):
            found = cast("list[object]", found)[int(step)]
        else:
            return None
    return found


def _fits_one(value: object, branches: list[object], root: Mapping[str, Any], depth: int) -> bool:
    return any(next(misfits(value, branch, root, "", depth + 1), None) is None for branch in branches)


def _choice(value: object, node: Mapping[str, Any]) -> str | None:
    choices = [node["const"]] if "const" in node else node.get("enum")
    if not isinstance(choices, list) or any(_same(value, each) for each in cast("list[object]", choices)):
        return None
    shown = ", ".join(map(repr, cast("list[object]", choices)))
    return f"must be one of {shown if len(shown) <= SHOWN else shown[:SHOWN] + '...'}"


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _kind(value: object, node: Mapping[str, Any]) -> str | None:
    kinds = [node["type"]] if isinstance(node.get("type"), str) else _list(node.get("type"))
    if not kinds or any(_is(value, str(kind)) for kind in kinds):
        return None
    return f"must be of type {' or '.join(map(str, kinds))}"


def _is(value: object, kind: str) -> bool:
    if kind == "integer":
        return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value % 1 == 0))
    if isinstance(value, bool):
        return kind == "boolean" or kind not in KINDS
    return isinstance(value, KINDS.get(kind, object))


def _bounds(value: object, node: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        for keyword, (holds, words) in BOUNDS.items():
            if _is(node.get(keyword), "number") and not holds(value, node[keyword]):
                yield words.format(node[keyword])
    for keyword, (sign, kind) in SIZES.items():
        bound = node.get(keyword)
        if isinstance(value, kind) and isinstance(bound, int) and sign * len(cast("str", value)) < sign * bound:
            yield f"must have at {'least' if sign > 0 else 'most'} {bound} {'characters' if kind is str else 'items'}"


def _members(
    value: dict[str, Any], node: Mapping[str, Any], root: Mapping[str, Any], where: str, depth: int
) -> Iterator[str]:
    known: Mapping[str, Any] = node["properties"] if isinstance(node.get("properties"), dict) else {}
    below = f"{where}." if where else ""
    yield from (_said(f"{below}{name}", "missing") for name in _list(node.get("required")) if name not in value)
    for name, item in value.items():
        place = f"{below}{name[:80]}"
        if name in known:
            yield from misfits(item, known[name], root, place, depth + 1)
        elif node.get("additionalProperties") is False and "patternProperties" not in node:
            yield _said(place, "unknown")
        else:
            yield from misfits(item, node.get("additionalProperties"), root, place, depth + 1)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - of anything


def _said(where: str, words: str) -> str:
    return f"{where}: {words}" if where else f"the arguments: {words}"
