"""A callable's signature: the parameters that a model fills in, with their types resolved.

Cheap on purpose, so that a mistake in a definition is told where it is made; pydantic comes later, in `arguments.py`.
The return annotation is never looked at: it may exist under TYPE_CHECKING only.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, Required

import typing_extensions
from typing_extensions import ReadOnly, is_typeddict

from toolkit.errors import DefinitionError
from toolkit.tools.context import RunContext

__all__ = ["ABSENT", "Parameter", "Signature", "UnknownName", "docstring", "named", "signature", "title"]

UNPACK: tuple[Any, ...] = (typing.Unpack, typing_extensions.Unpack)  # two things on Python 3.11
ABSENT: Any = inspect.Parameter.empty
"""Stands for "no default"."""

CONTEXT: Any = RunContext[Any]
"""What every context parameter resolves to: nobody needs the type of its `deps`, which may exist for checkers only."""


class UnknownName(DefinitionError):
    """An annotation uses a name that cannot be found; it may still come while its module is being executed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that the model fills in."""

    name: str
    kind: Literal["positional", "rest", "named", "extra"]
    """`positional`: given by position (positional-only, or before `*args`); `rest`: `*args` itself, as one array;
    `named`: given by name; `extra`: `**kwargs`, every further name."""
    annotation: Any
    """The type with its Annotated metadata: of `rest` the type of the whole array, of `extra` that of each value."""
    default: Any = ABSENT
    """What the function itself puts in, or ABSENT."""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """What of a callable's signature concerns the model, and what is hidden from it."""

    parameters: tuple[Parameter, ...]
    context: str | None
    """Name of the parameter annotated `RunContext[...]`, to be filled in by name."""
    needs_context: bool = False
    """Whether that parameter has no default."""


def signature(function: Callable[..., Any], names: Mapping[str, Any] | None = None) -> Signature:
    """Read the signature of a function, method, partial, callable object or class.

    `names` may hold further names that annotations use, such as the locals of the place where a function was defined.
    Raises DefinitionError saying what to write instead; UnknownName when an annotation cannot be resolved (yet).
    """
    found = _shown(function)
    hidden = _bound_by_name(function)
    scope = _Scope(function, names or {})
    has_rest = any(each.kind is each.VAR_POSITIONAL for each in found)
    context: str | None = None
    needs_context = False
    parameters: list[Parameter] = []
    for each in found:
        if each.name in hidden:
            continue
        annotation = scope.resolve(each)
        if annotation is CONTEXT:
            context = _context(each, context, has_rest, title(function))
            needs_context = each.default is ABSENT
        else:
            parameters.extend(_parameters(each, annotation, has_rest))
    return Signature(tuple(parameters), context, needs_context)


