"""The JSON text of a call becomes the arguments of a call. The hot path: everything that can be known before is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from toolkit.errors import ArgumentsInvalid
from toolkit.tools.fields import Field
from toolkit.tools.plain import Schema, target
from toolkit.tools.problems import problems
from toolkit.tools.restore import needs_restoring, restore
from toolkit.tools.signature import ABSENT

__all__ = ["Binding"]


class Binding:
    """How the arguments of one function are bound, worked out beforehand."""

    __slots__ = (
        "_fills",
        "_names",
        "_optional",
        "_plain",
        "_positional",
        "_rest",
        "_restores",
        "_simple",
        "_unvalued",
        "_validate",
    )

    def __init__(self, adapter: TypeAdapter[dict[str, Any]], fields: Sequence[Field], plain: Schema) -> None:
        parameters = [field.parameter for field in fields]
        self._validate = adapter.validator.validate_json
        self._plain = plain
        self._restores = needs_restoring(plain)
        self._names = list(plain["properties"])
        self._optional = tuple(field.parameter.name for field in fields if not field.required)
        """Names for which null means the default, in strict form."""
        self._unvalued = tuple(
            field.parameter.name
            for field in fields
            if field.parameter.name in self._optional and not _takes_null(_property(field, plain), plain)
        )
        """Names for which it does so in plain form too, having no other meaning."""
        self._fills = tuple((field.parameter.name, field.fill) for field in fields if field.fill is not None)
        self._positional = tuple((each.name, each.default) for each in parameters if each.kind == "positional")
        self._rest = next((each.name for each in parameters if each.kind == "rest"), None)
        self._simple = not (self._fills or self._positional or self._rest)

    def bind(self, text: str, strict_form: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Give the positional arguments and those by name. Raises ArgumentsInvalid."""
        if strict_form and self._restores:
            text = self._restored(text)
        try:
            values: dict[str, Any] = self._validate(text)
        except ValidationError as error:
            if text.strip() not in ("", "null"):  # what models send when they have nothing to say
                raise ArgumentsInvalid(problems(error, self._names)) from None
            return self.bind("{}", strict_form)
        # Text is parsed once, by pydantic, which takes the last of repeated names, and NaN for a number. Where either
        # may be in the text (more names than arguments, or these words), it is read again, with other eyes.
        if text.count('":') != len(values) or "NaN" in text or "Infinity" in text:
            _read(text)
        for name in self._optional if strict_form else self._unvalued:
            if name in values and values[name] is None:
                del values[name]
        return ((), values) if self._simple else self._arranged(values)

    def _arranged(self, values: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for name, fill in self._fills:
            if name not in values:
                values[name] = fill(values)
        positional = [values.pop(name, default) for name, default in self._positional]
        while positional and positional[-1] is ABSENT:
            positional.pop()
        return (*positional, *(values.pop(self._rest, ()) if self._rest is not None else ())), values

    def _restored(self, text: str) -> str:
        try:
            return json.dumps(restore(_read(text), self._plain, self._plain))
        except (ValueError, RecursionError):
            return text  # validation says what is wrong, in better words


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
