from __future__ import annotations

import pytest

from toolkit.tools.docstrings import Docstring, read

GOOGLE = """Current weather in a city.

    Measured now,
    not forecast.

    Args:
        city (str): City name, such as Seoul.
            On a second line.
        unit: Temperature unit.
        *rest: More cities.

    Returns:
        The weather.

    Raises:
        KeyError: Never.
    """
NUMPY = """Current weather in a city.

    Measured now,
    not forecast.

    Parameters
    ----------
    city : str
        City name, such as Seoul.
        On a second line.
    unit: str, optional
        Temperature unit.
    *rest
        More cities.

    Returns
    -------
    Weather
        The weather.
    """
REST = """Current weather in a city.

    Measured now,
    not forecast.

    :param city: City name, such as Seoul.
        On a second line.
    :type city: str
    :param str unit: Temperature unit.
    :param rest: More cities.
    :returns: The weather.
    """
EPYDOC = """Current weather in a city.

    Measured now,
    not forecast.

    @param city: City name, such as Seoul.
        On a second line.
    @type city: str
    @param unit: Temperature unit.
    @param rest: More cities.
    @return: The weather.
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, REST, EPYDOC], ids=["google", "numpy", "rest", "epydoc"])
def test_every_style_says_the_same(text: str) -> None:
    assert read(text) == Docstring(
        "Current weather in a city.\n\nMeasured now,\nnot forecast.",
        {
            "city": "City name, such as Seoul.\nOn a second line.",
            "unit": "Temperature unit.",
            "rest": "More cities.",
        },
    )


def test_one_line_of_numpy_may_speak_of_two_parameters() -> None:
    text = "Sum.\n\nParameters\n----------\nx, y : int\n    A number.\n"
    assert read(text).parameters == {"x": "A number.", "y": "A number."}


@pytest.mark.parametrize(
    "text",
    [
        "Sum.\n\nArgs:\n    a: First.\n\n        And more.\n\nReturns:\n    It.\n\nNote:\n    Only on weekdays.",
        "Sum.\n\nNote:\n    Only on weekdays.\n\nArgs:\n    a: First.\n\n        And more.",
        "Sum.\n\n:param a: First.\n\n    And more.\n:returns: It.\n\nNote:\n    Only on weekdays.",
        "Sum.\n\n@param a: First.\n\n    And more.\n@return: It.\n\nNote:\n    Only on weekdays.",
    ],
)
def test_prose_that_follows_the_sections_is_not_lost(text: str) -> None:
    said = read(text)
    assert said.description == "Sum.\n\nNote:\n    Only on weekdays."
    assert "".join(said.parameters["a"].split()) == "First.Andmore."


def test_other_sections_of_numpy_are_not_lost() -> None:
    text = "Sum.\n\nParameters\n----------\na : int\n    First.\n\nNotes\n-----\nOnly on weekdays.\n\nIn spring."
    said = read(text + "\n\nReturns\n-------\nint\n    It.\n")
    assert said.description == "Sum.\n\nNotes\n-----\nOnly on weekdays.\n\nIn spring."
    assert said.parameters == {"a": "First."}


def test_prose_is_left_as_it_is() -> None:
    assert read("Add two.\n\n    Note: carefully.\n    ") == Docstring("Add two.\n\nNote: carefully.")


@pytest.mark.parametrize("text", [None, "", "   \n "])
def test_nothing_says_nothing(text: str | None) -> None:
    assert read(text) == Docstring()


def test_what_does_not_parse_is_shown_as_written() -> None:
    text = "Add two.\n\nArgs:\n    this has no colon"
    assert read(text) == Docstring(text)


def test_a_parameter_without_text_is_not_there() -> None:
    assert read("Add.\n\n:param x:\n:param y: Why.").parameters == {"y": "Why."}


def test_two_styles_in_one_docstring_still_give_a_text() -> None:
    said = read("Add.\n\n:param x: The first.\n\nReturns:\n    The sum.")
    assert said.description.startswith("Add.")
    assert said.parameters["x"].startswith("The first.")
