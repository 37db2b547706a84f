"""A run sees those tools alone whose filters let it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.calls import Call
from toolkit.tools.context import RunContext
from toolkit.tools.dispatch import adispatch, dispatch
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset


@dataclass
class User:
    is_admin: bool


@tool
def read(name: str) -> str:
    return f"note {name}"


@tool
async def delete(name: str) -> str:
    return f"deleted {name}"


def for_admins(ctx: RunContext[User]) -> bool:
    return ctx.deps.is_admin


TOOLS = Toolset(read) + Toolset(delete).filtered(for_admins)
CALL = Call("call_1", "delete", '{"name": "a"}')


def told(tools: Toolset, deps: object) -> list[str]:
    """What a model is told of the call, blocking and awaiting."""

    async def awaiting() -> list[str]:
        return [done.output.content async for _, done in adispatch(tools, [CALL], deps=deps, timeout_s=5)]

    blocking = [done.output.content for _, done in dispatch(tools, [CALL], deps=deps)]
    assert asyncio.run(awaiting()) == blocking
    return blocking


def test_a_hidden_tool_is_as_if_it_were_not_there() -> None:
    assert told(TOOLS, User(is_admin=True)) == ["deleted a"]
    assert told(TOOLS, User(is_admin=False)) == ["There is no tool 'delete'. The tools are: read."]


def test_what_a_run_sees() -> None:
    assert list(TOOLS) == ["read", "delete"]
    assert list(TOOLS.visible(User(is_admin=True))) == ["read", "delete"]
    assert TOOLS.visible(User(is_admin=False)).definitions == [read.definition]
    plain = Toolset(read)
    assert plain.visible(None) is plain


def test_filters_add_up() -> None:
    tools = Toolset(read, delete).filtered(lambda ctx: "a" in ctx.deps).filtered(lambda ctx: "b" in ctx.deps)
    assert [list(tools.visible(deps)) for deps in ("a", "b", "ab")] == [[], [], ["read", "delete"]]


def test_a_filter_is_asked_by_the_name_that_it_knows() -> None:
    tools = Toolset(read, delete).filtered(lambda ctx: ctx.tool != "delete").prefixed("notes_")
    assert list(tools.visible()) == ["notes_read"]


def test_a_filter_knows_the_run() -> None:
    seen: list[RunContext[Any]] = []

    def note(ctx: RunContext[Any]) -> bool:
        seen.append(ctx)
        return True

    list(dispatch(Toolset(delete).filtered(note), [CALL], deps=7, run_id="run_1", thread_id="thread_1"))
    assert seen == [RunContext(7, "", "delete", "run_1", "thread_1")]


def test_a_filter_that_raises_hides_its_tool_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert told(TOOLS, None) == ["There is no tool 'delete'. The tools are: read."]
    assert "AttributeError" in caplog.text


def test_a_filter_that_nobody_awaits_hides_its_tool() -> None:
    async def yes(ctx: RunContext[Any]) -> bool:
        return True

    class Yes:
        async def __call__(self, ctx: RunContext[Any]) -> bool:
            return True

    with pytest.raises(DefinitionError, match="a filter must be a sync function"):
        Toolset(delete).filtered(yes)  # type: ignore[arg-type]  # the point of the test
    ready: asyncio.Future[bool] = asyncio.Future(loop=asyncio.new_event_loop())
    ready.get_loop().close()
    assert told(Toolset(delete).filtered(lambda ctx: ready), None) == [  # type: ignore[arg-type, return-value]
        "There is no tool 'delete'. The tools are: none."
    ]


def test_a_filter_that_cannot_be_called_is_said_where_it_is_put() -> None:
    with pytest.raises(DefinitionError, match=r"filtered\(\) takes a function of the context, not True"):
        Toolset(read).filtered(True)  # type: ignore[arg-type]
