"""Arguments that a JSON Schema of somebody else's describes, and no signature: those of MCP and OpenAPI.

The schema goes to the model as it is. Where it can be said strictly without losing its meaning, it is (what may be left
out may be null there, and null is left out of the call); anything unusual in it (conditions, open objects, references
to elsewhere) makes the tool not strict. Arguments are held to what `fitting.py` looks at.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, cast

from toolkit.errors import ArgumentsInvalid, DefinitionError
from toolkit.tools.fitting import misfits, pointed
from toolkit.tools.plain import Schema
from toolkit.tools.problems import KNOWN, LINE, LINES
from toolkit.tools.restore import restore
from toolkit.tools.strict import NotStrict, strict_schema

__all__ = ["Described"]

Bound = tuple[tuple[Any, ...], dict[str, Any]]


class Described:
    """What `Arguments` is to a signature, for a schema."""

    def __init__(self, tool: str, schema: Mapping[str, Any]) -> None:
        """Take the tool's name for messages. Raises DefinitionError for what is no schema of an object."""
        properties = schema.get("properties", {})
        if schema.get("type", "object") != "object" or not isinstance(properties, dict):
            raise DefinitionError(f"{tool}: the schema of its arguments must be that of an object, with `properties`")
        kept = {key: value for key, value in schema.items() if key not in ("$schema", "type", "properties")}
        self.plain: Schema = {"type": "object", "properties": properties, **kept}
        """JSON Schema of the arguments object."""
        self.unsayable: tuple[str, ...] = ()
        """Always empty: further rules are known only to whoever receives the arguments."""

    @property
    def strict(self) -> Schema | None:
        """The same in the form that OpenAI's and Azure's strict modes take; None when it cannot be said."""
        return None if isinstance(self._strictly, str) else self._strictly

    @property
    def not_strict_because(self) -> str | None:
        """Why there is no strict form; None when there is one."""
        return self._strictly if isinstance(self._strictly, str) else None

    def binder(self, *, strict_form: bool) -> Callable[[str], Bound]:
        """Make the reader of what the model sends; it raises ArgumentsInvalid."""
        plain = self.plain
        optional = plain["properties"].keys() - set(plain.get("required", ()))

        def bind(text: str) -> Bound:
            values = _read(text)
            if strict_form:
                values = restore(values, plain, plain)
            for name in [each for each in optional if each in values and values[each] is None]:
                if strict_form or next(misfits(None, plain["properties"][name], plain), None) is not None:
                    del values[name]  # null for nothing, as models write it
            if wrong := list(misfits(values, plain, plain)):
                raise ArgumentsInvalid(_told(wrong, list(plain["properties"])))
            return (), values

        return bind

    @cached_property
    def _strictly(self) -> Schema | str:
        why = next(_unusual(self.plain, self.plain, "", is_root=True), None)
        if why is not None:
            return why
        try:
            return strict_schema(self.plain)[0]
        except NotStrict as verdict:
            return str(verdict).removeprefix(": ")
        except RecursionError:
            return "too deep"


def _read(text: str) -> dict[str, Any]:
    """Parse the JSON of a call. Raises ArgumentsInvalid, also for repeated names and for NaN and Infinity."""
    try:
        values: object = json.loads(text if text.strip() else "{}", object_pairs_hook=_once, parse_constant=_refuse)
    except ValueError as error:
        raise ArgumentsInvalid(f"Invalid JSON: {error}") from None
    except RecursionError:
        raise ArgumentsInvalid("Invalid JSON: nested too deeply") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ArgumentsInvalid("The arguments must be one JSON object")
    return cast("dict[str, Any]", values)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ArgumentsInvalid(f"{twice[:80]!r} is given twice in one object; give it once")
    return found


def _refuse(word: str) -> Any:
    raise ArgumentsInvalid(f"Invalid JSON: {word} is no JSON number")


def _told(wrong: list[str], known: list[str]) -> str:
    lines = [each[:LINE] for each in wrong[:LINES]]
    if len(wrong) > LINES:
        lines.append(f"... and {len(wrong) - LINES} more")
    if any(each.endswith(": unknown") for each in wrong):
        lines.append(f"Known arguments: {', '.join(known)}"[:KNOWN] if known else "There are no arguments: send {}")
    return "\n".join(lines)


# What may stand in a schema that is said strictly: keyword -> whether its value has the form it must have.


def _text(value: object) -> bool:
    return isinstance(value, str)


def _count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _anything(value: object) -> bool:
    return True


def _schemas(value: object) -> bool:
    return isinstance(value, list) and value != []


USUAL: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(("title", "default", "examples", "deprecated", "$comment", "readOnly", "writeOnly"), _anything),
    **dict.fromkeys(("description", "format", "pattern", "$ref"), _text),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _count),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _count),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "enum"), _schemas),
    **dict.fromkeys(("properties", "$defs"), lambda value: isinstance(value, dict)),
    **dict.fromkeys(("items", "additionalProperties"), lambda value: isinstance(value, dict | bool)),
    "type": lambda value: isinstance(value, str | list),
    "required": lambda value: isinstance(value, list) and all(map(_text, cast("list[object]", value))),
    "const": _anything,
    "uniqueItems": _anything,
}


def _unusual(node: object, root: Schema, where: str, *, is_root: bool = False) -> Iterator[str]:
    """Say what in a schema keeps it from being said strictly, the reasons of `strict_schema` apart."""
    if not isinstance(node, dict):
        yield f"{where}: is no schema of its own"
        return
    schema = cast("Schema", node)
    for keyword, value in schema.items():
        has_form = USUAL.get(keyword)
        if has_form is None or not has_form(value):
            yield f"{where}: {keyword} cannot be said strictly".removeprefix(": ")
            return
    reference = schema.get("$ref")
    if reference is not None and (
        reference.count("/") != 2 or not reference.startswith("#/$defs/") or pointed(reference, root) is None
    ):
        yield f"{where}: refers to {reference[:80]}"
    is_open = "properties" not in schema and "additionalProperties" not in schema
    if schema.get("type") == "object" and is_open and not is_root:
        yield f"{where}: is open to any members"
    if is_root and any(each in schema for each in ("anyOf", "oneOf", "allOf", "enum", "$ref")):
        yield "the arguments have several forms"
    below = f"{where}." if where else ""
    for keyword in ("properties", "$defs"):
        for name, part in schema.get(keyword, {}).items():
            yield from _unusual(part, root, f"{below}{name}")
    for keyword in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(keyword, ()):
            yield from _unusual(part, root, where)
    for keyword, step in (("items", "[]"), ("additionalProperties", "{}")):
        if not isinstance(schema.get(keyword, True), bool):
            yield from _unusual(schema[keyword], root, f"{where}{step}")
