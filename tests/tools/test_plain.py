from __future__ import annotations

import datetime
import sys
from collections import defaultdict
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Lt
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    NaiveDatetime,
    PastDate,
    PlainValidator,
    StringConstraints,
    WrapValidator,
    condecimal,
    field_validator,
    model_validator,
)

from toolkit.errors import DefinitionError
from toolkit.tools.fields import field
from toolkit.tools.plain import adapter, inside, plain_schema, target
from toolkit.tools.signature import Parameter


def said(annotation: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    fields = [field(Parameter("x", "named", annotation), None)]
    schema, rules = plain_schema(adapter(fields), fields)
    return schema["properties"]["x"], rules


def check(value: int) -> int:
    return value


class Checked(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def positive(cls, value: int) -> int:
        return value

    @model_validator(mode="after")
    def whole(self) -> Checked:
        return self


class Loop(BaseModel):
    again: Loop | None = None
    when: PastDate


Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2)]


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("annotation", "rules"),
    [
        (int, ()),
        (Annotated[int, AfterValidator(check)], ("x: checked by check",)),
        (Annotated[int, BeforeValidator(check)], ("x: checked by check",)),
        (Annotated[int, WrapValidator(lambda value, handler: handler(value))], ("x: checked by <lambda>",)),
        (Annotated[int, PlainValidator(check, json_schema_input_type=int)], ("x: checked by check",)),
        (list[Annotated[int, AfterValidator(check)]], ("x[]: checked by check",)),
        (dict[str, Annotated[int, AfterValidator(check)]], ("x{}: checked by check",)),
        (Checked, ("x: checked by whole", "x.n: checked by positive")),
        (Loop, ("x.when: in the past",)),
        (Annotated[datetime.date, Ge(datetime.date(2026, 1, 1))], ("x: from 2026-01-01",)),
        (Annotated[datetime.timedelta, Lt(datetime.timedelta(1))], ("x: below 1 day, 0:00:00",)),
        (Annotated[datetime.time, Ge(datetime.time(9))], ("x: from 09:00:00",)),
        (AwareDatetime, ("x: with a time zone",)),
        (NaiveDatetime, ("x: without a time zone",)),
        (condecimal(max_digits=3, decimal_places=1), ("x: max digits 3", "x: decimal places 1")),
        (Annotated[Decimal, Ge(0)], ("x: from 0",)),
        (complex, ("x: a complex number, such as 1+2j",)),
        (Word, ("x: space around it does not count",)),
        (defaultdict[str, list[int]], ()),
        (dict[Annotated[int, Ge(1)], int], ("x: keys minimum 1",)),
        (dict[float, int], ("x: keys of type number",)),
        (dict[Level, int], ("x: keys not text",)),
    ],
    ids=lambda each: str(each).partition(" at 0x")[0],
)  # fmt: skip
def test_what_a_schema_cannot_say_is_noted_with_its_place(annotation: Any, rules: tuple[str, ...]) -> None:
    node, found = said(annotation)
    assert found == rules
    assert "x-" not in str(node)


@pytest.mark.parametrize(
    ("annotation", "names"),
    [
        (dict[str, int], None),
        (dict[int, int], {"pattern": "^-?[0-9]+$"}),
        (dict[Literal["a", "b"], int], {"enum": ["a", "b"]}),
        (dict[Literal["a"], int], {"enum": ["a"]}),
        (dict[Color, int], {"enum": ["red"]}),
        (dict[Annotated[str, Field(pattern="^a")], int], {"pattern": "^a"}),
        (dict[datetime.date, int], {"format": "date"}),
    ],
    ids=lambda each: str(each).partition(" at 0x")[0],
)
def test_the_names_of_a_mapping_are_said(annotation: Any, names: Any) -> None:
    node, _ = said(annotation)
    assert node.get("propertyNames") == names
    assert node["additionalProperties"] == {"type": "integer"}


def test_titles_are_kept_where_somebody_wrote_one() -> None:
    class Titled(BaseModel):
        n: Annotated[int, Field(title="N!")]
        m: int

    fields = [
        field(Parameter("x", "named", Titled), None),
        field(Parameter("y", "named", Annotated[int, Field(title="Y")]), None),
    ]
    schema, _ = plain_schema(adapter(fields), fields)
    assert schema["$defs"]["Titled"] == {
        "type": "object",
        "properties": {"n": {"type": "integer", "title": "N!"}, "m": {"type": "integer"}},
        "required": ["n", "m"],
    }
    assert schema["properties"]["y"] == {"type": "integer", "title": "Y"}


