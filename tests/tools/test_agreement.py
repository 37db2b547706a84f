"""Schema and validator agree, whatever the type.

Every value that a type can have, dumped, satisfies both schemas and binds to an equal value; every value of the plain
schema validates, or is refused by a rule that is listed as not sayable.
"""

import datetime
import decimal
import enum
import json
import pathlib
import string
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypeVar

import pytest
from annotated_types import Ge, Le, MultipleOf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from tests.tools.conftest import arguments_of
from toolkit.errors import ArgumentsInvalid
from toolkit.tools.arguments import Arguments
from toolkit.tools.plain import target
from toolkit.tools.strict import entry

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    TWO = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Point:
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)


class City(BaseModel):
    """A city."""

    name: str = Field(description="Its name.")
    at: Point
    founded: datetime.date | None = None
    people: dict[str, int] = {}
    rank: int = Field(3, ge=1, alias="Rank")


class Tree(BaseModel):
    value: int
    kids: list["Tree"] = []


class Options(TypedDict):
    a: int
    b: NotRequired[bool]


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Box(BaseModel, Generic[T]):
    held: T


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    lives: int | None


def even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
INTS = st.integers(-(2**60), 2**60)
WORDS = st.text(max_size=5)
POINTS = st.builds(Point, INTS, INTS, st.lists(WORDS, max_size=2))
CITIES = st.builds(
    lambda name, at, founded, people, rank: City(name=name, at=at, founded=founded, people=people, Rank=rank),
    WORDS,
    POINTS,
    st.none() | st.dates(),
    st.dictionaries(WORDS, INTS, max_size=2),
    st.integers(1, 9),
)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.builds(Tree, value=INTS), lambda kids: st.builds(Tree, value=INTS, kids=st.lists(kids, max_size=2)), max_leaves=4
)
SIMPLE: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (bool, st.booleans()),
    (int, INTS),
    (str, WORDS),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (datetime.date, st.dates()),
    (datetime.datetime, st.datetimes(timezones=st.just(datetime.UTC)) | st.datetimes()),
    (datetime.time, st.times()),
    (datetime.timedelta, st.timedeltas(datetime.timedelta(-9999), datetime.timedelta(9999))),
    (uuid.UUID, st.uuids()),
    (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=3)),
    (Annotated[decimal.Decimal, Ge(0), Le(1)], st.decimals(0, 1, places=2)),
    (pathlib.Path, st.text(string.ascii_letters + "/.", min_size=1).map(pathlib.Path)),
    (bytes, WORDS.map(str.encode)),
    (Literal["a", 1, None], st.sampled_from(["a", 1, None])),
    (Color, st.sampled_from(Color)),
    (Level, st.sampled_from(Level)),
    (Annotated[int, Ge(0), Le(9), MultipleOf(3)], st.sampled_from([0, 3, 6, 9])),
    (Annotated[str, Field(min_length=1, max_length=3)], st.text(min_size=1, max_size=3)),
    (Annotated[str, Field(pattern=r"^[a-c]+$")], st.text("abc", min_size=1)),
    (Annotated[int, AfterValidator(even)], INTS.map(lambda each: each * 2)),
    (frozenset[int], st.frozensets(INTS, max_size=3)),
    (tuple[int, str], st.tuples(INTS, WORDS)),
    (Pair, st.builds(Pair, INTS, WORDS)),
]
ANY: list[tuple[Any, st.SearchStrategy[Any]]] = [
    *SIMPLE,
    (Point, POINTS),
    (City, CITIES),
    (Tree, TREES),
    (Options, st.fixed_dictionaries({"a": INTS}, optional={"b": st.booleans()})),
    (Box[int], st.builds(Box[int], held=INTS)),
    (Box[Point], st.builds(Box[Point], held=POINTS)),
    (Pet, st.builds(Cat, kind=st.just("cat")) | st.builds(Dog, kind=st.just("dog"), lives=st.none() | INTS)),
    (int | str, INTS | WORDS),
    (Point | str | None, POINTS | WORDS | st.none()),
    (Annotated[set[int], Field(min_length=2)], st.sets(INTS, min_size=2, max_size=4)),
    (Annotated[dict[str, int], Field(min_length=1)], st.dictionaries(WORDS, INTS, min_size=1, max_size=3)),
    (dict[Literal["a", "b"], int], st.dictionaries(st.sampled_from(["a", "b"]), INTS)),
    (dict[Annotated[str, Field(pattern="^k")], int], st.dictionaries(WORDS.map("k{}".format), INTS, max_size=3)),
    (dict[Color, int], st.dictionaries(st.just(Color.RED), INTS)),
    (dict[datetime.date, int], st.dictionaries(st.dates(), INTS, max_size=2)),
    (dict[int, Color], st.dictionaries(INTS, st.sampled_from(Color), max_size=3)),
]
LEAVES = st.sampled_from(ANY)


