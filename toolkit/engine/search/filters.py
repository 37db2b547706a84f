"""Filters by attributes, as `POST /vector_stores/{vector_store_id}/search` takes them.

A file that has no attribute of the name is equal to nothing: `ne` and `nin` let it pass, everything else does not.
Values of different types (text, number, truth) are never equal, and none is above the other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Discriminator, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.objects.fields import SHAPE, Listed, Scalar, by_type, refuse_field

__all__ = ["Filter", "matches"]

_MOST: Final = 500
"""Values to compare with in a whole filter: each is looked at for each file."""


@with_config(SHAPE)
class _Comparison(TypedDict):
    type: Literal["eq", "ne", "gt", "gte", "lt", "lte"]
    key: str
    value: Scalar


@with_config(SHAPE)
class _Membership(TypedDict):
    type: Literal["in", "nin"]
    key: str
    value: list[Listed]


@with_config(SHAPE)
class _Compound(TypedDict):
    type: Literal["and", "or"]
    filters: list[_Filter]


_Filter = Annotated[
    Annotated[_Comparison, Tag("#eq")]
    | Annotated[_Comparison, Tag("#ne")]
    | Annotated[_Comparison, Tag("#gt")]
    | Annotated[_Comparison, Tag("#gte")]
    | Annotated[_Comparison, Tag("#lt")]
    | Annotated[_Comparison, Tag("#lte")]
    | Annotated[_Membership, Tag("#in")]
    | Annotated[_Membership, Tag("#nin")]
    | Annotated[_Compound, Tag("#and")]
    | Annotated[_Compound, Tag("#or")],
    Discriminator(by_type),
]


def _bounded(filter_: Mapping[str, Any]) -> Mapping[str, Any]:
    values = _values(filter_)
    if values > _MOST:
        raise refuse_field(
            f"Invalid 'filters': too many values. Expected at most {_MOST} values to compare with, but got {values} "
            "instead.",
            code="array_above_max_length",
        )
    return filter_


def _values(filter_: Mapping[str, Any]) -> int:
    """Count the values in a filter; one that has none counts as well."""
    if "filters" in filter_:
        return sum(map(_values, filter_["filters"])) + 1
    value: Any = filter_["value"]
    return len(value) + 1 if isinstance(value, list) else 1  # pyright: ignore[reportUnknownArgumentType] - of JSON


Filter = Annotated[_Filter, AfterValidator(_bounded)]
"""A ComparisonFilter or CompoundFilter."""


def matches(filter_: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Say whether a file with these attributes passes a filter."""
    match filter_["type"]:
        case "and":
            return all(matches(each, attributes) for each in filter_["filters"])
        case "or":
            return any(matches(each, attributes) for each in filter_["filters"])
        case "in" | "nin" as kind:
            has = attributes.get(filter_["key"])
            return any(_equal(has, value) for value in filter_["value"]) is (kind == "in")
        case "eq" | "ne" as kind:
            return _equal(attributes.get(filter_["key"]), filter_["value"]) is (kind == "eq")
        case kind:
            has, value = attributes.get(filter_["key"]), filter_["value"]
            return bool(_type(has) == _type(value) and _ORDERED[kind](has, value))


_ORDERED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def _equal(has: Any, value: Any) -> bool:
    return bool(_type(has) == _type(value) and has == value)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, (int, float)) else type(value).__name__
