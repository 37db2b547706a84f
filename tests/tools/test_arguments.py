from __future__ import annotations

import functools
import json
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from annotated_doc import Doc
from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from tests.tools.conftest import arguments_of
from toolkit.errors import ArgumentsInvalid, DefinitionError
from toolkit.tools.arguments import Arguments
from toolkit.tools.context import RunContext
from toolkit.tools.signature import Parameter

if TYPE_CHECKING:
    from nowhere import Deps, Weather

Problems = Callable[[dict[str, Any]], list[str]]


class Unit(Enum):
    C = "c"
    F = "f"


@dataclass
class Place:
    """Where on earth."""

    lat: float
    lon: float = 0.0


class Query(BaseModel):
    """What to look for."""

    text: str
    limit: int = 10
    sort: str | None = None


def get_weather(
    city: str, unit: Literal["c", "f"] = "c", *, ctx: RunContext[Deps], when: date | None = None
) -> Weather:
    """Current weather in a city.

    As measured, not forecast.

    Args:
        city: City name, such as Seoul.
        unit: Temperature unit.
        nobody: There is no such parameter.
    """


def call(schema: Arguments, /, **given: Any) -> dict[str, Any]:
    """Bind in the form the model would be given."""
    args, kwargs = schema.binder(strict_form=schema.strict is not None)(json.dumps(given))
    assert args == ()
    return kwargs


def test_a_function_as_the_model_sees_it(strict_problems: Problems) -> None:
    schema = arguments_of(get_weather)
    assert schema.plain == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "City name, such as Seoul."},
            "unit": {"enum": ["c", "f"], "type": "string", "description": "Temperature unit.", "default": "c"},
            "when": {"anyOf": [{"format": "date", "type": "string"}, {"type": "null"}], "default": None},
        },
        "required": ["city"],
        "additionalProperties": False,
    }
    assert schema.strict == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "City name, such as Seoul."},
            "unit": {
                "anyOf": [
                    {"type": "string", "enum": ["c", "f"]},
                    {"type": "null", "description": 'Use the default: "c"'},
                ],
                "description": "Temperature unit.",
            },
            "when": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        },
        "required": ["city", "unit", "when"],
        "additionalProperties": False,
    }
    assert schema.not_strict_because is None
    assert schema.unsayable == ()
    assert strict_problems(schema.strict) == []


def test_calls_arrive_typed() -> None:
    def function(unit: Unit, at: Place, query: Query, day: date, many: tuple[Unit, ...]) -> None: ...

    assert call(
        arguments_of(function),
        unit="f",
        at={"lat": 1, "lon": None},
        query={"text": "t", "limit": None, "sort": None},
        day="2026-01-02",
        many=["c"],
    ) == {"unit": Unit.F, "at": Place(1.0), "query": Query(text="t"), "day": date(2026, 1, 2), "many": (Unit.C,)}


def test_null_stands_for_the_default() -> None:
    def function(a: int = 2, b: int | None = 5, c: Place = Place(1.0), d: Unit | None = None) -> None: ...

    schema = arguments_of(function)
    assert call(schema, a=None, b=None, c=None, d=None) == {}
    assert call(schema, a=1, b=2) == {"a": 1, "b": 2}
    assert schema.binder(strict_form=False)('{"a": null, "b": null}') == ((), {"b": None})
    assert schema.plain["properties"]["c"]["default"] == {"lat": 1.0, "lon": 0.0}


def test_names_that_mean_something_to_others() -> None:
    def function(schema: int, json: int, self: int, model_config: int, _x: int, copy: int, args: int, kwargs: int,
                 v__args: int, cls: int, model_fields: int, validate: int, __root__: int) -> None: ...  # fmt: skip

    given = dict.fromkeys(function.__annotations__, 1)
    del given["return"]
    assert call(arguments_of(function), **given) == given


