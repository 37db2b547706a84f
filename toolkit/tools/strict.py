"""A plain schema becomes a strict one: what OpenAI and Azure hold a model to, token by token.

Strict rules: the root is an object; every object is closed and all its properties are required; every node has a type,
`anyOf`, a `$ref` without siblings, or typed `enum`/`const`; no `default`, `oneOf`, `allOf`, `prefixItems`,
`uniqueItems` and the like; nine formats; no look-around in patterns; at most 10 levels, 5,000 properties, 1,000 enum
values and 120,000 characters of names and values.

So a property with a default becomes nullable, null meaning *use the default*; a mapping becomes a list of entries; a
tuple becomes an array of so many items, each of one of its types. `restore.py` reads arguments of this form back. What
else the form cannot say is dropped, enforced by validation all the same, and listed as a rule in words. A schema that
would lose its meaning (open objects, anything at all) is not said strictly, with a reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from toolkit.tools.plain import Schema, inside, is_schema, target

__all__ = ["NotStrict", "entry", "strict_schema"]

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
NEAR_FORMATS = {f"uuid{version}": "uuid" for version in range(1, 9)}
LOOSE_FORMATS = frozenset({"path", "binary", "password"})
"""Formats that any string has."""

KEPT = {
    "string": ("minLength", "maxLength", "pattern"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("minItems", "maxItems"),
}
DROPPED = {
    "uniqueItems": "unique items",
    "contentMediaType": "JSON text",
    "contains": "items that it must contain",
    "dependentRequired": "members that require others",
    "else": "conditions",
    "if": "conditions",
    "not": "exceptions",
    "then": "conditions",
    "unevaluatedProperties": "no further members",
}
COUNTS = (
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
)

LOOK_AROUND = re.compile(r"\(\?<?[=!]")
LEVELS, PROPERTIES, ENUM_VALUES, CHARACTERS = 10, 5_000, 1_000, 120_000
DEFAULT_TEXT = 200
"""How many characters of a default are worth showing."""


class NotStrict(Exception):
    """A schema that cannot be said strictly: `where` it stands, why, and what to write instead."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


def strict_schema(plain: Schema) -> tuple[Schema, tuple[str, ...]]:
    """Say a plain schema strictly, and list the rules that got lost. Raises NotStrict."""
    if is_schema(plain.get("additionalProperties")):
        raise NotStrict("**", "further names cannot be left open; take them as one parameter, such as `dict[str, int]`")
    form = _Form(plain)
    schema = form.object(plain, "")
    if form.definitions:
        schema["$defs"] = form.definitions
    _within_limits(schema)
    return schema, tuple(dict.fromkeys(form.rules))


def entry(node: Mapping[str, Any]) -> tuple[Schema, Schema] | None:
    """Tell the schemas of key and value when a plain node is a mapping, such as that of `dict[str, int]`."""
    if node.get("type") != "object" or node.get("properties"):
        return None
    patterns = node.get("patternProperties", {})
    if len(patterns) == 1 and not isinstance(node.get("additionalProperties"), dict):
        ((pattern, value),) = patterns.items()
        return {"type": "string", "pattern": pattern}, value
    value = node.get("additionalProperties")
    if patterns or not is_schema(value):
        return None
    return {"type": "string", **node.get("propertyNames", {})}, value


