"""Filters by attributes, as `POST /vector_stores/{vector_store_id}/search` takes them.

A file that has no attribute of the name is equal to nothing: `ne` and `nin` let it pass, everything else does not.
Values of different types (text, number, truth) are never equal, and none is above the other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.objects.fields import SHAPE, by_type

__all__ = ["Filter", "matches"]

_MOST: Final = 100
"""Filters in a compound, and values in a list."""

_Number = Annotated[float, Field(allow_inf_nan=False)]


@with_config(SHAPE)
class _Comparison(TypedDict):
    type: Literal["eq", "ne", "gt", "gte", "lt", "lte"]
    key: str
    value: str | bool | int | _Number


@with_config(SHAPE)
class _Membership(TypedDict):
    type: Literal["in", "nin"]
    key: str
    value: Annotated[list[str | int | _Number], Field(max_length=_MOST)]


@with_config(SHAPE)
class _Compound(TypedDict):
    type: Literal["and", "or"]
    filters: Annotated[list[Filter], Field(max_length=_MOST)]


Filter = Annotated[
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