def test_positions() -> None:
    def function(a: int, b: int = 2, /, c: int = 3, *more: int, d: int = 4, **rest: float) -> None: ...

    schema = arguments_of(function)
    assert schema.binder(strict_form=False)('{"a": 1}') == ((1, 2, 3), {})
    assert schema.binder(strict_form=False)('{"a": 1, "c": 9, "more": [5], "d": 6, "e": 7}') == (
        (1, 2, 9, 5),
        {"d": 6, "e": 7.0},
    )
    assert schema.strict is None
    assert schema.not_strict_because == (
        "`**rest: float`: further names cannot be left open; take them as one parameter, such as `dict[str, int]`"
    )


def test_variable_arguments_are_an_array(strict_problems: Problems) -> None:
    def function(a: str, *more: int) -> None:
        """Add.

        Args:
            *more: Numbers.
        """

    schema = arguments_of(function)
    assert schema.plain["properties"]["more"] == {
        "type": "array",
        "items": {"type": "integer"},
        "description": "Numbers.",
    }
    assert schema.strict is not None
    assert strict_problems(schema.strict) == []
    assert schema.binder(strict_form=True)('{"a": "x", "more": [1, 2]}') == (("x", 1, 2), {})
    assert schema.binder(strict_form=True)('{"a": "x", "more": null}') == (("x",), {})


def test_field_as_default_never_reaches_the_function() -> None:
    def keyword(
        *,
        a: int = Field(ge=1),
        b: int = Field(3, ge=1, description="The b."),
        c: list[int] = Field(default_factory=list),
        d: Annotated[list[int], Field(default_factory=lambda: [4])],
        e: Annotated[int, Field(default=5)] = Field(description="The e."),
    ) -> None: ...

    schema = arguments_of(keyword)
    assert schema.plain["required"] == ["a"]
    assert schema.plain["properties"]["b"] == {"type": "integer", "minimum": 1, "description": "The b.", "default": 3}
    expected = {"a": 1, "b": 3, "c": [], "d": [4], "e": 5}
    assert call(schema, a=1, b=None, c=None, d=None, e=None) == expected
    first, second = (schema.binder(strict_form=False)('{"a": 1}')[1] for _ in range(2))
    assert first == second == expected
    assert first["c"] is not second["c"]
    with pytest.raises(ArgumentsInvalid, match="a: missing"):
        call(schema)


def test_the_text_beside_the_type_wins_over_the_docstring() -> None:
    def function(
        a: Annotated[str, "Of a."],
        b: Annotated[str, Doc("Of b.")],
        c: Annotated[str, Field(description="Of c.")],
        d: Annotated[Query, "Of d."],
        e: Annotated[str, "Of e."] | None,
        f: str,
        g: Place,
    ) -> None:
        """Do.

        :param a: Docstring.
        :param b: Docstring.
        :param c: Docstring.
        :param d: Docstring.
        :param e: Docstring.
        :param f: Docstring.
        :param g: Docstring.
        """

    schema = arguments_of(function)
    texts = {name: part["description"] for name, part in schema.plain["properties"].items()}
    assert texts == {
        "a": "Of a.", "b": "Of b.", "c": "Of c.", "d": "Of d.", "e": "Of e.", "f": "Docstring.", "g": "Docstring.",
    }  # fmt: skip
    assert schema.strict is not None
    assert {name: part["description"] for name, part in schema.strict["properties"].items()} == texts
    assert schema.strict["properties"]["d"]["anyOf"] == [{"$ref": "#/$defs/Query"}]
    assert schema.strict["$defs"]["Query"]["description"] == "What to look for."


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Any, "`x: Any`: can be anything; write what it is"),
        (dict, "`x: dict`: is open to any members"),
        (dict[str, Any], "`x: dict[str, typing.Any]`: is open to any members"),
        (list[Any], "`x: list[typing.Any]`: x[] can be anything"),
        (dict[str, int] | list[int], "`x: dict[str, int] | list[int]`: either a mapping or a list"),
    ],
)
def test_why_a_tool_is_not_strict(kind: Any, reason: str) -> None:
    def function(x): ...

    function.__annotations__ = {"x": kind}
    schema = arguments_of(function)
    assert schema.strict is None
    assert str(schema.not_strict_because).startswith(reason)
    assert "write" in str(schema.not_strict_because)


