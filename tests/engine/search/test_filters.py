from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from toolkit.engine.objects.invalid import refusal
from toolkit.engine.search.filters import Filter, matches

FILTER: TypeAdapter[Any] = TypeAdapter(dict[Literal["filters"], Filter])
KEYS = ("a", "b", "c")
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 1.5, -2.5])
VALUES = st.sampled_from(["", "x", "y", "1", "true"]) | st.booleans() | NUMBERS
ATTRIBUTES = st.dictionaries(st.sampled_from(KEYS), VALUES)
COMPARISONS = st.fixed_dictionaries(
    {"type": st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), "key": st.sampled_from(KEYS), "value": VALUES}
)
MEMBERSHIPS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["in", "nin"]),
        "key": st.sampled_from(KEYS),
        "value": st.lists(st.sampled_from(["x", "1"]) | NUMBERS, max_size=3),
    }
)
FILTERS = st.recursive(
    COMPARISONS | MEMBERSHIPS,
    lambda below: st.fixed_dictionaries(
        {"type": st.sampled_from(["and", "or"]), "filters": st.lists(below, max_size=3)}
    ),
    max_leaves=8,
)


def checked(filter_: Any) -> Any:
    return FILTER.validate_python({"filters": filter_})["filters"]


def kind(value: Any) -> str:
    return {bool: "truth", int: "number", float: "number", str: "text"}[type(value)]


def model(filter_: Any, attributes: Any) -> bool:
    """Say the same as `matches`, in the words of the documentation."""
    if filter_["type"] == "and":
        return False not in [model(below, attributes) for below in filter_["filters"]]
    if filter_["type"] == "or":
        return True in [model(below, attributes) for below in filter_["filters"]]
    given, has = filter_["value"], attributes.get(filter_["key"])
    values = given if isinstance(given, list) else [given]
    alike = [value for value in values if has is not None and kind(value) == kind(has)]
    return {
        "eq": has in alike,
        "ne": has not in alike,
        "in": has in alike,
        "nin": has not in alike,
        "gt": any(has > value for value in alike),
        "gte": any(has >= value for value in alike),
        "lt": any(has < value for value in alike),
        "lte": any(has <= value for value in alike),
    }[filter_["type"]]


@given(FILTERS, ATTRIBUTES)
def test_a_filter_does_what_the_model_does(filter_: Any, attributes: Any) -> None:
    assert checked(filter_) == filter_
    assert matches(filter_, attributes) == model(filter_, attributes)


@pytest.mark.parametrize(
    ("filter_", "passes"),
    [
        ({"type": "eq", "key": "year", "value": 2024}, True),
        ({"type": "eq", "key": "year", "value": 2024.0}, True),
        ({"type": "eq", "key": "year", "value": "2024"}, False),
        ({"type": "eq", "key": "draft", "value": False}, True),
        ({"type": "eq", "key": "draft", "value": 0}, False),
        ({"type": "ne", "key": "nothing", "value": 1}, True),
        ({"type": "nin", "key": "nothing", "value": [1]}, True),
        ({"type": "gt", "key": "nothing", "value": 1}, False),
        ({"type": "lte", "key": "nothing", "value": 1}, False),
        ({"type": "gt", "key": "name", "value": "a"}, True),
        ({"type": "gt", "key": "name", "value": 1}, False),
        ({"type": "in", "key": "name", "value": ["x", "report"]}, True),
        ({"type": "in", "key": "name", "value": []}, False),
        ({"type": "and", "filters": []}, True),
        ({"type": "or", "filters": []}, False),
    ],
)
def test_what_passes(filter_: Any, passes: bool) -> None:
    assert matches(filter_, {"year": 2024, "draft": False, "name": "report"}) is passes


def refused(filter_: Any) -> tuple[str, str | None]:
    with pytest.raises(ValidationError) as error:
        checked(filter_)
    refused = refusal(error.value)
    return refused.message, refused.param


@pytest.mark.parametrize(
    ("filter_", "says", "param"),
    [
        ({}, "Missing required parameter: 'filters.type'.", "filters.type"),
        ({"type": "like", "key": "a", "value": "x"}, "Invalid value: 'like'. Supported values are:", "filters.type"),
        ({"type": "eq", "value": 1}, "Missing required parameter: 'filters.key'.", "filters.key"),
        ({"type": "eq", "key": "a"}, "Missing required parameter: 'filters.value'.", "filters.value"),
        ({"type": "eq", "key": "a", "value": 1, "more": 1}, "Unknown parameter: 'filters.more'.", "filters.more"),
        (
            {"type": "in", "key": "a", "value": 1},
            "Invalid type for 'filters.value': expected an array",
            "filters.value",
        ),
        ({"type": "or", "filters": [{"type": "eq", "key": "a"}]}, "Missing required", "filters.filters[0].value"),
        ({"type": "in", "key": "a", "value": ["x"] * 500}, "too many values", "filters"),
        ({"type": "and", "filters": [{"type": "eq", "key": "a", "value": 1}] * 500}, "at most 500 values", "filters"),
    ],
)
def test_what_is_no_filter(filter_: Any, says: str, param: str) -> None:
    message, place = refused(filter_)
    assert says in message
    assert place == param


@pytest.mark.parametrize("value", [None, {}, [1]])
def test_what_is_no_value(value: Any) -> None:
    says, param = refused({"type": "eq", "key": "a", "value": value})
    assert ("expected a string, a number or a boolean, but got" in says, param) == (True, "filters.value")
    says, param = refused({"type": "in", "key": "a", "value": ["x", value]})
    assert ("expected a string or a number, but got" in says, param) == (True, "filters.value[1]")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number(value: float) -> None:
    for filter_ in ({"type": "eq", "key": "a", "value": value}, {"type": "in", "key": "a", "value": [value]}):
        assert "expected a finite number, but got" in refused(filter_)[0]


def test_a_filter_may_be_deep_and_have_many_values() -> None:
    filter_: Any = {"type": "in", "key": "a", "value": ["x"] * 300}
    for _ in range(60):
        filter_ = {"type": "and", "filters": [filter_]}
    assert matches(checked(filter_), {"a": "x"})
