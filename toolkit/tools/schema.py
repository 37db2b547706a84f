"""A function's parameters: what the model is told of them, and how its JSON becomes the arguments of a call.

Schema and validator come from one pydantic object, so they cannot say different things.

    signature.py   callable -> parameters              docstrings.py  docstring -> texts
    fields.py      Field(...), Annotated, texts        plain.py       fields -> pydantic object -> JSON Schema
    strict.py      JSON Schema -> strict form          restore.py     arguments in strict form -> in plain form
    binding.py     JSON text -> arguments of a call    problems.py    what is wrong with them, in words for the model
    arguments.py   holds these together; imported on first use, and with it pydantic
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.errors import ArgumentsInvalid
from toolkit.tools.docstrings import Docstring, read
from toolkit.tools.signature import Signature, docstring, signature, title

if TYPE_CHECKING:
    from toolkit.tools.arguments import Arguments
    from toolkit.tools.binding import Binder, Bound

__all__ = ["ArgumentsInvalid", "FunctionSchema", "describe"]


def describe(function: Callable[..., Any], names: Mapping[str, Any] | None = None) -> FunctionSchema:
    """Describe a function, method, partial or callable object to a model.

    `names` may hold further names that its annotations use: the locals of the place where it was defined. Raises
    DefinitionError, saying what to write instead, when the signature cannot be used. Whether pydantic knows the types
    shows on first use of `.plain`, `.strict` or `.bind`, which raise the same.
    """
    return FunctionSchema(title(function), docstring(function), signature(function, names))


class FunctionSchema:
    """One callable's parameters, whatever name it goes by. What costs is worked out on first use, and kept."""

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
    def needs_context(self) -> bool:
        """Whether the function cannot be called without that context."""
        return self._signature.needs_context

    @property
    def description(self) -> str:
        """What the docstring says of the function as a whole."""
        return self._docstring.description

    @property
    def plain(self) -> dict[str, Any]:
        """JSON Schema of the arguments object."""
        return self._arguments.plain

    @property
    def strict(self) -> dict[str, Any] | None:
        """The same in the form that OpenAI's and Azure's strict modes take; None when it cannot be said."""
        return self._arguments.strict

    @property
    def not_strict_because(self) -> str | None:
        """Why there is no strict form, naming the parameter and what to write instead; None when there is one."""
        return self._arguments.not_strict_because

    @property
    def unsayable(self) -> tuple[str, ...]:
        """Rules that validation holds to and a schema does not say, in words: `ids: unique items`."""
        return self._arguments.unsayable

    def bind(self, arguments_json: str | bytes, *, strict_form: bool) -> Bound:
        """Turn the model's JSON into the arguments of a call, positional and by name, without the context.

        `strict_form` tells which of the two schemas the model was given. Raises ArgumentsInvalid, whose text is for
        the model: a line for each problem.
        """
        if isinstance(arguments_json, bytes):
            arguments_json = arguments_json.decode("utf-8", "surrogateescape")
        return (self.bind_strict if strict_form else self.bind_plain)(arguments_json)

    @cached_property
    def bind_strict(self) -> Binder:
        """Bind text of the strict form; `bind` without the way there."""
        return self._arguments.binder(strict_form=True)

    @cached_property
    def bind_plain(self) -> Binder:
        """Bind text of the plain form; `bind` without the way there."""
        return self._arguments.binder(strict_form=False)

    @cached_property
    def _docstring(self) -> Docstring:
        return read(self._docstring_text)

    @cached_property
    def _arguments(self) -> Arguments:
        from toolkit.tools.arguments import Arguments  # pydantic: not needed to define a tool

        return Arguments(self._title, self._signature.parameters, self._docstring.parameters)