class Connection: ...


@pytest.mark.parametrize("kind", [Connection, Callable[[int], int], list[Connection], type])
def test_a_type_that_no_model_can_fill_in_names_the_parameter(kind: Any) -> None:
    def function(a: int, x): ...

    function.__annotations__ = {"a": int, "x": kind}
    with pytest.raises(DefinitionError, match=r"function: parameter `x`.*RunContext") as caught:
        arguments_of(function).strict
    assert "http" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("wrap", [functools.partial, functools.cache, staticmethod])
def test_wrapped_functions_keep_their_texts(wrap: Callable[..., Any]) -> None:
    assert arguments_of(wrap(get_weather)).plain == arguments_of(get_weather).plain


def test_an_alias_or_model_of_something_unknown_names_it() -> None:
    class Later(BaseModel):
        at: Nowhere  # type: ignore[name-defined]  # noqa: F821

    def function(x): ...

    unknown = "list[Nowhere]"
    for kind in (Later, TypeAliasType("Alias", unknown)):  # type: ignore[misc,valid-type]
        function.__annotations__ = {"x": kind}
        with pytest.raises(DefinitionError, match=r"parameter `x`.*(Later|Nowhere)"):
            arguments_of(function).plain


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 is of Python 3.12")
def test_pep_695(strict_problems: Problems) -> None:
    source = textwrap.dedent(
        """
        from pydantic import BaseModel
        type City = Annotated[str, "City name."]
        type Tree = dict[str, Tree] | int
        class Box[T](BaseModel):
            held: T
        def function[N: int](city: City, box: Box[int], n: N, tree: Tree): ...
        """
    )
    space: dict[str, Any] = {"__name__": __name__, "Annotated": Annotated}
    exec(source, space)  # the syntax is an error on older versions
    schema = arguments_of(space["function"])
    assert schema.strict is not None
    assert strict_problems(schema.strict) == []
    assert schema.plain["properties"]["city"]["description"] == "City name."
    tree = [{"key": "a", "value": [{"key": "b", "value": 2}]}]
    assert call(schema, city="Seoul", box={"held": 1}, n=3, tree=tree) == {
        "city": "Seoul", "box": space["Box"][int](held=1), "n": 3, "tree": {"a": {"b": 2}},
    }  # fmt: skip


def of(**kinds: Any) -> Arguments:
    return Arguments("function", tuple(Parameter(name, "named", kind) for name, kind in kinds.items()), {"a": "Of a."})


def test_both_forms_and_a_reader_of_each() -> None:
    arguments = of(a=int, b=dict[str, int])
    assert arguments.plain["properties"]["a"] == {"type": "integer", "description": "Of a."}
    assert arguments.strict is not None
    assert arguments.not_strict_because is None
    assert arguments.binder(strict_form=True)('{"a": 1, "b": [{"key": "k", "value": 2}]}') == (
        (),
        {"a": 1, "b": {"k": 2}},
    )
    assert arguments.binder(strict_form=False)('{"a": 1, "b": {"k": 2}}') == ((), {"a": 1, "b": {"k": 2}})


def test_rules_of_both_forms_are_listed_once() -> None:
    assert of(a=set[int], b=complex).unsayable == ("b: a complex number, such as 1+2j", "a: unique items")
    assert of(a=Any, b=complex).unsayable == ("b: a complex number, such as 1+2j",)


def test_the_reason_names_the_parameter_its_type_and_the_place() -> None:
    reason = of(a=int, b=list[dict[str, Any]]).not_strict_because
    assert reason == (
        "`b: list[dict[str, typing.Any]]`: b[] is open to any members; write what they hold, such as `dict[str, int]`, "
        "or a model"
    )


def test_a_limit_concerns_no_one_parameter() -> None:
    assert str(of(**{f"p{each}": int for each in range(5_001)}).not_strict_because).startswith("5001 properties")


def test_mistakes_name_the_function() -> None:
    with pytest.raises(DefinitionError, match=r"^function: parameter `b`"):
        of(a=int, b=range).plain
