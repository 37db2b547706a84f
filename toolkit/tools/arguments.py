"""The arguments of one function as a model is told of them, and the reader of what it sends back.

Schemas and validator come from one pydantic object, so they cannot say different things. Apart from `definition.py`
because this is where pydantic comes in: it is imported, and the schemas are built, when the first of them is asked for,
not when a tool is defined.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from toolkit.errors import DefinitionError
from toolkit.tools.binding import Binder, binder
from toolkit.tools.fields import Field, field
from toolkit.tools.plain import Schema, adapter, plain_schema
from toolkit.tools.signature import Parameter
from toolkit.tools.strict import NotStrict, strict_schema

__all__ = ["Arguments"]


class Arguments:
    """Schemas and validator of some parameters. Everything is worked out on first use, and kept."""

    def __init__(self, function: str, parameters: tuple[Parameter, ...], texts: Mapping[str, str]) -> None:
        """Take the function's name for messages, its parameters, and what its docstring says of them."""
        self._function = function
        self._parameters = parameters
        self._texts = texts

    @property
    def plain(self) -> Schema:
        """JSON Schema of the arguments object. Raises DefinitionError for a type that pydantic cannot say."""
        return self._said[0]

    @property
    def strict(self) -> Schema | None:
        """The same in the form that OpenAI's and Azure's strict modes take; None when it cannot be said."""
        return None if isinstance(self._strictly, str) else self._strictly[0]

    @property
    def not_strict_because(self) -> str | None:
        """Why there is no strict form, naming the parameter and what to write instead; None when there is one."""
        return self._strictly if isinstance(self._strictly, str) else None

    @property
    def unsayable(self) -> tuple[str, ...]:
        """Rules that validation holds to and one of the schemas does not say, in words: `ids: unique items`."""
        lost = () if isinstance(self._strictly, str) else self._strictly[1]
        return tuple(dict.fromkeys((*self._said[1], *lost)))

    def binder(self, *, strict_form: bool) -> Binder:
        """Make the reader of what the model sends; `strict_form` tells which of the two schemas it was given."""
        return binder(self._adapter, self._fields, self.plain, strict_form=strict_form)

    @cached_property
    def _fields(self) -> tuple[Field, ...]:
        return tuple(field(each, self._texts.get(each.name)) for each in self._parameters)

    @cached_property
    def _adapter(self) -> TypeAdapter[dict[str, Any]]:
        try:
            return adapter(self._fields)
        except DefinitionError as error:
            raise DefinitionError(f"{self._function}: {error}") from error.__cause__

    @cached_property
    def _said(self) -> tuple[Schema, tuple[str, ...]]:
        built = self._adapter
        try:
            return plain_schema(built, self._fields)
        except DefinitionError as error:
            raise DefinitionError(f"{self._function}: {error}") from error.__cause__

    @cached_property
    def _strictly(self) -> tuple[Schema, tuple[str, ...]] | str:
        try:
            return strict_schema(self.plain)
        except NotStrict as verdict:
            return self._reason(verdict)

    def _reason(self, verdict: NotStrict) -> str:
        """Put the parameter and its type before the reason."""
        name = re.match(r"[*\w]*", verdict.where)
        for each in self._parameters:
            shown = "**" if each.kind == "extra" else each.name
            if name is not None and shown == name[0]:
                stars = "**" if each.kind == "extra" else ""
                place = "" if verdict.where == shown else f"{verdict.where} "
                return f"`{stars}{each.name}: {inspect.formatannotation(each.annotation)}`: {place}{verdict.why}"
        return verdict.why
