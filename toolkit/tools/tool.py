"""Tool and @tool: a function that a model may call, and that your own code calls as before.

What a model sees (the definition) and what checks its arguments are built from the signature on first use and kept.
What is cheap to see is checked at once: a bad name (checks.py), a parameter without annotation.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from toolkit.errors import ArgumentsInvalid, DefinitionError
from toolkit.tools.approval import ApprovalRule, asks_for, checked_rule
from toolkit.tools.checks import checked_name, checked_timeout
from toolkit.tools.context import RunContext
from toolkit.tools.definition import Definition
from toolkit.tools.failures import failure, log_failure
from toolkit.tools.kinds import awaits_binding, innermost, is_async, is_async_generator
from toolkit.tools.output import Output, output_of
from toolkit.tools.terms import Terms
from toolkit.tools.threads import wait_for

if TYPE_CHECKING:
    from openai.types.beta import FunctionToolParam as NestedDefinition
    from openai.types.responses import FunctionToolParam as FlatDefinition

__all__ = ["Tool", "tool"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")

Bound = tuple[tuple[Any, ...], dict[str, Any]]
_Bind = Callable[[object, "type | None"], Callable[..., Any]]


class ToolOptions(TypedDict, total=False):
    """Options of a tool, see `tool`."""

    strict: bool | None
    timeout_s: float | None
    approve: ApprovalRule
    read_only: bool
    idempotent: bool


class Tool(Generic[P, R]):
    """A function, and what a model must know to call it. Made by `@tool`."""

    name: str
    """Name under which a model calls it: 1 to 64 of `A-Z a-z 0-9 _ -`."""
    function: Callable[P, R]
    """The function itself."""
    timeout_s: float | None
    """How long one call may take within a run; None for no time-out."""
    is_async: bool
    """Whether the function is a coroutine function."""
    terms: Terms = Terms()
    """What the toolsets it has gone through lay down for its calls."""
    approve: ApprovalRule
    """Whether somebody must approve a call before it is made; a function says it of the arguments."""
    read_only: bool
    """Whether a call changes nothing, so that it may be made again."""
    idempotent: bool
    """Whether a call made again with the same `RunContext.idempotency_key` changes nothing more."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str | None = None,
        description: str | None = None,
        strict: bool | None = None,
        timeout_s: float | None = None,
        approve: ApprovalRule = False,
        read_only: bool = False,
        idempotent: bool = False,
    ) -> None:
        """See `tool`. Raises DefinitionError."""
        given: object = function
        if isinstance(function, (staticmethod, classmethod)):
            function = cast("Callable[P, R]", function.__func__)  # pyright: ignore[reportUnknownMemberType] - of any type
        if isinstance(function, Tool) or not callable(function):
            raise DefinitionError(f"@tool goes on a function, a method or a callable object, not on {function!r}")
        functools.update_wrapper(self, innermost(function), updated=())
        self.__wrapped__ = function
        self.function = function
        self.name = checked_name(function, name)
        self.timeout_s = checked_timeout(self.name, timeout_s)
        self.is_async = is_async(function)
        self.approve = checked_rule(self.name, function, approve)
        self.read_only, self.idempotent = read_only, idempotent
        self._bind: _Bind | None = None if isinstance(given, staticmethod) else getattr(given, "__get__", None)
        self._asked = (description, strict)
        self._definition = Definition(self.name, function, description, strict)
        self._method_definition: Definition | None = None
        if is_async_generator(function):
            raise DefinitionError(f"{self.name} is an async generator and has no one result: return a list instead")
        if awaits_binding(function):
            self._method_definition = Definition(self.name, MethodType(function, object()), description, strict)
        (self._method_definition or self._definition).look()

    @classmethod
    def from_schema(
        cls,
        function: Callable[..., Any],
        parameters: Mapping[str, Any],
        *,
        name: str,
        description: str,
        **options: Unpack[ToolOptions],
    ) -> Tool[..., Any]:
        """Make a tool of a JSON Schema and a function of whatever it describes, `def function(**arguments: Any)`.

        For tools known only when the program runs: those of other servers, or of a database. The schema goes to the
        model as it is, strictly where it can be said so; arguments are held to its types, choices, members and bounds.
        Raises DefinitionError.
        """
        from toolkit.tools.described import Described  # few programs need it

        tool = Tool(function, name=name, description=description, **options)
        if all(each.kind != "extra" for each in tool._definition.signature.parameters):
            raise DefinitionError(f"{name}: its function must take what the schema says by name: `**arguments: Any`")
        described = Described(name, parameters)
        tool._definition = Definition(name, function, description, options.get("strict"), described)
        return tool

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function as if it were no tool."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Tool {self.name}>"

    def __reduce__(self) -> str:
        """Be copied as itself and pickled by name, as functions are."""
        return str(getattr(self, "__qualname__", self.name))

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Tool[P, R]: ...
    @overload
    def __get__(self: Tool[Concatenate[S, Q], R], instance: S, owner: type | None = None) -> Tool[Q, R]: ...
    @overload
    def __get__(self: Tool[Concatenate[type[S], Q], R], instance: S, owner: type | None = None) -> Tool[Q, R]: ...
    def __get__(self, instance: object, owner: type | None = None) -> Tool[Any, Any]:
        """Bind to the instance, or class, that it is read from, as the function itself would."""
        bound = self.function if self._bind is None else self._bind(instance, owner)
        if bound is self.function:
            return self
        if self._method_definition is None:  # described once for all instances, and holding on to none of them
            self._method_definition = Definition(
                self.name, MethodType(self.function, owner or type(instance)), *self._asked
            )
        copy = cast("Tool[..., Any]", object.__new__(Tool))
        copy.__dict__.update(
            self.__dict__, function=bound, __wrapped__=bound, _bind=None, _definition=self._method_definition
        )
        return copy

    def varied(
        self,
        *,
        terms: Terms | None = None,
        name: str | None = None,
        strict: bool | None = None,
        timeout_s: float | None = None,
    ) -> Tool[P, R]:
        """Copy it with other terms, name, strictness or time-out; None leaves each as it is. Raises DefinitionError."""
        name = self.name if name is None else checked_name(self.function, name)
        description, asked = self._asked
        asked = asked if strict is None else strict
        copy = cast("Tool[P, R]", object.__new__(Tool))
        copy.__dict__.update(
            self.__dict__,
            name=name,
            timeout_s=self.timeout_s if timeout_s is None else timeout_s,
            terms=terms or self.terms,
            _asked=(description, asked),
            _definition=self._definition.varied(name, asked),
            _method_definition=None,
        )
        return copy

    @property
    def asked_strict(self) -> bool | None:
        """What `@tool(strict=...)`, or a toolset, said of strictness; None for nothing."""
        return self._asked[1]

    @property
    def description(self) -> str:
        """What the model reads to decide whether to call it; empty when neither the docstring nor `@tool` gave one."""
        return self._definition.description

    @property
    def strict(self) -> bool:
        """Whether the model is held to the schema exactly (`strict` on the wire)."""
        return self._definition.strict

    @property
    def not_strict_because(self) -> str | None:
        """Why the tool is not strict, or None when it is."""
        return self._definition.not_strict_because

    @property
    def unsayable(self) -> tuple[str, ...]:
        """Rules that calls are held to though no schema says them, in words: `ids: unique items`."""
        return self._definition.arguments.unsayable

    @property
    def plain_parameters(self) -> dict[str, Any]:
        """JSON Schema of the arguments as they are without strictness: what may be left out is not required."""
        return self._definition.arguments.plain

    @property
    def definition(self) -> NestedDefinition:
        """The wire form of Assistants and Chat Completions. Built once: do not change it."""
        return self._definition.nested

    @property
    def flat_definition(self) -> FlatDefinition:
        """The wire form of Responses. Built once: do not change it."""
        return self._definition.flat

    def check(self) -> None:
        """Build the definition. Raises DefinitionError when the function cannot be said to a model, or not strictly."""
        _ = self._definition.nested

    def call(self, arguments_json: str, context: RunContext[Any] | None = None) -> Output:
        """Answer a model's call, without time-out or retries; an async tool is awaited on a background loop.

        Whatever goes wrong is an Output with ok=False, and logged. Raises DefinitionError where the tool itself cannot
        be used, or needs a context and got none.
        """
        try:
            value = self.invoke(arguments_json, context)
            if type(value) is not str and inspect.isawaitable(value):
                value = wait_for(value)
            return output_of(value, self.terms.max_output_bytes)
        except DefinitionError:
            raise
        except Exception as error:
            return self._failed(arguments_json, error, context)

    async def acall(self, arguments_json: str, context: RunContext[Any] | None = None) -> Output:
        """Answer a model's call as `call` does, awaiting async tools here. A sync tool runs here too, and blocks."""
        try:
            value = self.invoke(arguments_json, context)
            if type(value) is not str and inspect.isawaitable(value):
                value = await value
            return output_of(value, self.terms.max_output_bytes)
        except DefinitionError:
            raise
        except Exception as error:
            return self._failed(arguments_json, error, context)

    def invoke(self, arguments_json: str, context: RunContext[Any] | None = None) -> object:
        """Check the arguments and call the function: its own result (of an async tool, a coroutine), its own
        exceptions.

        Raises ArgumentsInvalid for arguments the model got wrong, DefinitionError where a context is needed and
        missing.
        """
        args, kwargs = self.bound(arguments_json, context)
        if self.terms.guards:
            from toolkit.tools.guarded import call_guarded

            return call_guarded(self, args, kwargs, context, self._definition.calling[1])
        function: Callable[..., object] = self.function
        return function(*args, **kwargs)

    def bound(self, arguments_json: str, context: RunContext[Any] | None = None) -> Bound:
        """Check the arguments, and give them as the function takes them. Raises what `invoke` raises of itself."""
        bind, context_parameter = self._definition.calling
        args, kwargs = bind(arguments_json)
        if context_parameter is not None:
            if context is not None:
                kwargs[context_parameter] = context
            elif self._definition.signature.needs_context:
                raise DefinitionError(f"{self.name} takes a RunContext: hand it one, call(arguments, RunContext(...))")
        return args, kwargs

    def needs_approval(self, arguments_json: str, context: RunContext[Any] | None = None) -> bool:
        """Say whether somebody must approve this call; not one that cannot be made, for its arguments are wrong."""
        if self.approve is False:
            return False
        try:
            args, kwargs = self.bound(arguments_json, context)
        except ArgumentsInvalid:
            return False
        return self.approve is True or asks_for(self.name, self.function, self.approve, args, kwargs)

    @property
    def takes_context(self) -> bool:
        """Whether a call needs a RunContext: for the function, a parameter that no model sees, or for a guard."""
        return self._definition.calling[1] is not None or bool(self.terms.guards)

    def _failed(self, arguments: object, error: Exception, context: RunContext[Any] | None) -> Output:
        if not isinstance(arguments, str):
            raise DefinitionError(f"{self.name} takes its arguments as JSON text: call(json.dumps(...))") from error
        if context is None:
            log_failure(self.name, error)
        else:
            log_failure(self.name, error, call_id=context.call_id, run_id=context.run_id, thread_id=context.thread_id)
        return failure(self.name, error, tries_left=1, max_bytes=self.terms.max_output_bytes)


