from __future__ import annotations

import functools
import inspect
import sys
import textwrap
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NotRequired

import pytest
from typing_extensions import TypedDict, Unpack

from toolkit.errors import DefinitionError
from toolkit.tools.context import RunContext
from toolkit.tools.signature import ABSENT, Parameter, UnknownName, docstring, signature, title

if TYPE_CHECKING:
    from nowhere import Deps, Weather


def named(name: str, annotation: Any = int, default: Any = ABSENT) -> Parameter:
    return Parameter(name, "named", annotation, default, default is ABSENT)


def parameters(function: Any, names: dict[str, Any] | None = None) -> list[Parameter]:
    return list(signature(function, names).parameters)


def plain(x: int, y: int = 2) -> Weather:
    """Of plain."""


async def awaited(x: int, y: int = 2) -> Weather:
    """Of awaited."""


def handing_on(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def filling_in(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(y):
        return function(1, y)

    return wrapper


class Methods:
    """Of the class."""

    class Inner: ...

    def method(self, x: int, y: int = 2) -> Weather:
        """Of method."""

    @classmethod
    def of_class(cls, x: int, y: int = 2) -> Weather: ...

    @staticmethod
    def static(x: int, y: int = 2) -> Weather: ...

    @handing_on
    def wrapped(self, x: int, y: int = 2) -> Weather: ...

    def __call__(self, x: int, y: int = 2) -> Weather: ...

    def list(self, x: list[Inner]) -> None: ...


@pytest.mark.parametrize(
    "function",
    [
        plain,
        awaited,
        Methods().method,
        Methods.of_class,
        Methods.static,
        Methods().static,
        Methods().wrapped,
        Methods(),
        handing_on(plain),
        handing_on(handing_on(plain)),
        functools.partial(plain),
        functools.partial(Methods.method, Methods()),
        functools.cache(plain),
    ],
)
def test_every_callable_shows_the_parameters_that_are_left(function: Any) -> None:
    assert parameters(function) == [named("x"), named("y", int, 2)]


def test_bound_arguments_disappear() -> None:
    assert parameters(functools.partial(plain, 1)) == [named("y", int, 2)]
    assert parameters(functools.partial(plain, y=1)) == [named("x")]
    assert parameters(functools.partial(functools.partial(plain, y=1), 5)) == []


def test_a_wrapper_with_parameters_of_its_own_is_called_with_these() -> None:
    assert parameters(filling_in(plain)) == [named("y")]


def test_a_signature_set_by_hand_counts() -> None:
    def function(*args: Any, **kwargs: Any) -> None: ...

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("z", inspect.Parameter.KEYWORD_ONLY, annotation=int)]
    )
    assert parameters(function) == [named("z")]


def test_kinds() -> None:
    def by_position(a: int, b: int = 2, /, c: int = 3, *, d: int) -> None: ...
    def with_rest(a: int, *rest: int, d: int) -> None: ...
    def with_extra(a: int, **extra: str) -> None: ...
    def spread(*rest: *tuple[int, str]) -> None: ...
    def iterable(a: Iterable[int]) -> None: ...

    assert parameters(by_position) == [
        Parameter("a", "positional", int),
        Parameter("b", "positional", int, 2, False),
        named("c", int, 3),
        named("d"),
    ]
    assert parameters(with_rest) == [
        Parameter("a", "positional", int),
        Parameter("rest", "rest", list[int], required=False),
        named("d"),
    ]
    assert parameters(with_extra) == [named("a"), Parameter("extra", "extra", str, required=False)]
    assert parameters(spread) == [Parameter("rest", "rest", tuple[int, str], required=False)]
    assert parameters(iterable) == [named("a", list[int])]


class Options(TypedDict):
    a: int
    b: NotRequired[str]


def test_a_typed_dict_of_keywords_is_a_parameter_for_each_key() -> None:
    def function(x: int, **options: Unpack[Options]) -> None: ...

    assert parameters(function) == [named("x"), named("a"), Parameter("b", "named", str, required=False)]


def test_a_context_is_hidden() -> None:
    def bare(x: int, ctx: RunContext) -> None: ...  # type: ignore[type-arg]
    def typed(x: int, *, ctx: RunContext[str]) -> None: ...
    def optional(x: int, ctx: RunContext[str] | None = None) -> None: ...
    def annotated(x: int, ctx: Annotated[RunContext[str], "note"]) -> None: ...
    def unresolvable(x: int, ctx: RunContext[Deps]) -> None: ...
    def maybe(x: int, ctx: RunContext[Deps] | None = None) -> None: ...
    def noted(x: int, ctx: Annotated[RunContext[Deps], "note"]) -> None: ...

    for function in (bare, typed, optional, annotated, unresolvable, maybe, noted):
        assert signature(function).context == "ctx"
        assert parameters(function) == [named("x")]
    assert signature(plain).context is None


