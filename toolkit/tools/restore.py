"""Arguments in strict form become arguments in plain form: nulls that mean a default go, entries become mappings.

Only tools with mappings, and calls with nulls to tools with nested defaults, take this pass over the parsed JSON; the
others are validated straight from the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from toolkit.errors import ArgumentsInvalid
from toolkit.tools.plain import Schema, inside, is_list, is_schema, target
from toolkit.tools.strict import entry

__all__ = ["has_inner_defaults", "has_mappings", "restore"]

KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def has_mappings(plain: Schema) -> bool:
    """Tell whether some argument is a mapping, or holds one: then every text differs between the two forms."""
    return any(entry(node) is not None for node in _below(plain))


def has_inner_defaults(plain: Schema) -> bool:
    """Tell whether something inside an argument has a default: then a text with a null may differ."""
    return any(node.get("properties", {}).keys() - set(node.get("required", ())) for node in _below(plain))


def _below(plain: Schema) -> Iterator[Schema]:
    pending: list[Schema] = [part for part, _ in inside(plain)]
    pending.extend(plain.get("$defs", {}).values())
    while pending:
        node = pending.pop()
        yield node
        pending.extend(part for part, _ in inside(node))


def restore(value: Any, node: Schema, root: Schema, where: str = "") -> Any:
    """Rewrite a JSON value of the strict form of `node` (a plain schema, part of `root`) in place, and return it.

    What does not look like the strict form is left to validation. Raises ArgumentsInvalid for entries that make no
    mapping, since no schema says what was meant.
    """
    if "$ref" in node:
        return restore(value, target(node, root), root, where)
    for branch in node.get("anyOf") or node.get("oneOf") or node.get("allOf") or ():
        if _fits(value, branch, root):
            return restore(value, branch, root, where)
    if is_schema(value):
        return _object(value, node, root, where)
    if is_list(value):
        mapping = entry(node)
        return _list(value, node, root, where) if mapping is None else _mapping(value, mapping[1], root, where)
    return value


def _object(value: dict[str, Any], node: Schema, root: Schema, where: str) -> dict[str, Any]:
    required = node.get("required", ())
    for name, part in node.get("properties", {}).items():
        if name not in value:
            continue
        if value[name] is None and name not in required:
            del value[name]
        else:
            value[name] = restore(value[name], part, root, f"{where}.{name}" if where else name)
    return value


def _list(value: list[Any], node: Schema, root: Schema, where: str) -> list[Any]:
    first, rest = node.get("prefixItems", ()), node.get("items")
    for at, item in enumerate(value):
        part = first[at] if at < len(first) else rest
        if is_schema(part):
            value[at] = restore(item, part, root, f"{where}[{at}]")
    return value


def _mapping(entries: list[Any], node: Schema, root: Schema, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in entries:
        if not is_schema(each) or each.keys() != {"key", "value"} or not isinstance(each["key"], str):
            raise ArgumentsInvalid(f"{where}: must be a list of objects, each with `key` (text) and `value`")
        key = each["key"]
        if key in found:
            raise ArgumentsInvalid(f"{where}: {key[:80]!r} is given twice; give each key once")
        found[key] = restore(each["value"], node, root, f"{where}[{key[:80]}]")
    return found


def _fits(value: Any, node: Schema, root: Schema) -> bool:
    """Tell whether a value has the shape of a plain node's strict form; which branch of a union is meant."""
    if "$ref" in node:
        return _fits(value, target(node, root), root)
    if branches := node.get("anyOf") or node.get("oneOf"):
        return any(_fits(value, branch, root) for branch in branches)
    if "const" in node or "enum" in node:
        return value in cast("list[Any]", node.get("enum", [node.get("const")]))
    kind = node.get("type")
    if kind == "object":
        return isinstance(value, list) if entry(node) is not None else _fits_object(value, node, root)
    if kind == "array":
        part = node.get("items")
        return is_list(value) and (not is_schema(part) or all(_fits(each, part, root) for each in value))
    return isinstance(value, KINDS.get(str(kind), (object,)))


def _fits_object(value: Any, node: Schema, root: Schema) -> bool:
    properties, required = node.get("properties", {}), node.get("required", ())
    if not is_schema(value) or not value.keys() <= properties.keys() or not value.keys() >= set(required):
        return False
    return all(
        (each is None and name not in required) or _fits(each, properties[name], root) for name, each in value.items()
    )