def outer(inner: st.SearchStrategy[tuple[Any, Any]]) -> st.SearchStrategy[tuple[Any, Any]]:
    def around(pair: tuple[Any, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[Any, Any]]:
        kind, values = pair
        return st.sampled_from(
            [
                (list[kind], st.lists(values, max_size=3)),
                (Sequence[kind], st.lists(values, max_size=3)),
                (tuple[kind, ...], st.lists(values, max_size=3).map(tuple)),
                (tuple[kind, bool], st.tuples(values, st.booleans())),
                (dict[str, kind], st.dictionaries(WORDS, values, max_size=3)),
                (Mapping[str, kind], st.dictionaries(WORDS, values, max_size=3)),
                (kind | None, st.none() | values),
            ]
        )

    return inner.flatmap(around)


TYPES = st.recursive(LEAVES, outer, max_leaves=3)
FAST = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))


def taking(kind: Any, default: Any = ...) -> Arguments:
    def function(x: Any) -> None: ...

    function.__annotations__ = {"x": kind}
    if default is not ...:
        function.__defaults__ = (default,)
    return arguments_of(function)


def strictly(value: Any, node: dict[str, Any], root: dict[str, Any]) -> Any:
    """Say a JSON value as the strict form wants it: what `restore` undoes."""
    if "$ref" in node:
        return strictly(value, target(node, root), root)
    for branch in node.get("anyOf") or node.get("oneOf") or ():
        if Draft202012Validator(branch | {"$defs": root.get("$defs", {})}).is_valid(value):
            return strictly(value, branch, root)
    mapping = entry(node)
    if mapping is not None:
        return [{"key": key, "value": strictly(each, mapping[1], root)} for key, each in value.items()]
    if isinstance(value, dict):
        parts = node.get("properties", {})
        return {name: strictly(value[name], part, root) if name in value else None for name, part in parts.items()}
    if isinstance(value, list):
        first, rest = node.get("prefixItems", []), node.get("items", {})
        return [strictly(each, first[at] if at < len(first) else rest, root) for at, each in enumerate(value)]
    return value


@FAST
@given(pair=TYPES, data=st.data())
def test_every_value_satisfies_both_schemas_and_binds_to_itself(
    pair: tuple[Any, Any], data: Any, strict_problems: Callable[[dict[str, Any]], list[str]]
) -> None:
    kind, values = pair
    value = data.draw(values)
    schema = taking(kind)
    dumped = {"x": json.loads(TypeAdapter(kind).dump_json(value, by_alias=True))}
    Draft202012Validator.check_schema(schema.plain)
    Draft202012Validator(schema.plain).validate(dumped)
    assert schema.binder(strict_form=False)(json.dumps(dumped)) == ((), {"x": value})
    if schema.strict is None:
        assert "mapping or a list" in str(schema.not_strict_because)
        return
    assert strict_problems(schema.strict) == []
    said = strictly(dumped, schema.plain, schema.plain)
    Draft202012Validator(schema.strict).validate(said)
    assert schema.binder(strict_form=True)(json.dumps(said)) == ((), {"x": value})