def named(function: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Any]:
    """Give every argument of a call by name, defaults too; further names of `**kwargs` stand among them."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    given = dict(bound.arguments)
    for name, parameter in bound.signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            given |= given.pop(name)
    return given


def docstring(function: Callable[..., Any]) -> str | None:
    """Find the docstring that speaks of the callable: never that of `functools.partial` or `object.__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or isinstance(function, type):
        return inspect.getdoc(function)
    call: Any = type(function).__call__
    return inspect.getdoc(call) if call.__doc__ else inspect.getdoc(type(function))


def title(function: object) -> str:
    """Name a callable for messages to the app."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]


def _shown(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """List the parameters that a caller gives.

    functools.wraps shows those of the wrapped function. That is right while the wrapper hands on whatever comes; one
    with parameters of its own must be called with its own.
    """
    if not callable(function):
        raise DefinitionError(
            f"{title(function)} is not callable; with @classmethod or @staticmethod, put those above @tool"
        )
    inner = _innermost(function, follow_wrapped=False)
    wraps = hasattr(inner, "__wrapped__") and not hasattr(inner, "__signature__")
    # A wrapper without code of its own, such as functools.cache, hands on everything.
    flags = getattr(getattr(inner, "__code__", None), "co_flags", inspect.CO_VARARGS)
    hands_on = not wraps or bool(flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS))
    try:
        return list(inspect.signature(function, follow_wrapped=hands_on).parameters.values())
    except (TypeError, ValueError) as error:
        raise DefinitionError(
            f"{title(function)}: {error}; wrap it in a function whose parameters have types"
        ) from None


def _innermost(function: Any, *, follow_wrapped: bool) -> Any:
    """Take off partials, bindings and (if asked) wrappers, down to where the code is."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif follow_wrapped and hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif isinstance(function, (type, types.FunctionType)) or inspect.isroutine(function):
            return function
        else:
            function = type(function).__call__


def _bound_by_name(function: Any) -> frozenset[str]:
    """Names that partials have bound: whoever fixed an argument does not want the model to change it."""
    bound: set[str] = set()
    while isinstance(function, functools.partial):
        bound |= function.keywords.keys()
        function = function.func
    return frozenset(bound)


def _context(each: inspect.Parameter, seen: str | None, has_rest: bool, function: str) -> str:
    if seen is not None:
        raise DefinitionError(f"{function}: `{seen}` and `{each.name}` are both RunContext; keep one")
    by_name = each.kind is each.KEYWORD_ONLY or (each.kind is each.POSITIONAL_OR_KEYWORD and not has_rest)
    if not by_name:
        raise DefinitionError(
            f"{function}: `{each.name}` is filled in by name; write `*, {each.name}: RunContext[...]` after the others"
        )
    return each.name


def _parameters(each: inspect.Parameter, annotation: Any, has_rest: bool) -> Iterator[Parameter]:
    inner: Any = next(iter(typing.get_args(annotation)), None)
    if each.kind is each.VAR_POSITIONAL:
        yield Parameter(each.name, "rest", _array(annotation), required=False)
    elif each.kind is each.VAR_KEYWORD:
        if typing.get_origin(annotation) in UNPACK and is_typeddict(inner):
            yield from _keys(inner)
        else:
            yield Parameter(each.name, "extra", annotation, required=False)
    else:
        if typing.get_origin(annotation) is Iterable:  # pydantic would validate one lazily, inside the function
            annotation = list.__class_getitem__(inner)
        if each.kind is each.POSITIONAL_ONLY or (has_rest and each.kind is each.POSITIONAL_OR_KEYWORD):
            yield Parameter(each.name, "positional", annotation, each.default, each.default is ABSENT)
        else:
            yield Parameter(each.name, "named", annotation, each.default, each.default is ABSENT)


def _array(annotation: Any) -> Any:
    """Type the array that `*args: int` takes: `list[int]`, and `tuple[int, str]` of `*args: *tuple[int, str]`."""
    if typing.get_origin(annotation) in UNPACK:
        return typing.get_args(annotation)[0]
    if getattr(annotation, "__unpacked__", False):
        return tuple.__class_getitem__(typing.get_args(annotation))
    return list.__class_getitem__(annotation)


def _keys(typed_dict: Any) -> Iterator[Parameter]:
    """`**kwargs: Unpack[TD]` is a parameter for each key."""
    for name, hint in typing.get_type_hints(typed_dict, include_extras=True).items():
        annotation, required = hint, name in typed_dict.__required_keys__
        while (origin := typing.get_origin(annotation)) in (Required, NotRequired, ReadOnly):
            # Said again, since __required_keys__ knows nothing of annotations that were text.
            required = required if origin is ReadOnly else origin is Required
            annotation = typing.get_args(annotation)[0]
        yield Parameter(name, "named", annotation, required=required)


class _Scope:
    """Where names in annotations are looked up: globals, closure and type parameters of the function; failing these,
    the names at hand where it was made a tool, then the class it is a method of."""

    def __init__(self, function: Any, names: Mapping[str, Any]) -> None:
        self._title = title(function)
        inner = _innermost(function, follow_wrapped=True)
        module = sys.modules.get(getattr(inner, "__module__", None) or "")
        self._globals: dict[str, Any] = getattr(inner, "__globals__", None) or vars(module or types)
        self._locals: dict[str, Any] = {each.__name__: each for each in getattr(inner, "__type_params__", ())}
        free: tuple[str, ...] = getattr(getattr(inner, "__code__", None), "co_freevars", ())
        for name, cell in zip(free, getattr(inner, "__closure__", None) or (), strict=False):
            try:
                self._locals[name] = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
        owner = getattr(function, "__self__", None)
        if not (inspect.isroutine(function) or isinstance(function, (type, functools.partial))):
            owner = function
        self._last_resorts = (names, vars(owner if isinstance(owner, type) else type(owner)))

    def resolve(self, each: inspect.Parameter) -> Any:
        """Resolve one parameter's annotation, or CONTEXT."""
        annotation = each.annotation
        if annotation is ABSENT:
            holder, _, method = self._title.rpartition(".")
            if holder and each.name == "self":
                raise DefinitionError(
                    f"{self._title} is a method, and has no object here for `self`: take it from one, as in "
                    f"`{holder}(...).{method}`"
                )
            shown = str(each).partition("=")[0].strip()  # with its stars
            raise DefinitionError(
                f"{self._title}: parameter `{shown}` has no type; write `{shown}: str`, or whatever it is"
            )
        try:
            if not isinstance(annotation, type):
                annotation = self._evaluate(annotation, each.name)
        except UnknownName:
            if not _names_context(annotation):
                raise
            return CONTEXT
        return CONTEXT if _is_context(annotation) else annotation

    def _evaluate(self, annotation: Any, parameter: str) -> Any:
        holder = types.SimpleNamespace(__annotations__={parameter: annotation})
        names = self._locals
        while True:
            try:
                return typing.get_type_hints(holder, self._globals, names, include_extras=True)[parameter]
            except NameError as error:
                place = next(
                    (each for each in self._last_resorts if error.name in each and error.name not in names), None
                )
                if place is None:
                    raise UnknownName(
                        f"{self._title}: the type of `{parameter}` names `{error.name}`, which cannot be found; "
                        "import it at run time (not under TYPE_CHECKING only) or define it at the top of the module"
                    ) from None
                names = {**names, str(error.name): place[str(error.name)]}
            except Exception as error:
                raise DefinitionError(
                    f"{self._title}: the type of `{parameter}` is no type ({error}); write a type such as "
                    f'`{parameter}: str`, and a description as `Annotated[str, "text"]`'
                ) from None


def _is_context(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin in (Annotated, typing.Union, types.UnionType):
        return any(_is_context(each) for each in typing.get_args(annotation)[: 1 if origin is Annotated else None])
    return annotation is RunContext or origin is RunContext


def _names_context(annotation: Any) -> bool:
    """Tell a context parameter by its text: `RunContext[Deps]` where Deps, or both, exist under TYPE_CHECKING only."""
    return isinstance(annotation, str) and re.search(rf"\b{RunContext.__name__}\b", annotation) is not None
