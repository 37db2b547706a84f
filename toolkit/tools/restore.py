"""Arguments in strict form become arguments in plain form: nulls that mean a default go, entries become mappings.

Only tools with nested defaults or mappings take this pass over the parsed JSON; the others are validated straight from
the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.tools.plain import Schema, inside, target
from toolkit.tools.strict import entry

__all__ = ["RepeatedKey", "needs_restoring", "restore"]

KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class RepeatedKey(Exception):
    """A list of entries holds the same key twice."""


def needs_restoring(plain: Schema) -> bool:
    """Tell whether anything below the arguments themselves differs between the two forms."""
    pending: list[Schema] = [part for part, _ in inside(plain)]
    pending.extend(plain.get("$defs", {}).values())
    while pending:
        node = pending.pop()
        if entry(node) is not None or node.get("properties", {}).keys() - set(node.get("required", ())):
            return True
        pending.extend(part for part, _ in inside(node))
    return False


def restore(value: Any, node: Schema, root: Schema) -> Any:
    """Rewrite a JSON value of the strict form of `node` (a plain schema, part of `root`) in place, and return it."""
    if "$ref" in node:
        return restore(value, target(node, root), root)
    for branch in node.get("anyOf") or node.get("oneOf") or ():
        if _fits(value, branch, root):
            return restore(value, branch, root)
    if len(node.get("allOf", ())) == 1:
        return restore(value, node["allOf"][0], root)
    if isinstance(value, dict):
        return _object(value, node, root)
    if isinstance(value, list):
        return _list(value, node, root)
    return value


def _object(value: dict[str, Any], node: Schema, root: Schema) -> dict[str, Any]:
    properties, required = node.get("properties", {}), node.get("required", ())
    for name, part in properties.items():
        if name not in value:
            continue
        if value[name] is None and name not in required:
            del value[name]
        else:
            value[name] = restore(value[name], part, root)
    return value


def _list(value: list[Any], node: Schema, root: Schema) -> Any:
    mapping = entry(node)
    if mapping is None:
        first, rest = node.get("prefixItems", ()), node.get("items")
        for at, item in enumerate(value):
            part = first[at] if at < len(first) else rest
            if isinstance(part, dict):
                value[at] = restore(item, part, root)
        return value
    if not all(
        isinstance(each, dict) and each.keys() == {"key", "value"} and isinstance(each["key"], str) for each in value
    ):
        return value  # no entries: validation says what is wrong
    entries = {each["key"]: restore(each["value"], mapping[1], root) for each in value}
    if len(entries) < len(value):
        keys = [each["key"] for each in value]
        raise RepeatedKey(next(key for key in keys if keys.count(key) > 1))
    return entries


def _fits(value: Any, node: Schema, root: Schema) -> bool:
    """Tell whether a value has the shape of a plain node's strict form; which branch of a union is meant."""
    if "$ref" in node:
        return _fits(value, target(node, root), root)
    if branches := node.get("anyOf") or node.get("oneOf"):
        return any(_fits(value, branch, root) for branch in branches)
    if "const" in node or "enum" in node:
        return value in node.get("enum", [node.get("const")])
    kind = node.get("type")
    if kind == "object":
        return isinstance(value, list) if entry(node) is not None else _fits_object(value, node, root)
    if kind == "array":
        part = node.get("items")
        return isinstance(value, list) and (
            not isinstance(part, dict) or all(_fits(each, part, root) for each in value)
        )
    return kind not in KINDS or isinstance(value, KINDS[kind])


def _fits_object(value: Any, node: Schema, root: Schema) -> bool:
    properties, required = node.get("properties", {}), node.get("required", ())
    if not isinstance(value, dict) or not value.keys() <= properties.keys() or not value.keys() >= set(required):
        return False
    return all(
        (each is None and name not in required) or _fits(each, properties[name], root) for name, each in value.items()
    )
