"""A toolset is a frozen mapping of tools, right from the moment it is made."""

from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import DefinitionError
from toolkit.tools.calls import Call
from toolkit.tools.context import RunContext
from toolkit.tools.dispatch import dispatch
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
        (lambda: Toolset(Toolset(add)), "write Toolset\\(\\*tools.values\\(\\)\\), or add toolsets up"),  # type: ignore[arg-type]
        (lambda: Toolset({"add": add}), "write Toolset\\(\\*tools.values\\(\\)\\)"),  # type: ignore[arg-type]
        (lambda: Toolset(None), "not None"),
        (lambda: Toolset(Notes), "Notes is a class with tools: write Toolset.of\\(Notes\\(...\\)\\)"),
        (lambda: Toolset(Notes()), "or Toolset.of\\(my_object\\) for the tools of an object"),  # type: ignore[arg-type]
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


def plus(name: str) -> Tool[..., Any]:
    """A tool that says its first name, whatever it is called later."""

    def say(text: str) -> str:
        return name + text

    return tool(name=name)(say)


def test_two_toolsets_become_one() -> None:
    tools = Toolset(add) + Toolset(wait)
    assert list(tools) == ["add", "wait"]
    shared = Toolset(wait)
    assert list(shared + Toolset(wait) + tools) == ["wait", "add"]
    assert list(sum([Toolset(add), shared], Toolset())) == ["add", "wait"]
    with pytest.raises(DefinitionError, match=r'both toolsets have wait: write \.prefixed\("\.\.\."\)'):
        Toolset(wait) + Toolset(tool(name="wait")(add))
    with pytest.raises(TypeError, match="unsupported operand"):
        Toolset(add) + {"wait": wait}  # type: ignore[operator]  # the point of the test


def test_a_part_of_a_toolset() -> None:
    tools = Toolset(add, wait)
    assert list(tools.only("wait", "add")) == ["add", "wait"]
    assert list(tools.without("add")) == ["wait"]
    assert tools.only("wait")["wait"] is wait
    assert (list(tools.only()), list(tools.without("add", "wait"))) == ([], [])


def test_other_names() -> None:
    tools = Toolset(add, wait).renamed({"add": "wait", "wait": "add"})
    assert list(tools) == ["wait", "add"]
    assert tools["wait"].call('{"left": 1, "right": 2}') == Output("3")
    assert [each["function"]["name"] for each in tools.definitions] == ["wait", "add"]
    assert [each["name"] for each in tools.flat_definitions] == ["wait", "add"]
    assert (wait.name, wait.definition["function"]["name"]) == ("wait", "wait")
    assert list(tools.prefixed("x-")) == ["x-wait", "x-add"]
    assert "parameters" in tools["wait"].call("{}").content or "left" in tools["wait"].call("{}").content


def test_the_context_tells_the_name_the_model_used() -> None:
    @tool
    def named(ctx: RunContext[None]) -> str:
        return ctx.tool

    [(_, done)] = dispatch(Toolset(named).prefixed("x_"), [Call("call_1", "x_named", "{}")])
    assert done.output == Output("x_named")


@pytest.mark.parametrize(
    ("vary", "told"),
    [
        (lambda tools: tools.only("ad"), "there is no tool 'ad' in this toolset; it has add, wait"),
        (lambda tools: tools.without("ad"), "there is no tool 'ad'"),
        (lambda tools: tools.renamed({"ad": "plus"}), "there is no tool 'ad'"),
        (lambda tools: tools.renamed({"add": "wait"}), "two tools are called wait"),
        (lambda tools: tools.renamed({"add": "a b"}), "'a b' cannot be a tool's name"),
        (lambda tools: tools.prefixed("x" * 70), "cannot be a tool's name"),
        (lambda tools: tools.only() .only("add"), "it has none"),
    ],
)  # fmt: skip
def test_a_variation_that_cannot_be(vary: Callable[[Toolset], object], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        vary(Toolset(add, wait))


def test_instructions_go_along() -> None:
    weather = Toolset(add, instructions="Say degrees.")
    notes = Toolset(wait, instructions="Be short.")
    assert (weather + notes).instructions == "Say degrees.\n\nBe short."
    assert (weather + notes.prefixed("x_") + Toolset(instructions="Be short.")).instructions == (
        "Say degrees.\n\nBe short."
    )
    assert weather.without("add").instructions == "Say degrees."
    assert (Toolset() + Toolset()).instructions == ""


NAMES = st.sampled_from(["a", "b", "c", "x_a", "x_b"])
ORIGINS = {name: plus(name) for name in ("a", "b", "c")}


@st.composite
def compositions(draw: st.DrawFn, depth: int = 4) -> tuple[Toolset, dict[str, str], set[str]]:
    """A toolset, whose tool each name must reach, and those that a run without deps does not see."""
    if depth == 0 or draw(st.booleans()):
        names = draw(st.lists(st.sampled_from(sorted(ORIGINS)), unique=True))
        return Toolset(*(ORIGINS[name] for name in names)), {name: name for name in names}, set()
    tools, reach, hidden = draw(compositions(depth=depth - 1))
    some = set(draw(st.lists(st.sampled_from(sorted(reach)), unique=True))) if reach else set()
    match draw(st.sampled_from(["only", "without", "prefixed", "renamed", "filtered", "guarded", "add"])):
        case "only":
            return tools.only(*some), {n: o for n, o in reach.items() if n in some}, hidden & some
        case "without":
            return tools.without(*some), {n: o for n, o in reach.items() if n not in some}, hidden - some
        case "prefixed":
            return tools.prefixed("x_"), {f"x_{n}": o for n, o in reach.items()}, {f"x_{n}" for n in hidden}
        case "renamed":
            order = draw(st.permutations(sorted(some)))
            names = dict(zip(sorted(some), order, strict=True))
            turned = {names.get(n, n): o for n, o in reach.items()}
            return tools.renamed(names), turned, {names.get(n, n) for n in hidden}
        case "filtered":
            return tools.filtered(lambda ctx, some=frozenset(some): ctx.tool not in some), reach, hidden | some
        case "guarded":
            return tools.guarded(lambda ctx, arguments, known=frozenset(reach): ctx.tool in known), reach, hidden
    other, more, out = draw(compositions(depth=depth - 1))
    if any(tools[name] is not other[name] for name in tools.keys() & other.keys()):
        with pytest.raises(DefinitionError, match="both toolsets have"):
            tools + other
        return tools, reach, hidden
    return tools + other, {**reach, **more}, hidden | out


@given(compositions())
def test_whatever_is_made_of_toolsets_each_name_reaches_the_right_function(
    made: tuple[Toolset, dict[str, str], set[str]],
) -> None:
    tools, reach, hidden = made
    assert [*tools] == [*reach] == [each["function"]["name"] for each in tools.definitions]
    assert {*tools.visible()} == {*reach} - hidden
    calls = [Call(name, name, '{"text": "!"}') for name in reach]
    said = {done.call.name: done.output for _, done in dispatch(tools, calls)}
    right: Mapping[str, Output] = {name: Output(f"{origin}!") for name, origin in reach.items() if name not in hidden}
    assert {name: output for name, output in said.items() if output.ok} == right
    assert all(f"There is no tool '{name}'" in said[name].content for name in hidden)
