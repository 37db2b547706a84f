"""Each rule finds what it is for, and nothing in tools that are well described."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from toolkit.tools.lint import RULES, Finding, findings
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset


def said(*tools: Any) -> list[str]:
    return [f"{each} [{each.rule}]" for each in Toolset(*tools).lint()]


class Colour(Enum):
    """Colours of the rainbow."""

    RED = "red"


class Box(BaseModel):
    """A box."""

    colour: Colour


@tool
def get_weather(city: str, days: Annotated[int, "How many days."] = 1, *, colour: Colour | None = None) -> str:
    """Get the weather of a city.

    Args:
        city: Name of the city.
    """
    return city


def test_nothing_to_remark() -> None:
    @tool
    def pack(box: Box, boxes: Annotated[list[Box], Field(description="More.")]) -> str:
        """Pack a box."""
        return ""

    @tool
    def now() -> str:
        """Tell the time."""
        return ""

    assert said(get_weather, pack, now) == []


def test_missing_texts() -> None:
    def bare(x: int, mode: Literal["a", "b"]) -> str:
        return ""

    assert said(bare) == [
        "bare: has no description; give the function a docstring [description]",
        "bare: nothing is said of x, mode [parameters]",
    ]


def test_a_description_that_hosted_services_refuse() -> None:
    long = tool(description="x" * 1025)(get_weather.function)
    assert said(long) == [
        "get_weather: its description has 1025 characters; hosted services take 1024 at most [length]"
    ]
    assert said(tool(description="x" * 1024)(get_weather.function)) == []


def deep(level: int) -> Any:
    kind: Any = int
    for _ in range(level):
        kind = list[kind]
    return kind


def test_why_a_tool_is_not_strict() -> None:
    def tag(labels: Annotated[dict[str, Any], "Labels."], nested: Annotated[deep(11), "Deep."]) -> str:  # type: ignore[valid-type]  # made on the way
        """Tag something."""
        return ""

    [found] = said(tag)
    assert found.startswith("tag: not strict: `labels: ")
    assert said(tool(strict=False)(tag)) == []  # somebody has thought of it

    def nest(nested: Annotated[deep(11), "Deep."]) -> str:  # type: ignore[valid-type]  # made on the way
        """Nest something."""
        return ""

    [found] = said(nest)
    assert "levels of nesting" in found


def test_null_that_means_the_default() -> None:
    def find(most: Annotated[int | None, "How many."] = 5, skip: Annotated[int | None, "Skipped."] = None) -> str:
        """Find something."""
        return ""

    assert said(find) == [
        "find: most: null means the default here; where None must get through, write strict=False [null]"
    ]
    assert said(tool(strict=False)(find)) == []


def test_names() -> None:
    def named(name: str, text: str) -> Any:
        return tool(name=name, description=text)(lambda: "")

    assert said(named("file_search", "Find a file."), named("get_user", "Get one."), named("getUsers", "Get all.")) == [
        "file_search: a model may take it for the hosted tool of this name [names]",
        "getUsers: its name is nearly that of get_user [names]",
    ]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Get the weather of a city.", "Get weather for the cities.", False),
        ("Get the weather of a city.", "Get weather for a city.", True),
        ("Get a user by id.", "Get a group by id.", False),
        ("Search the notes for words.", "Searches notes by words.", False),
        ("Search notes for words.", "Search the note for the words.", True),
        ("Delete a note.", "Delete a note.", True),
        ("", "", False),
        ("Get the current temperature for a specific location.", "Get the probability of rain for a specific location.",
         False),
    ],
)  # fmt: skip
def test_tools_that_are_alike(one: str, other: str, alike: bool) -> None:
    first = tool(name="first", description=one)(get_weather.function)
    second = tool(name="second", description=other)(get_weather.function)
    assert [each for each in findings(Toolset(first, second)) if each.rule == "alike"] == [
        Finding("second", "alike", "says nearly what first says: a model cannot tell which to call")
    ] * alike


def test_tools_that_take_other_arguments_are_not_alike() -> None:
    @tool(name="other", description=get_weather.description)
    def other(place: Annotated[str, "A place."]) -> str:
        return ""

    assert said(get_weather, other) == []


def test_a_full_toolset_is_soon_gone_through() -> None:
    many = Toolset(*(tool(name=f"tool{number}")(get_weather.function) for number in range(128)))
    assert {each.rule for each in many.lint()} == {"alike"}
    assert set(RULES) >= {"description", "parameters", "length", "strict", "null", "names", "alike"}
