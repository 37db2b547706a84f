"""A toolset is a frozen mapping of tools, right from the moment it is made."""

from collections.abc import Callable
from types import MethodType
from typing import Any

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.output import Output
from toolkit.tools.tool import Tool, tool
from toolkit.tools.toolset import Toolset


def add(left: int, right: int) -> int:
    """Add two numbers."""
    return left + right


@tool
async def wait(seconds: float) -> str:
    return f"waited {seconds}"


class Notes:
    @tool
    def read(self, name: str) -> str:
        return f"note {name}"

    def write(self, name: str, text: str) -> str:
        return f"{name}: {text}"

    @classmethod
    @tool
    def count(cls, kind: str) -> str:
        return f"{cls.__name__} {kind}"


def test_it_is_a_mapping_in_the_order_given() -> None:
    tools = Toolset(add, wait)
    assert list(tools) == ["add", "wait"]
    assert len(tools) == 2
    assert "add" in tools
    assert tools["wait"] is wait
    assert isinstance(tools["add"], Tool)
    assert tools.get("no") is None
    assert tools.find("no") is None
    assert repr(tools) == "Toolset(add, wait)"
    with pytest.raises(TypeError):
        tools["add"] = wait  # type: ignore[index]  # the point of the test


def test_definitions_of_all() -> None:
    tools = Toolset(add, wait)
    assert tools.definitions == [tools["add"].definition, wait.definition]
    assert tools.flat_definitions == [tools["add"].flat_definition, wait.flat_definition]
    assert tools.definitions is tools.definitions


def test_methods_are_tools_of_their_instance() -> None:
    notes = Notes()
    tools = Toolset(notes.read, notes.write, Notes.count)
    assert list(tools) == ["read", "write", "count"]
    assert tools["read"].call('{"name": "a"}') == Output("note a")
    assert tools["write"].call('{"name": "a", "text": "b"}') == Output("a: b")
    assert tools["count"].call('{"kind": "x"}') == Output("Notes x")


def test_a_class_method_above_the_decorator_as_python_3_13_hands_it_out() -> None:
    method = MethodType(Notes.__dict__["count"].__func__, Notes)
    assert Toolset(method)["count"].call('{"kind": "x"}') == Output("Notes x")


def odd(value: type[add]) -> str:  # type: ignore[valid-type]  # the point of the test
    return str(value)


def many() -> list[Callable[..., Any]]:
    return [tool(name=f"tool_{number}")(add) for number in range(129)]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Toolset(add, add), 'two tools are called add: give one another name, @tool\\(name="..."\\)'),
        (lambda: Toolset("add"), "Toolset takes functions and tools, not 'add'"),  # type: ignore[arg-type]
        (lambda: Toolset([add]), "write Toolset\\(\\*tools\\)"),  # type: ignore[arg-type]
        (lambda: Toolset(each for each in (add,)), "write Toolset\\(\\*tools\\)"),  # type: ignore[arg-type]
        (lambda: Toolset(Toolset(add)), "write Toolset\\(\\*tools.values\\(\\)\\)"),  # type: ignore[arg-type]
        (lambda: Toolset({"add": add}), "write Toolset\\(\\*tools.values\\(\\)\\)"),  # type: ignore[arg-type]
        (lambda: Toolset(None), "not None"),  # type: ignore[arg-type]
        (lambda: Toolset(lambda: 1), "lambda"),
        (lambda: Toolset(odd), "odd"),
        (lambda: Toolset(Notes.read), "self"),
        (lambda: Toolset(*many()), "129 tools are more than the 128"),
        (lambda: Toolset(add, max_output_bytes=10), "max_output_bytes=10: give a number from 256 on"),
        (lambda: Toolset(add, max_output_bytes="1k"), "max_output_bytes='1k'"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_set_is_one_clear_exception(make: Callable[[], object], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        make()


def test_an_empty_set_is_a_set() -> None:
    assert Toolset().definitions == []