def test_infinity_is_left_out() -> None:
    class Bounded(BaseModel):
        n: Annotated[float, Ge(-float("inf"))] = float("inf")

    fields = [field(Parameter("x", "named", Bounded), None)]
    schema, _ = plain_schema(adapter(fields), fields)
    assert schema["$defs"]["Bounded"]["properties"]["n"] == {"type": "number"}


def test_a_decimal_has_a_pattern_without_look_around() -> None:
    node, _ = said(Decimal)
    assert [branch["type"] for branch in node["anyOf"]] == ["number", "string"]
    assert "(?" not in node["anyOf"][1]["pattern"]


def test_look_around_is_left_to_models_that_can_check_it() -> None:
    class Looking(BaseModel):
        model_config = ConfigDict(regex_engine="python-re")
        name: Annotated[str, Field(pattern="(?=a)")]

    said(Looking)
    with pytest.raises(DefinitionError, match=r"parameter `x`.*look-around"):
        said(Annotated[str, Field(pattern="(?=a)")])


class Shade(Enum):
    DARK = "dark"
    DIM = "dark"  # noqa: PIE796 - the point of the test
    LIGHT = "light"


class Tone(StrEnum):
    LOW = "low"


class Span(Enum):
    SHORT = (0, 1)


class AnySpan(Enum):
    SHORT = (0, 1)

    @classmethod
    def _missing_(cls, value: object) -> AnySpan:
        return cls.SHORT


class Shaded(BaseModel):
    shade: Literal[Shade.DARK]


def test_another_name_of_a_member_is_no_further_choice() -> None:
    schema, _ = plain_schema(adapter(fields := [field(Parameter("x", "named", Shade), None)]), fields)
    assert schema["$defs"]["Shade"] == {"type": "string", "enum": ["dark", "light"]}


@pytest.mark.parametrize("kind", [Literal[Shade.DARK], Literal[b"a", "b"], Span, Shaded, Shaded | None, type[int]])
def test_what_validation_never_finds_in_json_is_refused(kind: Any) -> None:
    with pytest.raises(DefinitionError, match="parameter `x`"):
        said(kind)


class Cat(BaseModel):
    kind: Literal["cat", "kitten"] = "cat"


class Dog(BaseModel):
    name: str
    kind: Literal["dog"] = "dog"


def test_the_tag_of_a_union_is_required_although_it_has_a_default() -> None:
    pet = Annotated[Cat | Dog, Field(discriminator="kind")]
    schema, _ = plain_schema(adapter(fields := [field(Parameter("x", "named", pet), None)]), fields)
    assert schema["$defs"]["Cat"]["required"] == ["kind"]
    assert schema["$defs"]["Dog"]["required"] == ["name", "kind"]


def test_choices_that_validation_finds_are_said() -> None:
    assert said(Literal[Tone.LOW])[0] == {"const": "low", "type": "string"}
    said(AnySpan)


def test_advice_of_pydantic_is_passed_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "email_validator", None)
    with pytest.raises(DefinitionError, match=r"^parameter `x`: email-validator is not installed, run `pip install"):
        said(EmailStr)


def test_the_one_bad_field_of_many_is_named() -> None:
    fields = [
        field(Parameter("a", "named", int), None),
        field(Parameter("b", "named", Annotated[str, Field(pattern="(")]), None),
    ]
    with pytest.raises(DefinitionError, match="parameter `b`"):
        adapter(fields)


def test_walking() -> None:
    leaf = {"type": "string"}
    node = {
        "properties": {"a": leaf},
        "items": leaf,
        "additionalProperties": leaf,
        "propertyNames": leaf,
        "patternProperties": {"^a": leaf},
        "prefixItems": [leaf],
        "anyOf": [leaf],
    }
    assert [step for _, step in inside(node)] == [".a", "[]", "{}", "{}", "{}", "[]", ""]
    assert list(inside({"items": True, "additionalProperties": False})) == []
    assert target({"$ref": "#/$defs/A"}, {"$defs": {"A": leaf}}) is leaf
