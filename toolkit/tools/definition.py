"""What a model sees of a function: its definition, in both wire forms."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from toolkit.errors import DefinitionError
from toolkit.tools.schema import FunctionSchema, describe
from toolkit.tools.signature import UnknownName

if TYPE_CHECKING:
    from openai.types.beta import FunctionToolParam as NestedDefinition
    from openai.types.responses import FunctionToolParam as FlatDefinition
    from openai.types.shared_params import FunctionDefinition

    from toolkit.tools.binding import Binder

__all__ = ["Definition"]


class Definition:
    """What is known of a function once it has been described; each part is made when it is first asked for."""

    def __init__(
        self, name: str, function: Callable[..., object], description: str | None, strict: bool | None
    ) -> None:
        self._name = name
        self._function = function
        self._description = description
        self._strict = strict
        self._names: Mapping[str, object] = {}

    def look(self) -> None:
        """Read the signature, which is cheap, so that its mistakes show at once. Raises DefinitionError.

        A type that cannot be found may be a local of the code that defines the tool, or be written further down.
        """
        try:
            _ = self.schema
        except UnknownName:
            self._names = _locals_of_caller()
            with suppress(UnknownName):
                _ = self.schema

    @cached_property
    def schema(self) -> FunctionSchema:
        """Schemas and validator. Raises DefinitionError."""
        return describe(self._function, self._names)

    @cached_property
    def description(self) -> str:
        """What the model reads; the docstring's when nothing was asked for."""
        return self.schema.description if self._description is None else self._description

    @cached_property
    def strict(self) -> bool:
        """Whether the strict form is the one to use. Raises DefinitionError when asked for and not sayable."""
        if self._strict and self.schema.strict is None:
            raise DefinitionError(
                f"{self._name} cannot be strict: {self.schema.not_strict_because}; write strict=False, or another type"
            )
        return self._strict is not False and self.schema.strict is not None

    @cached_property
    def calling(self) -> tuple[Binder, str | None]:
        """What every call needs, in one look-up: how arguments are bound, and the context's name."""
        schema = self.schema
        return schema.bind_strict if self.strict else schema.bind_plain, schema.context_parameter

    @property
    def not_strict_because(self) -> str | None:
        """Why the plain form is used, or None when it is not."""
        if self.strict:
            return None
        return "it was defined with strict=False" if self._strict is False else self.schema.not_strict_because

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
        schema = self.schema.strict if self.strict else None
        return self.schema.plain if schema is None else schema


def _locals_of_caller() -> dict[str, object]:
    """Give the local names of the code that asks for a tool: the first frame outside this folder."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("toolkit.tools."):
        frame = frame.f_back
    return {} if frame is None else dict(frame.f_locals)
