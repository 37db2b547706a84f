"""A tool is still the function, and more: a definition, and answers to a model's JSON."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from toolkit.errors import DefinitionError, Retry, ToolError
from toolkit.tools.output import Output
from toolkit.tools.tool import Tool, tool

ROOT = Path(__file__).parents[2]


@tool
def add(left: int, right: int = 1) -> int:
    """Add two numbers.

    Args:
        left: The first.
    """
    return left + right


@tool
async def aadd(left: int, right: int = 1) -> int:
    """Add two numbers, later."""
    await asyncio.sleep(0)
    return left + right


class Counter:
    """Counts."""

    def __init__(self, start: int = 0) -> None:
        self.count = start

    @tool
    def step(self, by: int) -> int:
        """Count on."""
        self.count += by
        return self.count

    @tool(name="later_step", strict=False)
    async def astep(self, by: int) -> int:
        self.count += by
        return self.count

    @tool
    @classmethod
    def kind(cls, upper: bool) -> str:
        return cls.__name__.upper() if upper else cls.__name__

    @classmethod
    @tool
    def kind_below(cls, upper: bool) -> str:
        return cls.__name__.upper() if upper else cls.__name__

    @tool
    @staticmethod
    def double(number: int) -> int:
        return number * 2

    @staticmethod
    @tool
    def double_below(number: int) -> int:
        return number * 2

    @staticmethod
    @tool
    def nothing() -> str:
        return "nothing"

    def __call__(self, by: int) -> int:
        """Count from outside."""
        return self.step(by)


class AsyncCallable:
    async def __call__(self, word: str) -> str:
        return word[::-1]


def parameters(made: Tool[..., Any]) -> list[str]:
    return list(made.definition["function"]["parameters"]["properties"])  # type: ignore[call-overload, index, arg-type]


def test_the_function_stays_a_function() -> None:
    assert add(2, right=3) == 5
    assert asyncio.run(aadd(2)) == 3
    assert (add.__name__, add.__module__, add.__qualname__) == ("add", __name__, "add")
    assert add.__doc__ is not None
    assert add.__doc__.startswith("Add two numbers.")
    assert list(inspect.signature(add).parameters) == ["left", "right"]
    assert repr(add) == "<Tool add>"


def test_both_wire_forms() -> None:
    function = add.definition["function"]
    assert add.definition["type"] == "function"
    assert list(function) == ["name", "description", "parameters", "strict"]
    assert (function["name"], function["description"], function["strict"]) == ("add", "Add two numbers.", True)
    assert function["parameters"]["required"] == ["left", "right"]
    assert add.flat_definition == {"type": "function", **function}
    assert add.definition is add.definition
    json.dumps(add.definition)


def test_a_description_that_nobody_gave_is_left_out() -> None:
    @tool
    def bare(x: int) -> int:
        return x

    assert "description" not in bare.definition["function"]
    assert "description" not in bare.flat_definition


def test_options_win() -> None:
    made = tool(name="plus", description="Sum.", strict=False, timeout_s=2)(add.function)
    assert (made.name, made.description, made.strict, made.timeout_s) == ("plus", "Sum.", False, 2)
    assert made.not_strict_because == "it was defined with strict=False"
    assert made.definition["function"]["strict"] is False
    assert made.definition["function"]["parameters"]["required"] == ["left"]
    assert made(1) == 2


def test_strict_where_it_is_honest() -> None:
    def store(values: dict[str, Any]) -> str:
        return str(values)

    made = tool(store)
    assert made.strict is False
    assert made.not_strict_because is not None
    assert "values" in made.not_strict_because
    assert add.strict is True
    assert add.not_strict_because is None
    with pytest.raises(DefinitionError, match=r"store cannot be strict: .*values"):
        _ = tool(strict=True)(store).definition


def test_rules_that_no_schema_says_are_listed() -> None:
    @tool
    def keep(ids: set[int]) -> None: ...

    assert keep.unsayable == ("ids: unique items",)
    assert add.unsayable == ()


def test_a_tool_is_copied_and_pickled_as_its_function_would_be() -> None:
    assert copy.deepcopy({"tools": [add]})["tools"][0] is add
    assert pickle.loads(pickle.dumps(add)) is add
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(Counter().step)


def test_answers_to_json() -> None:
    assert add.call('{"left": 2, "right": 3}') == Output("5")
    assert add.call('{"left": 2, "right": null}') == Output("3")
    assert asyncio.run(add.acall('{"left": 2, "right": 3}')) == Output("5")
    assert asyncio.run(aadd.acall('{"left": 2, "right": 3}')) == Output("5")


def test_an_async_tool_is_called_from_sync_code() -> None:
    assert aadd.call('{"left": 2, "right": 3}') == Output("5")

    async def inside_a_loop() -> Output:
        return aadd.call('{"left": 2, "right": 3}')

    assert asyncio.run(inside_a_loop()) == Output("5")


def test_an_async_tool_may_call_another_through_sync_code() -> None:
    @tool
    async def outer(left: int) -> str:
        return aadd.call(json.dumps({"left": left, "right": 1})).content

    assert outer.call('{"left": 1}') == Output("2")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("secret"), "The tool refuse failed."),
        (ToolError("No such city."), "No such city."),
        (ToolError(), "The tool refuse failed."),
        (Retry("Which city?"), "Which city?\nCall it again."),
    ],
)
def test_a_failure_is_an_output_and_logged(error: Exception, told: str, caplog: pytest.LogCaptureFixture) -> None:
    @tool
    def refuse() -> str:
        raise error

    @tool(name="refuse")
    async def arefuse() -> str:
        raise error

    caplog.set_level("INFO", "toolkit.tools")
    assert refuse.call("{}") == Output(told, ok=False)
    assert asyncio.run(arefuse.acall("{}")) == Output(told, ok=False)
    assert len([each for each in caplog.records if each.name == "toolkit.tools"]) == 2


@pytest.mark.parametrize(
    "arguments", ["", "{", "[]", '{"left": "x"}', '{"right": 1}', '{"left": 1, "up": 2}', '"\ud800"']
)
def test_wrong_arguments_are_told(arguments: str) -> None:
    output = add.call(arguments)
    assert output.ok is False
    assert "failed" not in output.content
    assert asyncio.run(add.acall(arguments)) == output


def test_arguments_that_are_no_text_are_a_mistake_of_the_program() -> None:
    with pytest.raises(DefinitionError, match=r"add takes its arguments as JSON text: call\(json\.dumps"):
        add.call({"left": 1})  # type: ignore[arg-type]  # the point of the test


def test_methods_belong_to_their_instance() -> None:
    counter, other = Counter(), Counter(10)
    assert counter.step(2) == 2
    assert other.step.call('{"by": 5}') == Output("15")
    assert counter.step.call('{"by": 5}') == Output("7")
    assert Counter.step(counter, 1) == 8
    assert parameters(counter.step) == ["by"]
    assert counter.step.definition is other.step.definition
    assert counter.step.description == "Count on."


def test_async_methods() -> None:
    counter = Counter()
    assert asyncio.run(counter.astep(1)) == 1
    assert counter.astep.call('{"by": 1}') == Output("2")
    assert (counter.astep.name, counter.astep.strict, counter.astep.is_async) == ("later_step", False, True)


def test_a_method_does_not_hold_on_to_an_instance() -> None:
    import gc
    import weakref

    counter = Counter()
    assert counter.step.call('{"by": 1}').ok
    seen = weakref.ref(counter)
    del counter
    gc.collect()
    assert seen() is None


def test_class_and_static_methods_in_either_order() -> None:
    class Sub(Counter):
        pass

    assert Counter.kind(True) == "COUNTER"
    assert Sub.kind.call('{"upper": false}') == Output("Sub")
    assert Sub().kind.call('{"upper": false}') == Output("Sub")
    assert parameters(Sub.kind) == ["upper"]
    assert Sub.kind_below(True) == "SUB"
    for made in (Counter.double, Counter().double, Counter.double_below, Counter().double_below):
        assert isinstance(made, Tool)
        assert made(2) == 4
        assert made.call('{"number": 4}') == Output("8")
        assert parameters(made) == ["number"]
    assert Counter.nothing.call("{}") == Output("nothing")


def test_a_method_read_from_the_class_has_nothing_to_be_called_on() -> None:
    with pytest.raises(DefinitionError, match=r"take it from one, as in `Counter\(...\).step`"):
        Counter.step.call('{"by": 1}')
    with pytest.raises(DefinitionError, match="self"):
        asyncio.run(Counter.step.acall('{"by": 1}'))


def test_a_method_shows_the_signature_that_is_left() -> None:
    assert list(inspect.signature(Counter().step).parameters) == ["by"]
    counter = Counter(1)
    fixed = tool(name="count_on")(functools.partial(counter.step, by=2))
    assert fixed.call("{}") == Output("3")


def test_a_function_from_elsewhere_may_become_a_method() -> None:
    def shout(self: Any, text: str) -> str:
        return f"{self.name}: {text}!"

    class Speaker:
        name = "Ada"
        say = tool(shout)

    assert Speaker().say("hi") == "Ada: hi!"
    assert Speaker().say.call('{"text": "hi"}') == Output("Ada: hi!")
    assert parameters(Speaker().say) == ["text"]


def test_partials_callable_objects_and_classes() -> None:
    plus_five = tool(functools.partial(add.function, right=5))
    assert plus_five.name == "add"
    assert plus_five.call('{"left": 1}') == Output("6")
    assert parameters(plus_five) == ["left"]
    counting = tool(Counter(3))
    assert (counting.name, counting.description) == ("Counter", "Count from outside.")
    assert counting.call('{"by": 2}') == Output("5")
    reverse = tool(name="reverse")(AsyncCallable())
    assert reverse.is_async
    assert reverse.call('{"word": "abc"}') == Output("cba")
    assert tool(functools.partial(AsyncCallable())).is_async

    class Point(BaseModel):
        x: int

    assert tool(Point).call('{"x": 1}') == Output('{"x":1}')


def test_types_may_be_local_or_come_later() -> None:
    class Local(BaseModel):
        x: int

    @tool
    def local(value: Local) -> int:
        return value.x

    @tool
    def later(value: Later) -> int:
        return value.x

    assert local.call('{"value": {"x": 3}}') == Output("3")
    assert later.call('{"value": {"x": 4}}') == Output("4")


class Later(BaseModel):
    x: int


async def words() -> AsyncIterator[str]:
    yield "a"


def no_annotation(city) -> str:  # type: ignore[no-untyped-def]  # the point of the test
    return str(city)


def odd_type(value: threading.Lock) -> str:
    return str(value)


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: tool(lambda: 1), 'write tool\\(name="..."\\)\\(lambda'),
    (lambda: tool(no_annotation), "city"),
    (lambda: tool(words), "return a list"),
    (lambda: tool("add"), "not on 'add'"),  # type: ignore[call-overload]
    (lambda: tool(add), "not on <Tool add>"),
    (lambda: tool(name="two words")(add.function), "'two words' cannot be a tool's name"),
    (lambda: tool(name="x" * 65)(add.function), "1 to 64"),
    (lambda: tool(name="")(add.function), "cannot be a tool's name"),
    (lambda: tool(name="né")(add.function), "cannot be a tool's name"),
    (lambda: tool(timeout_s=0)(add.function), "timeout_s=0"),
    (lambda: tool(timeout_s=float("nan"))(add.function), "timeout_s=nan"),
    (lambda: tool(timeout_s="5")(add.function), "timeout_s='5'"),  # type: ignore[call-overload]
    (lambda: tool(name=5)(add.function), "5 cannot be a tool's name"),  # type: ignore[call-overload]
    (lambda: tool(odd_type).check(), "odd_type"),
]


@pytest.mark.parametrize(("make", "told"), BAD)
def test_a_bad_definition_is_one_clear_exception(make: Callable[[], object], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        make()


def test_defining_a_tool_imports_neither_openai_nor_asyncio_nor_a_parser() -> None:
    program = """
import sys
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset
@tool
def add(left: int) -> int:
    return left
print(sorted({"openai", "asyncio", "logging", "docstring_parser"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_a_variation_is_another_tool_on_the_same_function() -> None:
    varied = add.varied(name="plus", strict=False, timeout_s=3)
    assert (varied.name, varied.strict, varied.asked_strict, varied.timeout_s) == ("plus", False, False, 3)
    assert (add.name, add.strict, add.asked_strict, add.timeout_s) == ("add", True, None, None)
    assert varied(1, 2) == 3
    assert varied.call('{"left": 1}') == Output("2")
    assert repr(varied) == "<Tool plus>"
    assert add.varied().definition["function"] == add.definition["function"]
    with pytest.raises(DefinitionError, match="'a b' cannot be a tool's name"):
        add.varied(name="a b")
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(varied)
