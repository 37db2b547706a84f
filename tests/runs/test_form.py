from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from toolkit.errors import ArgumentsInvalid, DefinitionError
from toolkit.runs.form import Form


class Colour(Enum):
    RED = "red"


class Part(BaseModel):
    """A part."""

    name: str
    parts: list[Part] = []


class Order(BaseModel):
    """An order."""

    id: int = Field(description="Number of the order", ge=1)
    note: str = "none"
    parts: list[Part]
    prices: dict[str, float] = {}


class Point(TypedDict):
    x: int


@dataclass
class Size:
    width: int
    height: int = 5


def test_an_object_is_asked_for_as_it_is() -> None:
    form = Form(Order)
    assert (form.name, form.strict, form.wire["name"]) == ("Order", True, "Order")
    assert list(form.schema["properties"]) == form.schema["required"] == ["id", "note", "parts", "prices"]
    assert form.schema["additionalProperties"] is False
    assert form.schema["properties"]["id"]["description"] == "Number of the order"
    text = '{"id": 1, "note": null, "parts": [{"name": "a", "parts": null}], "prices": [{"key": "a", "value": 2.5}]}'
    assert form.read(text) == Order(id=1, parts=[Part(name="a")], prices={"a": 2.5})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Point, '{"x": 1}', {"x": 1}),
        (Size, '{"width": 1, "height": null}', Size(1)),
        (list[int], '{"value": [1, 2]}', [1, 2]),
        (int, '{"value": 5}', 5),
        (date, '{"value": "2026-01-02"}', date(2026, 1, 2)),
        (Decimal, '{"value": "1.50"}', Decimal("1.50")),
        (Colour, '{"value": "red"}', Colour.RED),
        (Literal["a", "b"], '{"value": "b"}', "b"),
        (Point | Size, '{"value": {"x": 1}}', {"x": 1}),
        (dict[str, int], '{"value": [{"key": "a", "value": 1}]}', {"a": 1}),
        (tuple[int, str], '{"value": [1, "a"]}', (1, "a")),
    ],
)
def test_types(kind: Any, text: str, value: object) -> None:
    form: Form[Any] = Form(kind)
    assert form.strict
    assert form.schema["type"] == "object"
    assert form.read(text) == value
    assert len(form.name) <= 64 and form.name.replace("_", "").replace("-", "").isalnum()


def test_what_cannot_be_said_strictly_is_said_plainly() -> None:
    class Open(BaseModel):
        anything: Any

    form = Form(Open)
    assert form.strict is False
    assert form.read('{"anything": [1]}') == Open(anything=[1])


def test_what_is_wrong_is_said_to_the_model() -> None:
    form = Form(Order)
    for text, said in (
        ("It is 3.", "It is not JSON."),
        ("", "It is not JSON."),
        ('{"id": 0, "note": null, "prices": []}', "id: Input should be greater than or equal to 1"),
        ('{"id": 0, "note": null, "prices": []}', "parts: missing"),
        ('{"id": 1, "note": null, "parts": [{}], "prices": []}', "parts[0].name: missing"),
        ("[1]", "should be an object"),
        ('{"id": 1}, "value": {"id": 2}', "It is not JSON."),
    ):
        with pytest.raises(ArgumentsInvalid) as caught:
            form.read(text)
        assert said in str(caught.value)
        assert "value." not in str(caught.value)
    with pytest.raises(ArgumentsInvalid, match="value: missing"):
        Form(int).read("{}")


@pytest.mark.parametrize("fenced", ["```json\n{}\n```", "\n```\n{}\n  ```\n", "```JSON\r\n{}\r\n```"])
def test_an_answer_in_a_fence_is_read(fenced: str) -> None:
    assert Form(Point).read(fenced.format('{"x": 1}')) == {"x": 1}
    assert Form(str).read(fenced.format('{"value": "```json\\n1\\n```"}')) == "```json\n1\n```"


@pytest.mark.parametrize("text", ['Here:\n```json\n{"x": 1}\n```', '```json\n{"x": 1}', '```{"x": 1}```', "```\n```"])
def test_what_is_not_all_in_a_fence_is_not(text: str) -> None:
    with pytest.raises(ArgumentsInvalid, match="It is not JSON"):
        Form(Point).read(text)


def test_a_type_that_no_model_can_fill_in() -> None:
    with pytest.raises(DefinitionError, match="output_type=object_ cannot be the form"):

        class object_:
            pass

        Form(object_)


@given(st.builds(Size, st.integers(), st.integers()))
def test_every_value_is_read_back(size: Size) -> None:
    assert Form(Size).read(TypeAdapter(Size).dump_json(size).decode()) == size
