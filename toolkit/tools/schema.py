"""A function's parameters: what the model is told of them, and how its JSON becomes the arguments of a call.

Schema and validator come from one pydantic object, so they cannot say different things. It is built on first use, since
building is what costs; reading the signature is cheap, and done at once so that mistakes show where they are made.

    signature.py   callable -> parameters          plain.py     parameters -> pydantic object, JSON Schema
    fields.py      Field(...), Annotated, texts    strict.py    JSON Schema -> strict form
    docstrings.py  docstring -> texts              restore.py   arguments in strict form -> as the plain schema has them
    binding.py     JSON text -> arguments          problems.py  what was wrong with it, in words for the model
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from toolkit.errors import ArgumentsInvalid, DefinitionError
from toolkit.tools.binding import Binding
from toolkit.tools.docstrings import Docstring, read
from toolkit.tools.fields import Field, field
from toolkit.tools.plain import Schema, adapter, plain_schema
from toolkit.tools.signature import Signature, docstring, signature, title
from toolkit.tools.strict import NotStrict, strict_schema

__all__ = ["ArgumentsInvalid", "FunctionSchema", "describe"]


def describe(function: Callable[..., Any], names: Mapping[str, Any] | None = None) -> FunctionSchema:
    """Describe a function, method, partial or callable object to a model.

    `names` may hold further names that its annotations use: the locals of the place where it was defined. Raises
    DefinitionError, saying what to write instead, when the signature cannot be used. Whether pydantic knows the types
    shows on first use of `.plain`, `.strict` or `.bind`, which raise the same.
    """
    return FunctionSchema(title(function), docstring(function), signature(function, names))


class FunctionSchema:
    """One callable's parameters, whatever name it goes by. Everything is worked out on first use, and kept."""

    def __init__(self, title: str, docstring: str | None, signature: Signature) -> None:
        self._title = title
        self._docstring_text = docstring
        self._signature = signature

    def __repr__(self) -> str:
        return f"<FunctionSchema of {self._title}>"

    @property
    def context_parameter(self) -> str | None:
        """Name of the parameter annotated `RunContext[...]`, hidden from the model and filled in by name."""
        return self._signature.context

    @property
    def description(self) -> str:
        """What the docstring says of the function as a whole."""
        return self._docstring.description

    @property
    def plain(self) -> Schema:
        """JSON Schema of the arguments object."""
        return self._said[0]

    @property
    def strict(self) -> Schema | None:
        """The same in the form that OpenAI's and Azure's strict modes take; None when it cannot be said."""
        return None if isinstance(self._strictly, str) else self._strictly[0]

    @property
    def not_strict_because(self) -> str | None:
        """Why there is no strict form, naming the parameter and what to write instead; None when there is one."""
        return self._strictly if isinstance(self._strictly, str) else None

    @cached_property
    def unsayable(self) -> tuple[str, ...]:
        """Rules that validation holds to and a schema does not say, in words: `ids: unique items`."""
        lost = () if isinstance(self._strictly, str) else self._strictly[1]
        return tuple(dict.fromkeys((*self._said[1], *lost)))

    def bind(self, arguments_json: str | bytes, *, strict_form: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Turn the model's JSON into the arguments of a call, positional and by name, without the context.

        `strict_form` tells which of the two schemas the model was given. Raises ArgumentsInvalid, whose text is for
        the model: a line for each problem.
        """
        if isinstance(arguments_json, bytes):
            arguments_json = arguments_json.decode("utf-8", "surrogateescape")
        return self._binding.bind(arguments_json, strict_form)

    @cached_property
    def _docstring(self) -> Docstring:
        return read(self._docstring_text)

    @cached_property
    def _fields(self) -> tuple[Field, ...]:
        said = self._docstring.parameters
        return tuple(field(each, said.get(each.name)) for each in self._signature.parameters)

    @cached_property
    def _adapter(self) -> TypeAdapter[dict[str, Any]]:
        try:
            return adapter(self._fields)
        except DefinitionError as error:
            raise DefinitionError(f"{self._title}: {error}") from error.__cause__

    @cached_property
    def _said(self) -> tuple[Schema, tuple[str, ...]]:
        built = self._adapter
        try:
            return plain_schema(built, self._fields)
        except DefinitionError as error:
            raise DefinitionError(f"{self._title}: {error}") from error.__cause__

    @cached_property
    def _strictly(self) -> tuple[Schema, tuple[str, ...]] | str:
        try:
            return strict_schema(self.plain)
        except NotStrict as error:
            return self._reason(error)

    @cached_property
    def _binding(self) -> Binding:
        return Binding(self._adapter, self._fields, self.plain)

    def _reason(self, verdict: NotStrict) -> str:
        name = re.match(r"\w*", verdict.where)
        for each in self._signature.parameters:
            stars = "**" if each.kind == "extra" else ""
            if (name and each.name == name[0]) or verdict.where == stars == "**":
                return f"`{stars}{each.name}: {inspect.formatannotation(each.annotation)}`: {verdict}"
        return verdict.why