def test_a_context_must_have_a_name_to_be_filled_in_by() -> None:
    def positional(ctx: RunContext[str], /, x: int) -> None: ...
    def before_rest(ctx: RunContext[str], *x: int) -> None: ...
    def rest(*ctx: RunContext[str]) -> None: ...
    def twice(ctx: RunContext[str], other: RunContext[str]) -> None: ...

    for function in (positional, before_rest, rest):
        with pytest.raises(DefinitionError, match=r"write `\*, ctx: RunContext"):
            signature(function)
    with pytest.raises(DefinitionError, match="`ctx` and `other` are both RunContext"):
        signature(twice)


def test_local_types_are_found_in_the_closure_the_class_or_the_names_given() -> None:
    class Local: ...

    def closed_over(x: Local) -> None:
        Local()

    def named_only(x: list[Local]) -> None: ...

    assert parameters(closed_over) == [named("x", Local)]
    assert parameters(named_only, {"Local": Local}) == [named("x", list[Local])]
    assert parameters(Methods().list) == [named("x", list[Methods.Inner])]


def test_a_closure_may_not_be_filled_yet() -> None:
    def function(x: int) -> None:
        later()

    assert parameters(function) == [named("x")]

    def later() -> None: ...


def test_annotations_need_not_be_text() -> None:
    source = "def function(x: int, *rest: *tuple[int, str], ctx: RunContext[str]): ..."
    space: dict[str, Any] = {"RunContext": RunContext}
    exec(compile(source, "<test>", "exec", dont_inherit=True), space)
    assert parameters(space["function"]) == [
        Parameter("x", "positional", int),
        Parameter("rest", "rest", tuple[int, str], required=False),
    ]
    assert signature(space["function"]).context == "ctx"


def test_an_unknown_name_is_named() -> None:
    def function(x: list[Weather]) -> None: ...

    with pytest.raises(UnknownName, match=r"function: the type of `x` names `Weather`.*TYPE_CHECKING"):
        signature(function)


def test_what_is_no_type_says_what_to_write() -> None:
    def text(x: "City name") -> None: ...  # noqa: F722

    with pytest.raises(DefinitionError, match=r'text: the type of `x` is no type.*Annotated\[str, "text"\]'):
        signature(text)


def test_a_parameter_without_type_is_refused() -> None:
    def bare(x=1): ...
    def rest(*x): ...
    def extra(**x): ...

    for function, shown in ((bare, "x"), (rest, r"\*x"), (extra, r"\*\*x")):
        with pytest.raises(DefinitionError, match=f"parameter `{shown}` has no type; write `{shown}: str`"):
            signature(function)


def test_a_method_without_its_object_says_where_to_take_it_from() -> None:
    with pytest.raises(DefinitionError, match=r"Methods\.method is a method.*`Methods\(\.\.\.\)\.method`"):
        signature(Methods.method)

    def shout(self): ...

    with pytest.raises(DefinitionError, match="`self` has no type"):
        signature(shout)


@pytest.mark.parametrize("thing", [3, classmethod(plain), dict.fromkeys, print, dict])
def test_what_cannot_be_read_is_refused(thing: Any) -> None:
    with pytest.raises(DefinitionError):
        signature(thing)


@dataclass
class Point:
    """A point."""

    x: int
    y: int = 2


def test_a_class_is_called_with_its_fields() -> None:
    assert parameters(Point) == [named("x"), named("y", int, 2)]


def test_docstrings_speak_of_the_function_itself() -> None:
    assert docstring(plain) == docstring(functools.partial(plain)) == docstring(handing_on(plain)) == "Of plain."
    assert docstring(Methods().method) == "Of method."
    assert docstring(Methods()) == "Of the class."
    assert docstring(lambda: None) is None


def test_titles_name_what_one_wrote() -> None:
    assert title(plain) == title(functools.partial(plain)) == "plain"
    assert title(Methods().method) == "Methods.method"
    assert title(Methods()) == "Methods"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 is of Python 3.12")
def test_type_parameters_of_pep_695() -> None:
    source = textwrap.dedent(
        """
        from __future__ import annotations
        type City = str
        def generic[T: int](x: T, city: City) -> None: ...
        """
    )
    space: dict[str, Any] = {"__name__": "pep695"}
    exec(source, space)  # the syntax is an error on older versions
    found = parameters(space["generic"])
    assert isinstance(found[0].annotation, typing.TypeVar)
    assert found[1].annotation is space["City"]
