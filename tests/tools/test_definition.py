"""Both wire forms come from one description, made when it is first needed."""

import functools
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.context import RunContext
from toolkit.tools.definition import Definition


def add(left: int, right: int = 1) -> int:
    """Add two numbers."""
    return left + right


def store(values: dict[str, Any]) -> str:
    return str(values)


def test_both_forms_say_the_same() -> None:
    definition = Definition("plus", add, None, None)
    nested, flat = definition.nested, definition.flat
    assert nested["function"]["name"] == flat["name"] == "plus"
    assert nested["function"].get("description") == flat.get("description") == "Add two numbers."
    assert nested["function"].get("parameters") is flat["parameters"]
    assert nested["function"].get("strict") is flat["strict"] is True


def test_what_concerns_the_function_as_a_whole() -> None:
    def get_weather(city: str, *, ctx: RunContext[None]) -> str:
        """Current weather in a city.

        As measured, not forecast.

        Args:
            city: City name, such as Seoul.
        """
        return city

    for function in (get_weather, functools.partial(get_weather), functools.cache(get_weather)):
        definition = Definition("get_weather", function, None, None)
        assert definition.description == "Current weather in a city.\n\nAs measured, not forecast."
        assert definition.calling[0]('{"city": "Seoul"}') == ((), {"city": "Seoul"})
        assert definition.calling[1] == "ctx"


def test_an_empty_description_wins_over_the_docstring() -> None:
    assert "description" not in Definition("plus", add, "", None).nested["function"]


def test_the_plain_form_is_used_when_asked_for_or_needed() -> None:
    asked = Definition("plus", add, None, False)
    assert asked.strict is False
    assert asked.flat["parameters"] == asked.arguments.plain
    needed = Definition("store", store, None, None)
    assert needed.strict is False
    assert needed.not_strict_because is not None
    with pytest.raises(DefinitionError, match="store cannot be strict"):
        _ = Definition("store", store, None, True).strict


def test_a_name_that_comes_later_is_no_mistake_yet() -> None:
    def later(value: "Unheard") -> str:  # type: ignore[name-defined]  # noqa: F821 - the point of the test
        return str(value)

    definition = Definition("later", later, None, None)
    definition.look()
    with pytest.raises(DefinitionError, match="Unheard"):
        _ = definition.nested


def test_looking_at_a_function_imports_neither_pydantic_nor_docstring_parser() -> None:
    code = """
        import sys
        from toolkit.tools.definition import Definition
        def function(x: int) -> None:
            "Plain."
        Definition("function", function, None, None).look()
        print([name for name in ("openai", "docstring_parser", "pydantic") if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_another_name_and_another_choice_keep_what_was_read() -> None:
    definition = Definition("plus", add, None, None)
    read = definition.arguments
    varied = definition.varied("sum", False)
    assert varied.arguments is read
    assert varied.nested["function"]["name"] == varied.flat["name"] == "sum"
    assert (definition.strict, varied.strict, varied.not_strict_because) == (
        True,
        False,
        "it was defined with strict=False",
    )
    assert definition.nested["function"]["name"] == "plus"
    assert Definition("plus", add, "Sum.", None).varied("sum", None).description == "Sum."