@dataclass(slots=True)
class _Form:
    """The strict form of one plain schema while it is being made."""

    plain: Schema
    definitions: dict[str, Schema] = field(default_factory=dict[str, Schema])
    rules: list[str] = field(default_factory=list[str])

    def node(self, node: Schema, where: str) -> Schema:
        """Say one schema."""
        said = self._said(node, where)
        if node.get("description"):
            said = {"anyOf": [said]} if "$ref" in said else said
            said["description"] = node["description"]
        return said

    def _said(self, node: Schema, where: str) -> Schema:
        if "$ref" in node:
            return self._reference(node, where)
        if len(node.get("allOf", ())) == 1:
            return self.node(
                {**{key: value for key, value in node.items() if key != "allOf"}, **node["allOf"][0]}, where
            )
        if "allOf" in node:
            raise NotStrict(where, "several schemas at once (allOf); write one type that says it all")
        if branches := node.get("anyOf") or node.get("oneOf"):
            return self._any_of(branches, node, where)
        if "const" in node:
            return _constants([node["const"]], where)
        if "enum" in node:
            return _constants(node["enum"], where)
        kind = node.get("type")
        if isinstance(kind, list):
            bare = {key: value for key, value in node.items() if key != "description"}
            return self._any_of([{**bare, "type": each} for each in cast("list[str]", kind)], {}, where)
        if kind == "object":
            return self.object(node, where)
        if kind == "array":
            return self._array(node, where)
        if kind is None:
            raise NotStrict(where, "can be anything; write what it is, such as `str` or a model")
        return self._scalar(kind, node, where)

    def _reference(self, node: Schema, where: str) -> Schema:
        name = node["$ref"].rpartition("/")[2]
        if name not in self.definitions:
            self.definitions[name] = {}  # begun: a recursive type meets itself on the way
            self.definitions[name].update(self.node(target(node, self.plain), where))
        return {"$ref": node["$ref"]}

    def _any_of(self, branches: Sequence[Schema], node: Schema, where: str) -> Schema:
        self._drop(node, (), where)
        kinds = [target(each, self.plain) if "$ref" in each else each for each in branches]
        lists = sum(entry(each) is not None or each.get("type") == "array" for each in kinds)
        if lists > 1 and any(entry(each) is not None for each in kinds):
            raise NotStrict(where, "either a mapping or a list, which are both lists in strict form; write only one")
        said: list[Schema] = []
        for each in branches:
            branch = self.node(each, where)
            inner = branch.get("anyOf", []) if branch.keys() == {"anyOf"} else [branch]
            said.extend(one for one in inner if one not in said)
        return said[0] if len(said) == 1 else {"anyOf": said}

    def object(self, node: Schema, where: str) -> Schema:
        """Say an object: closed, with everything required, or as a list of entries when it is a mapping."""
        mapping = entry(node)
        if mapping is not None:
            return self._entries(mapping, node, where)
        opened = node.get("additionalProperties", False)
        if opened is not False or node.get("patternProperties"):
            raise NotStrict(where, "is open to any members; write what they hold, such as `dict[str, int]`, or a model")
        self._drop(node, ("properties", "required"), where)
        required = node.get("required", ())
        properties: dict[str, Schema] = {}
        for name, part in node.get("properties", {}).items():
            said = self.node(part, f"{where}.{name}" if where else name)
            properties[name] = said if name in required else self._or_default(said, part)
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def _entries(self, mapping: tuple[Schema, Schema], node: Schema, where: str) -> Schema:
        key, value = mapping
        self._drop(node, ("minProperties", "maxProperties", "propertyNames"), where)
        said = self.object(
            {"type": "object", "properties": {"key": key, "value": value}, "required": ["key", "value"]}, where
        )
        counts = {"minItems": node.get("minProperties"), "maxItems": node.get("maxProperties")}
        return {"type": "array", "items": said, **{key: count for key, count in counts.items() if count is not None}}

    def _array(self, node: Schema, where: str) -> Schema:
        self._drop(node, ("items", "prefixItems", *KEPT["array"]), where)
        said: Schema = {"type": "array", **{key: node[key] for key in KEPT["array"] if key in node}}
        first, rest = node.get("prefixItems", ()), node.get("items")
        if not first and rest is None and node.get("maxItems") != 0:
            raise NotStrict(f"{where}[]", "can hold anything; write what it holds, such as `list[str]`")
        parts = [*first, *([rest] if is_schema(rest) else [])]
        items = [self.node(part, f"{where}[]") for part in parts] or [{"type": "null"}]
        kinds = [one for at, one in enumerate(items) if one not in items[:at]]
        if len(kinds) > 1:
            order = ", ".join(_short(one) for one in items)
            self.rules.append(f"{where}: items in this order: {order}")
            kinds = [_numbered(one, at) for at, one in enumerate(items, 1)]
        said["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        return said

    def _scalar(self, kind: str, node: Schema, where: str) -> Schema:
        self._drop(node, (*KEPT.get(kind, ()), "format"), where)
        said: Schema = {"type": kind, **{key: node[key] for key in KEPT.get(kind, ()) if key in node}}
        shape = node.get("format")
        if shape is not None:
            if (near := NEAR_FORMATS.get(shape, shape)) in FORMATS:
                said["format"] = near
            if shape not in FORMATS | LOOSE_FORMATS:
                self.rules.append(f"{where}: format {shape}")
        if LOOK_AROUND.search(said.get("pattern", "")):
            self.rules.append(f"{where}: pattern {said.pop('pattern')}")
        return said

    def _or_default(self, said: Schema, part: Schema) -> Schema:
        """Make a property nullable. What null stands for is said beside the null, not in the property's own text."""
        null: Schema = {"type": "null"}
        if part.get("default") is not None:
            default = json.dumps(part["default"], ensure_ascii=False)
            null["description"] = f"Use the default: {default}" if len(default) <= DEFAULT_TEXT else "Use the default"
        outer = {"description": said["description"]} if "description" in said else {}
        branches = said.get("anyOf") or [{key: value for key, value in said.items() if key != "description"}]
        return {"anyOf": [*(each for each in branches if each.get("type") != "null"), null], **outer}

    def _drop(self, node: Schema, kept: Sequence[str], where: str) -> None:
        """Note the assertions of a node that are not carried over; annotations (title, examples) go without a word."""
        for keyword, words in DROPPED.items():
            if keyword in node and keyword not in kept and node[keyword] is not False:
                self.rules.append(f"{where}: {words}")
        self.rules.extend(f"{where}: {key} {node[key]}" for key in COUNTS if key in node and key not in kept)


def _constants(values: Sequence[Any], where: str) -> Schema:
    """Say an enumeration by type: one with values of several types has no single one."""
    names = {"str": "string", "bool": "boolean", "int": "integer", "float": "number", "NoneType": "null"}
    groups: dict[str, list[Any]] = {}
    for value in values:
        if (name := type(value).__name__) not in names:
            raise NotStrict(
                where, "has choices that are neither text, number, boolean nor null; write a Literal of such"
            )
        groups.setdefault(names[name], []).append(value)
    said = [{"type": "null"} if kind == "null" else {"type": kind, "enum": each} for kind, each in groups.items()]
    return said[0] if len(said) == 1 else {"anyOf": said}


def _numbered(node: Schema, at: int) -> Schema:
    if "$ref" in node:
        return {"anyOf": [node], "description": f"Item {at}"}
    said = node.get("description")
    return {**node, "description": f"Item {at}: {said}" if said else f"Item {at}"}


def _short(node: Schema) -> str:
    branches = node.get("anyOf")
    if branches is not None:
        return " or ".join(_short(one) for one in branches)
    return str(node.get("type") or node["$ref"].rpartition("/")[2])


def _within_limits(schema: Schema) -> None:
    texts, properties, values = 0, 0, 0
    pending: list[Schema] = [schema, *schema.get("$defs", {}).values()]
    texts += sum(map(len, schema.get("$defs", ())))
    while pending:
        node = pending.pop()
        names, choices = node.get("properties", {}), node.get("enum", ())
        properties, values = properties + len(names), values + len(choices)
        texts += sum(map(len, names)) + sum(len(str(each)) for each in choices)
        pending.extend(part for part, _ in inside(node))
    for count, most, what in (
        (properties, PROPERTIES, "properties"),
        (values, ENUM_VALUES, "enum values"),
        (texts, CHARACTERS, "characters of names and values"),
        (_levels(schema, schema, ()), LEVELS, "levels of nesting"),
    ):
        if count > most:
            raise NotStrict("", f"{count} {what}, and strict mode takes {most}; write fewer, or split the tool")


def _levels(node: Schema, root: Schema, above: tuple[str, ...]) -> int:
    """Count nested objects and arrays on the longest way down; a recursive type counts once."""
    if "$ref" in node:
        return 0 if node["$ref"] in above else _levels(target(node, root), root, (*above, node["$ref"]))
    deepest = max((_levels(part, root, above) for part, _ in inside(node)), default=0)
    return deepest + (node.get("type") in ("object", "array"))