@FAST
@given(pair=TYPES, data=st.data())
def test_null_means_the_default_of_every_type(pair: tuple[Any, Any], data: Any) -> None:
    kind, values = pair
    schema = taking(kind, data.draw(values))
    if schema.strict is not None:
        Draft202012Validator(schema.strict).validate({"x": None})
        assert schema.binder(strict_form=True)('{"x": null}') == ((), {})


FORMATS: dict[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(str),
    "date-time": st.datetimes(timezones=st.just(datetime.UTC)).map(lambda each: each.isoformat()),
    "time": st.times().map(str),
    "duration": st.sampled_from(["P1D", "PT1H30M", "P2DT3S"]),
    "uuid": st.uuids().map(str),
}


@st.composite
def made_of(draw: Any, node: dict[str, Any], root: dict[str, Any], depth: int = 0) -> Any:
    """Make up a value from a plain schema."""

    def part(inner: dict[str, Any]) -> Any:
        return draw(made_of(inner, root, depth + 1))

    if "$ref" in node:
        return part(target(node, root))
    if branches := node.get("anyOf") or node.get("oneOf"):
        return part(draw(st.sampled_from(branches)))
    if "enum" in node or "const" in node:
        return draw(st.sampled_from(node.get("enum", [node.get("const")])))
    if node["type"] == "object":
        required, parts = node.get("required", ()), node.get("properties", {})
        if (mapping := entry(node)) is not None:
            keys = draw(st.sets(made_of(mapping[0], root), min_size=node.get("minProperties", 0), max_size=2))
            return {key: part(mapping[1]) for key in keys}
        return {
            name: part(each) for name, each in parts.items() if name in required or (depth < 4 and draw(st.booleans()))
        }
    if node["type"] == "array":
        first, rest = node.get("prefixItems", []), node.get("items")
        if first:
            return [part(each) for each in first[: draw(st.integers(node.get("minItems", 0), len(first)))]]
        least = node.get("minItems", 0)
        count = draw(st.integers(least, least + 2)) if depth < 4 else least
        items = [part(rest) for _ in range(count)]
        unique = {json.dumps(each): each for each in items}
        return list(unique.values()) if node.get("uniqueItems") else items
    return draw(scalar(node))


def scalar(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    low, high, step = node.get("minimum"), node.get("maximum"), node.get("multipleOf", 1)
    if node["type"] == "string":
        if node.get("format") in FORMATS:
            return FORMATS[node["format"]]
        if "pattern" in node:
            return st.from_regex(node["pattern"].replace("$", r"\Z"))
        return st.text(min_size=node.get("minLength", 0), max_size=node.get("maxLength", 9))
    if node["type"] == "integer":
        return st.integers(low, high).map(lambda each: each // step * step)
    if node["type"] == "number":
        return st.floats(low, high, allow_nan=False, allow_infinity=False)
    return st.booleans() if node["type"] == "boolean" else st.none()


@FAST
@given(pair=TYPES, data=st.data())
def test_every_value_of_the_plain_schema_validates_or_breaks_a_listed_rule(pair: tuple[Any, Any], data: Any) -> None:
    schema = taking(pair[0])
    value = data.draw(made_of(schema.plain, schema.plain))
    if not Draft202012Validator(schema.plain).is_valid(value):  # unique items that got too few
        return
    try:
        schema.binder(strict_form=False)(json.dumps(value))
    except ArgumentsInvalid as error:
        assert schema.unsayable, str(error)


@pytest.mark.parametrize("kind", [kind for kind, _ in ANY], ids=lambda each: str(each).partition(" at 0x")[0])
def test_every_type_can_be_said_strictly(kind: Any, strict_problems: Callable[[dict[str, Any]], list[str]]) -> None:
    schema = taking(kind)
    assert schema.not_strict_because is None
    assert schema.strict is not None
    assert strict_problems(schema.strict) == []
