"""Only type-checked, by mypy and pyright: a tool keeps its function's own types, and the wire forms fit the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_type

from openai import AsyncOpenAI, OpenAI
from openai.types.beta import Assistant, FunctionToolParam
from openai.types.responses import FunctionToolParam as FlatFunctionToolParam

from toolkit import Plan
from toolkit.tools.context import RunContext
from toolkit.tools.dispatch import adispatch, dispatch
from toolkit.tools.output import Output
from toolkit.tools.tool import Tool, tool
from toolkit.tools.toolset import Toolset


@tool
def add(left: int, right: int = 1) -> int:
    return left + right


@tool(name="later", timeout_s=2, strict=True)
async def aadd(left: int, *, right: int) -> str:
    return str(left + right)


@tool
def about(context: RunContext[dict[str, int]], name: str) -> int:
    return context.deps[name]


class Notes:
    @tool
    def read(self, name: str) -> str:
        return name

    @tool(strict=False)
    async def aread(self, name: str) -> bytes:
        return name.encode()

    @tool
    @staticmethod
    def double(number: int) -> float:
        return number * 2

    @tool(name="twice")
    @staticmethod
    def twice(number: int) -> float:
        return number * 2

    @classmethod
    @tool
    def count(cls, kind: str) -> int:
        return len(kind)


async def functions() -> None:
    assert_type(await aadd(1, right=2), str)
    assert_type(add(1), int)
    assert_type(add(left=1, right=2), int)
    assert_type(about(RunContext({"a": 1}, "", "", "", ""), "a"), int)
    add("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the function's own types hold
    add(1, up=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - and its names
    whole: Callable[[int, int], int] = add
    some: Tool[..., Any] = add
    _ = (whole, some)


async def methods(notes: Notes) -> None:
    assert_type(notes.read("a"), str)
    assert_type(notes.read(name="a"), str)
    assert_type(await notes.aread("a"), bytes)
    assert_type(notes.read.call("{}"), Output)
    notes.read(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - bound, and its types still hold
    assert_type(Notes.read(notes, "a"), str)
    assert_type(Notes.double(1), float)
    assert_type(Notes.twice(1), float)
    assert_type(notes.count("a"), int)


def answers() -> None:
    assert_type(add.call("{}"), Output)
    assert_type(add.name, str)
    assert_type(add.strict, bool)
    assert_type(add.definition, FunctionToolParam)
    assert_type(add.flat_definition, FlatFunctionToolParam)


def sets(client: OpenAI, notes: Notes) -> None:
    tools = Toolset(add, aadd, notes.read, len, max_output_bytes=1000)
    assert_type(tools["add"], Tool[..., Any])
    assert_type(tools.definitions, list[FunctionToolParam])
    client.responses.create(model="m", input="i", tools=tools.flat_definitions)
    client.chat.completions.create(model="m", messages=[], tools=tools.definitions)
    Toolset("add")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a name is no tool


def composed(tools: Toolset, notes: Notes) -> None:
    def known(ctx: RunContext[dict[str, int]]) -> bool:
        return ctx.tool in ctx.deps

    def modest(ctx: RunContext[dict[str, int]], arguments: Mapping[str, Any]) -> bool | None:
        return arguments["left"] < ctx.deps["most"] or None

    made = tools + Toolset.of(notes, timeout_s=3, concurrency=1, instructions="Be short.")
    assert_type(made, Toolset)
    assert_type(made.only("add").without("add").prefixed("x_").renamed({"a": "b"}), Toolset)
    assert_type(made.filtered(known).guarded(modest).visible({"a": 1}), Toolset)
    assert_type(made.instructions, str)
    for finding in made.lint():
        assert_type(finding.tool, str)
    made.filtered(lambda ctx: "yes")  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType] - a filter says yes or no
    Toolset.of(notes, concurency=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - options are checked


async def registered(tools: Toolset, client: OpenAI, aclient: AsyncOpenAI) -> None:
    assert_type(tools.register(client, name="a", model="m", temperature=0.5), Assistant)
    assert_type(await tools.register(aclient, assistant_id="a", overwrite=True), Assistant)
    plan = tools.plan(client, name="a")
    assert_type(plan, Plan)
    assert_type(await tools.plan(aclient, name="a"), Plan)
    assert_type(plan.apply(client), Assistant)
    assert_type(await plan.apply(aclient), Assistant)
    assert_type(tools.check(client, name="a", metadata={"a": "b"}), Assistant)
    assert_type(await tools.check(aclient, name="a", response_format="auto"), Assistant)
    assert_type(plan.changes[0].what, str)
    tools.register(client, nmae="a")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue] - options are checked


async def turns(tools: Toolset) -> None:
    for position, finished in dispatch(tools, [], retries_left={"add": 2}):
        assert_type(position, int)
        assert_type(finished.output, Output)
    async for _, finished in adispatch(tools, []):
        assert_type(finished.error, BaseException | None)
