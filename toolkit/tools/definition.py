"""What a model sees of a function: its definition, in both wire forms.

signature.py   callable -> parameters              docstrings.py  docstring -> texts
fields.py      Field(...), Annotated, texts        plain.py       fields -> pydantic object -> JSON Schema
strict.py      JSON Schema -> strict form          restore.py     arguments in strict form -> in plain form
binding.py     JSON text -> arguments of a call    problems.py    what is wrong with them, in words for the model
arguments.py   holds what needs pydantic together; imported on first use, and pydantic with it
described.py   the same for a JSON Schema of somebody else's, in place of a signature
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from toolkit.errors import DefinitionError
from toolkit.tools.docstrings import Docstring, read
from toolkit.tools.signature import Signature, UnknownName, docstring, signature, title

if TYPE_CHECKING:
    from openai.types.beta import FunctionToolParam as NestedDefinition
    from openai.types.responses import FunctionToolParam as FlatDefinition
    from openai.types.shared_params import FunctionDefinition

    from toolkit.tools.arguments import Arguments
    from toolkit.tools.binding import Binder
    from toolkit.tools.described import Described

__all__ = ["Definition"]


class Definition:
    """What is known of a function once it has been described; each part is made when it is first asked for."""

    def __init__(
        self,
        name: str,
        function: Callable[..., object],
        description: str | None,
        strict: bool | None,
        described: Described | None = None,
    ) -> None:
        self._name = name
        self._function = function
        self._description = description
        self._strict = strict
        self._described = described
        self._names: Mapping[str, object] = {}

    def look(self) -> None:
        """Read the signature, which is cheap, so that its mistakes show at once. Raises DefinitionError.

        A type that cannot be found may be a local of the code that defines the tool, or be written further down.
        """
        try:
            _ = self.signature
        except UnknownName:
            self._names = _locals_of_caller()
            with suppress(UnknownName):
                _ = self.signature

    def varied(self, name: str, strict: bool | None) -> Definition:
        """Describe the same function under another name, or with another choice of strictness; what was read stays."""
        other = Definition(name, self._function, self._description, strict, self._described)
        other._names = self._names
        for kept in ("signature", "arguments", "description", "_docstring"):
            if kept in self.__dict__:
                other.__dict__[kept] = self.__dict__[kept]
        return other

    @cached_property
    def signature(self) -> Signature:
        """The parameters, and the context's. Raises DefinitionError, saying what to write instead."""
        return signature(self._function, self._names)

    @cached_property
    def arguments(self) -> Arguments | Described:
        """Schemas of the parameters, and what binds a call's arguments to them.

        Raises DefinitionError for the signature; for types that pydantic does not know, its attributes do when read.
        """
        if self._described is not None:
            return self._described
        from toolkit.tools.arguments import Arguments  # pydantic: not needed to define a tool

        return Arguments(title(self._function), self.signature.parameters, self._docstring.parameters)

    @cached_property
    def description(self) -> str:
        """What the model reads; the docstring's when nothing was asked for."""
        return self._docstring.description if self._description is None else self._description

    @cached_property
    def strict(self) -> bool:
        """Whether the strict form is the one to use. Raises DefinitionError when asked for and not sayable."""
        if self._strict and self.arguments.strict is None:
            raise DefinitionError(
                f"{self._name} cannot be strict: {self.arguments.not_strict_because}; "
                "write strict=False, or another type"
            )
        return self._strict is not False and self.arguments.strict is not None

    @cached_property
    def calling(self) -> tuple[Binder, str | None]:
        """What every call needs, in one look-up: how arguments are bound, and the context's name."""
        return self.arguments.binder(strict_form=self.strict), self.signature.context

    @property
    def not_strict_because(self) -> str | None:
        """Why the plain form is used, or None when it is not."""
        if self.strict:
            return None
        return "it was defined with strict=False" if self._strict is False else self.arguments.not_strict_because

    @cached_property
    def nested(self) -> NestedDefinition:
        """The wire form of Assistants and Chat Completions."""
        function: FunctionDefinition = {"name": self._name}
        if self.description:
            function["description"] = self.description
        function["parameters"] = self._parameters
        function["strict"] = self.strict
        return {"type": "function", "function": function}

    @cached_property
    def flat(self) -> FlatDefinition:
        """The wire form of Responses."""
        flat: FlatDefinition = {
            "type": "function",
            "name": self._name,
            "parameters": self._parameters,
            "strict": self.strict,
        }
        if self.description:
            flat["description"] = self.description
        return flat

    @property
    def _parameters(self) -> dict[str, object]:
        strict = self.arguments.strict if self.strict else None
        return self.arguments.plain if strict is None else strict

    @cached_property
    def _docstring(self) -> Docstring:
        return read(docstring(self._function))


def _locals_of_caller() -> dict[str, object]:
    """Give the local names of the code that asks for a tool: the first frame outside this folder."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("toolkit.tools."):
        frame = frame.f_back
    return {} if frame is None else dict(frame.f_locals)
