"""The form that a run's final answer must have: what the model is told of it, and what checks the text.

Schema and check are those of tools: the type is taken for the one parameter `value` of a function. Objects are asked
for as they are; everything else (a list, a number, a union) must come in an object, since a strict schema is one.
"""

from __future__ import annotations

import json
import re
from typing import Any, Generic, TypeVar, cast

from toolkit.errors import ArgumentsInvalid, DefinitionError
from toolkit.runs.effects import Json
from toolkit.tools.arguments import Arguments
from toolkit.tools.plain import Schema, target
from toolkit.tools.signature import Parameter
from toolkit.tools.strict import NotStrict, entry, strict_schema

__all__ = ["Form"]

T = TypeVar("T")

_VALUE = "value"
_PLACE = re.compile(rf"^{_VALUE}(\.|(?=[\[:]))(: )?", re.MULTILINE)
_FENCED = re.compile(r"\s*```\w*[ \t\r]*\n(.*)\n[ \t]*```\s*", re.DOTALL)


class Form(Generic[T]):
    """A type as the form of an answer. Raises DefinitionError for a type that no model can fill in."""

    def __init__(self, output_type: type[T]) -> None:
        self.name = _name(output_type)
        parameter = Parameter(_VALUE, "named", output_type)
        try:
            arguments = Arguments(self.name, (parameter,), {})
            plain = arguments.plain
        except DefinitionError as error:
            raise DefinitionError(f"output_type={self.name} cannot be the form of an answer: {error}") from error
        root = _root(plain)
        self._is_wrapped = root is None
        try:
            self.schema, self.strict = strict_schema(plain if root is None else root)[0], True
        except NotStrict:
            self.schema, self.strict = plain if root is None else root, False
        self._bind = arguments.binder(strict_form=self.strict)

    @property
    def wire(self) -> Json:
        """The form as the APIs have it: `name`, `schema` and `strict`."""
        return {"name": self.name, "schema": self.schema, "strict": self.strict}

    def read(self, text: str) -> T:
        """Check an answer and give what it says. Raises ArgumentsInvalid, in words for the model.

        Models that their server does not hold to a schema put JSON into a Markdown fence, however often they are asked.
        """
        if fenced := _FENCED.fullmatch(text):
            text = fenced[1]
        try:
            _, values = self._bind(text if self._is_wrapped else f'{{"{_VALUE}":{text}}}')
        except ArgumentsInvalid as error:
            if not _is_json(text):
                raise ArgumentsInvalid("It is not JSON.") from None
            said = str(error) if self._is_wrapped else _PLACE.sub("", str(error))
            raise ArgumentsInvalid(said) from None
        return cast("T", values[_VALUE])


def _root(plain: Schema) -> Schema | None:
    """The schema of an answer that is an object with members; None for what must be put into one."""
    node = plain["properties"][_VALUE]
    found = target(node, plain) if "$ref" in node else node
    if found.get("type") != "object" or entry(found) is not None or not found.get("properties"):
        return None
    definitions: dict[str, Any] = {"$defs": plain["$defs"]} if "$defs" in plain else {}
    return {**found, **definitions}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _name(output_type: object) -> str:
    name = getattr(output_type, "__name__", None) or "answer"
    return re.sub(r"[^A-Za-z0-9_-]+", "_", str(name))[:64] or "answer"
