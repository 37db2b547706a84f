"""An object's tools are those of its class's methods that are marked so."""

from __future__ import annotations

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.output import Output
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset


class Basket:
    """A basket of things."""

    def __init__(self) -> None:
        self.items: list[str] = []

    @tool
    def put(self, item: str) -> int:
        """Put something in."""
        self.items.append(item)
        return len(self.items)

    @tool
    async def count(self) -> int:
        return len(self.items)

    @classmethod
    @tool
    def kind(cls) -> str:
        return cls.__name__

    @tool
    @staticmethod
    def hint() -> str:
        return "apples"

    def empty(self) -> None:
        self.items.clear()

    @property
    def trouble(self) -> str:
        raise AssertionError("read")


class Locked(Basket):
    def put(self, item: str) -> int:  # type: ignore[override]  # no tool any more
        raise PermissionError

    @tool
    async def count(self) -> int:
        return -1

    @tool
    def unlock(self) -> str:
        return "open"


def test_the_marked_methods_with_their_state() -> None:
    basket = Basket()
    tools = Toolset.of(basket)
    assert list(tools) == ["put", "count", "kind", "hint"]
    tools["put"].call('{"item": "apples"}')
    assert basket.items == ["apples"]
    assert [tools[name].call("{}") for name in ("count", "kind", "hint")] == [
        Output("1"), Output("Basket"), Output("apples")
    ]  # fmt: skip
    assert Toolset.of(Basket())["count"].call("{}") == Output("0")


def test_a_subclass_adds_overrides_and_takes_away() -> None:
    tools = Toolset.of(Locked())
    assert list(tools) == ["count", "kind", "hint", "unlock"]
    assert (tools["count"].call("{}"), tools["kind"].call("{}")) == (Output("-1"), Output("Locked"))


def test_two_objects_of_one_class_side_by_side() -> None:
    mine, yours = Basket(), Basket()
    tools = Toolset.of(mine).prefixed("my_") + Toolset.of(yours, concurrency=1).prefixed("your_")
    tools["my_put"].call('{"item": "a"}')
    tools["your_put"].call('{"item": "b"}')
    assert (mine.items, yours.items) == (["a"], ["b"])


def test_what_has_no_tools() -> None:
    with pytest.raises(DefinitionError, match=r"Toolset\.of takes an object, not the class: write Toolset\.of\(Basket"):
        Toolset.of(Basket)
    with pytest.raises(DefinitionError, match="object has no tools: mark its methods with @tool"):
        Toolset.of(object())
