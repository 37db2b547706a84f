"""200 functions become definitions, against pydantic's own schema of each and one parse of its docstring."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, Literal

import docstring_parser
from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from tests.benchmarks.table import Row, Scale, against, ms
from toolkit import tool

__all__ = ["measure"]


class Place(BaseModel):
    """Where."""

    street: str
    number: int


class Range(TypedDict):
    """From one day to another."""

    first: int
    last: int


def _functions(count: int) -> list[Callable[..., Any]]:
    """Make functions that nobody has looked at yet, of the kinds that people write."""
    made: list[Callable[..., Any]] = []
    for number in range(count):

        def scalars(city: str, unit: Literal["c", "f"] = "c", days: int = 3) -> str:
            """Weather in a city.

            Args:
                city: Its name, such as Seoul.
                unit: Of temperatures.
                days: How many.
            """
            return city

        def collections(names: list[str], limits: dict[str, int] | None = None, exact: bool = False) -> str:
            """Find people.

            Args:
                names: Of whom.
                limits: Most results for each.
                exact: Whether to take no similar names.
            """
            return ""

        def nested(place: Place, days: Range, tags: list[str]) -> str:
            """Plan a visit.

            Args:
                place: Where to.
                days: When.
                tags: What it is about.
            """
            return ""

        kinds = (scalars, collections, nested)
        made.append(kinds[number % len(kinds)])
    return made


def _ours(functions: list[Callable[..., Any]]) -> None:
    for number, function in enumerate(functions):
        _ = tool(name=f"f{number}")(function).definition


def _floor(functions: list[Callable[..., Any]]) -> None:
    for function in functions:
        TypeAdapter(function).json_schema()
        docstring_parser.parse(function.__doc__ or "")


def measure(scale: Scale) -> Iterator[Row]:
    count, took = scale.times(200, 3), ([], [])  # type: tuple[int, tuple[list[float], list[float]]]
    for _ in range(scale.times(9)):
        for work, seconds in zip((_ours, _floor), took, strict=True):
            functions = _functions(count)
            began = time.perf_counter()
            work(functions)
            seconds.append(time.perf_counter() - began)
    yield against("200 functions to definitions", median(took[0]), median(took[1]), 1.3, ms)
