"""The JSON text of a call becomes the arguments of a call. The hot path: everything that can be known before is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from toolkit.errors import ArgumentsInvalid
from toolkit.tools.fields import Field
from toolkit.tools.plain import Schema, inside, target
from toolkit.tools.problems import problems
from toolkit.tools.restore import has_inner_defaults, has_mappings, restore

__all__ = ["Binder", "Bound", "binder"]

Bound = tuple[tuple[Any, ...], dict[str, Any]]
"""The arguments of a call: positional ones, and those by name."""
Binder = Callable[[str], Bound]

ANSWERED = frozenset({"$ref", "anyOf", "oneOf", "allOf", "enum", "const"})
"""Keywords that say in place of `type` what a value is."""


def binder(
    adapter: TypeAdapter[dict[str, Any]], fields: Sequence[Field], plain: Schema, *, strict_form: bool
) -> Binder:
    """Make the function that binds the JSON text of a call; it raises ArgumentsInvalid.

    A closure, not an object with attributes: what it needs on every call is looked up once, here.
    """
    validate = adapter.validator.validate_json
    numbers = _has_numbers(plain)
    null_is_default = tuple(_null_is_default(fields, plain, strict_form))
    below = _least_names(plain, plain) - len(plain.get("required", ()))
    arrange = _arranging(fields)
    known = list(plain["properties"])

    def bind(text: str) -> Bound:
        try:
            values: dict[str, Any] = validate(text)
        except ValidationError as error:
            if text.strip() in ("", "null"):  # what models send when they have nothing to say
                return bind("{}")
            raise ArgumentsInvalid(problems(error, known)) from None
        # pydantic takes the last of repeated names, and NaN for a number. Where either may be in the text (not as many
        # names as there must be, or these words where there are numbers), it is looked at again.
        if text.count('":') - len(values) != below or (numbers and ("NaN" in text or "Infinity" in text)):
            _look_again(text)
        if "null" in text:
            for name in null_is_default:
                if name in values and values[name] is None:
                    del values[name]
        return ((), values) if arrange is None else (arrange(values), values)

    if strict_form and has_mappings(plain):
        return lambda text: bind(_restored(text, plain))
    if strict_form and has_inner_defaults(plain):
        return lambda text: bind(_restored(text, plain) if "null" in text else text)
    return bind


def _null_is_default(fields: Sequence[Field], plain: Schema, strict_form: bool) -> Iterator[str]:
    """Name the parameters for which null means the default: in plain form only those for which it has no meaning."""
    for field in fields:
        if not field.required and (strict_form or not _takes_null(_property(field, plain), plain)):
            yield field.parameter.name


def _arranging(fields: Sequence[Field]) -> Callable[[dict[str, Any]], tuple[Any, ...]] | None:
    """Make the function that puts in the defaults of `Field(...)` and takes out what goes by position, if need be."""
    fills = [(field.parameter.name, field.fill) for field in fields if field.fill is not None]
    positional = [(each.name, each.default) for field in fields if (each := field.parameter).kind == "positional"]
    rest = next((field.parameter.name for field in fields if field.parameter.kind == "rest"), None)
    if not (fills or positional or rest):
        return None

    def arrange(values: dict[str, Any]) -> tuple[Any, ...]:
        for name, fill in fills:
            if name not in values:
                values[name] = fill(values)
        first = [values.pop(name, default) for name, default in positional]
        return (*first, *values.pop(rest, ())) if rest is not None else tuple(first)

    return arrange


def _restored(text: str, plain: Schema) -> str:
    try:
        return json.dumps(restore(_read(text), plain, plain))
    except (ValueError, RecursionError):
        return text  # validation says what is wrong, in better words


def _look_again(text: str) -> None:
    """Find names repeated at any depth: without such, a text written anew has as many names as before."""
    with suppress(ValueError):  # a number too long for Python to read or write, which pydantic has taken already
        if to_json(from_json(text)).count(b'":') != text.count('":') or "NaN" in text or "Infinity" in text:
            _read(text)


def _read(text: str) -> Any:
    """Parse JSON as its definition has it. Raises ArgumentsInvalid for repeated names and for NaN and Infinity."""
    return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = Counter(name for name, _ in pairs)
        twice = next(name for name, times in names.items() if times > 1)
        raise ArgumentsInvalid(f"{twice[:80]!r} is given twice in one object; give it once")
    return found


def _refuse(word: str) -> Any:
    raise ArgumentsInvalid(f"Invalid JSON: {word} is no JSON number")


def _least_names(node: Schema, root: Schema, above: tuple[str, ...] = ()) -> int:
    """Count the names inside the smallest value of a schema. A text with no more than these repeats none of them.

    (Unless there is space between a name and its colon, where nobody writes one; then the last of them wins, as usual.)
    """
    if "$ref" in node:
        return 0 if node["$ref"] in above else _least_names(target(node, root), root, (*above, node["$ref"]))
    if branches := node.get("anyOf") or node.get("oneOf"):
        return min(_least_names(branch, root, above) for branch in branches)
    required, properties = node.get("required", ()), node.get("properties", {})
    return len(required) + sum(_least_names(properties.get(name, {}), root, above) for name in required)


def _has_numbers(plain: Schema) -> bool:
    """Tell whether a number that is no integer may be taken anywhere."""
    pending = [plain, *plain.get("$defs", {}).values()]
    while pending:
        node = pending.pop()
        if node.get("type", "number") == "number" and not ANSWERED & node.keys():
            return True
        pending.extend(part for part, _ in inside(node))
        if node.get("additionalProperties") is True:
            return True
    return False


def _property(field: Field, plain: Schema) -> Schema:
    name = field.key if isinstance(field.key, str) else field.parameter.name
    properties: dict[str, Schema] = plain["properties"]
    return properties.get(name, {})


def _takes_null(node: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    if "$ref" in node:
        return _takes_null(target(node, root), root)
    if branches := node.get("anyOf") or node.get("oneOf"):
        return any(_takes_null(each, root) for each in branches)
    if "enum" in node or "const" in node:
        return None in node.get("enum", [node.get("const")])
    return str(node.get("type", "null")) == "null"