class _Decorator(Protocol):
    """What `@tool(...)` with options gives."""

    def __call__(self, function: Callable[P, R], /) -> Tool[P, R]: ...


@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
    timeout_s: float | None = None,
    approve: ApprovalRule = False,
    read_only: bool = False,
    idempotent: bool = False,
) -> _Decorator: ...
def tool(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
    timeout_s: float | None = None,
    approve: ApprovalRule = False,
    read_only: bool = False,
    idempotent: bool = False,
) -> Any:
    """Make a function a tool, which is still called as before: `@tool`, or `@tool(name=..., strict=...)`.

    name: what the model calls it; the function's own name by default.
    description: what the model reads; the docstring's first part by default.
    strict: True holds the model to the schema exactly, and is an error where a type cannot be said so; False never
        does; None, the default, does it where it is honest (`Tool.not_strict_because` says why not).
    timeout_s: how long a call may take in a run, sync functions included; their effect may still happen after it.
    approve: True when a person must approve each call in a run, or a function that says so of the arguments: it is
        given those it names, checked and typed.
    read_only, idempotent: that a call may be made again when a run goes on after a crash and nobody knows how far it
        got: because it changes nothing, or nothing more under the same `RunContext.idempotency_key`.
    Goes on functions, async functions, methods, class and static methods (in either order; type checkers want a static
    method read from the class, and a class method from an instance), partials and callable objects. Raises
    DefinitionError: at once for a name or a parameter without annotation, on first use or in a Toolset for types that
    cannot be said.
    """
    options: dict[str, Any] = {"name": name, "description": description, "strict": strict, "timeout_s": timeout_s}
    options |= {"approve": approve, "read_only": read_only, "idempotent": idempotent}
    return functools.partial(Tool, **options) if function is None else Tool(function, **options)
