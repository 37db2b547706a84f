from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from toolkit.tools.problems import problems


class Inner(TypedDict):
    n: int


class Call(TypedDict):
    __pydantic_config__ = {"extra": "forbid"}  # type: ignore[misc]  # a class variable, by pydantic's rules
    city: str
    days: list[int]
    inner: Inner
    either: int | list[int]


def told(text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter[Any](Call).validate_json(text)
    return problems(caught.value, ["city", "days"])


def call(**given: Any) -> str:
    return told(json.dumps({"city": "a", "days": [], "inner": {"n": 1}, "either": 1} | given))


def test_each_problem_is_a_line_with_its_field() -> None:
    assert told("{}") == "city: missing\ndays: missing\ninner: missing\neither: missing"
    assert call(days=[1, "x"]).startswith("days[1]: Input should be a valid integer")
    assert call(inner={"n": None}) == "inner.n: Input should be a valid integer"
    assert call(inner={}) == "inner.n: missing"


def test_an_unknown_name_names_those_that_exist() -> None:
    assert call(town="x") == "town: unknown\nKnown arguments: city, days"


def test_branches_of_a_union_are_not_fields() -> None:
    assert call(either=["x"]).splitlines()[1].startswith("either[0]: ")


def test_what_is_no_object_is_told() -> None:
    assert told("[]") == told("3") == "The arguments must be one JSON object"
    assert told("{").startswith("Invalid JSON: ")


def test_little_is_said_whatever_came_in() -> None:
    many = call(days=["x" * 1000] * 1_000)
    assert many.splitlines()[-1] == "... and 991 more"
    assert len(many) < 2_000
    assert call(days=["x"] * 20_000) == "20000 problems; read the parameters again"
    assert len(call(**{"k" * 1_000_000: 1})) < 2_000
    assert len(call(**{f"{each}k\n" * 1_000: 1 for each in range(100)})) < 2_000


def test_there_may_be_no_arguments() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter[Any](Call).validate_json('{"a": 1}')
    assert problems(caught.value, []).endswith("There are no arguments: send {}")
