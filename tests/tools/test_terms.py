from toolkit.tools.output import MAX_OUTPUT_BYTES
from toolkit.tools.terms import Lane, Terms
from toolkit.tools.tool import tool


@tool
def echo(text: str) -> str:
    return text


def test_a_tool_that_went_through_nothing_has_terms_that_ask_nothing() -> None:
    assert echo.terms == Terms(MAX_OUTPUT_BYTES, None, (), ())


def test_lanes_are_told_apart_by_who_they_are() -> None:
    assert Lane(1) != Lane(1)
    assert Lane(3).most == 3
