"""Every call of a guarded tool is looked at first, however the tool is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from toolkit.errors import DefinitionError, ToolError
from toolkit.tools.calls import Call
from toolkit.tools.context import RunContext
from toolkit.tools.dispatch import adispatch, dispatch
from toolkit.tools.output import Output
from toolkit.tools.tool import Tool, tool
from toolkit.tools.toolset import Toolset


class Amount(BaseModel):
    euros: int


@tool
def pay(amount: Amount, to: str = "nobody") -> str:
    return f"{amount.euros} to {to}"


@tool
async def apay(ctx: RunContext[str], amount: Amount, to: str = "nobody") -> str:
    return f"{amount.euros} to {to} by {ctx.deps}"


def modest(ctx: RunContext[Any], arguments: Mapping[str, Any]) -> None:
    if arguments["amount"].euros > 100:
        raise ToolError(f"{ctx.deps} may pay 100 euros at most.")


CONTEXT = RunContext("Ann", call_id="call_1", tool="pay", run_id="run_1", thread_id="thread_1")
LITTLE, MUCH = '{"amount": {"euros": 7}, "to": "Bob"}', '{"amount": {"euros": 700}, "to": null}'


def answers(made: Tool[..., Any], arguments: str) -> Output:
    """Call it in the four ways there are, which must agree."""
    tools, call = Toolset(made), Call("call_1", made.name, arguments)

    async def awaiting() -> list[Output]:
        return [done.output async for _, done in adispatch(tools, [call], deps="Ann")]

    [(_, blocking)] = dispatch(tools, [call], deps="Ann")
    said = [made.call(arguments, CONTEXT), asyncio.run(made.acall(arguments, CONTEXT)), blocking.output]
    assert said == [*asyncio.run(awaiting())] * 3
    return said[0]


def test_a_guard_lets_through_or_refuses() -> None:
    first, second = Toolset(pay, apay).guarded(modest).values()
    assert answers(first, LITTLE) == Output("7 to Bob")
    assert answers(second, LITTLE) == Output("7 to Bob by Ann")
    for made in (first, second):
        assert answers(made, MUCH) == Output("Ann may pay 100 euros at most.", ok=False)


def test_arguments_come_checked_and_by_name_without_the_context() -> None:
    seen: list[Any] = []
    guarded = Toolset(apay).guarded(lambda ctx, arguments: seen.append((ctx, dict(arguments))))
    answers(guarded["apay"], LITTLE)
    assert all(each == {"amount": Amount(euros=7), "to": "Bob"} for _, each in seen)
    assert seen[0][0] == RunContext("Ann", "call_1", "apay", "", "")


def test_defaults_and_further_names_are_there_too() -> None:
    @tool
    def book(day: str, cabin: Annotated[str, Field(default="economy")], /, seats: int = 1, **extras: str) -> str:
        return ""

    seen: list[dict[str, Any]] = []
    guarded = Toolset(book).guarded(lambda ctx, arguments: seen.append(dict(arguments)))
    guarded["book"].call('{"day": "today", "meal": "none"}', CONTEXT)
    assert seen == [{"day": "today", "cabin": "economy", "seats": 1, "meal": "none"}]


def test_wrong_arguments_never_reach_a_guard() -> None:
    guarded = Toolset(pay).guarded(lambda ctx, arguments: pytest.fail("asked"))
    assert "amount" in answers(guarded["pay"], "{}").content


@pytest.mark.parametrize("verdict", [False, 0, "", "no", 1])
def test_any_answer_but_nothing_and_true_refuses(verdict: object) -> None:
    for made in Toolset(pay, apay).guarded(lambda ctx, arguments: verdict).values():
        assert answers(made, LITTLE) == Output(f"This call of {made.name} is not allowed.", ok=False)


def test_true_lets_through() -> None:
    assert answers(Toolset(pay).guarded(lambda ctx, arguments: True)["pay"], LITTLE).ok


def test_what_a_guard_raises_by_accident_is_hidden_and_refuses() -> None:
    def broken(ctx: RunContext[Any], arguments: Mapping[str, Any]) -> None:
        raise OSError("/secret/path")

    assert answers(Toolset(pay).guarded(broken)["pay"], LITTLE) == Output("The tool pay failed.", ok=False)


def test_the_last_guard_put_on_is_asked_first() -> None:
    seen: list[str] = []

    def guard(name: str) -> Any:
        return lambda ctx, arguments: seen.append(f"{name} {ctx.tool}")

    tools = Toolset(pay).guarded(guard("inner")).prefixed("till_").guarded(guard("outer"))
    tools["till_pay"].call(LITTLE, CONTEXT)
    assert seen == ["outer till_pay", "inner pay"]


def test_guards_of_async_tools_may_be_async() -> None:
    async def amodest(ctx: RunContext[Any], arguments: Mapping[str, Any]) -> bool:
        await asyncio.sleep(0)
        return bool(arguments["amount"].euros <= 100)

    guarded = Toolset(apay).guarded(amodest)["apay"]
    assert answers(guarded, LITTLE).ok
    assert answers(guarded, MUCH) == Output("This call of apay is not allowed.", ok=False)
    with pytest.raises(DefinitionError, match="pay is a sync tool: its guard must be a sync function too"):
        Toolset(pay).guarded(amodest)


def test_an_async_guard_that_did_not_look_like_one_refuses_too() -> None:
    class Guard:
        async def __call__(self, ctx: RunContext[Any], arguments: Mapping[str, Any]) -> None:
            pytest.fail("awaited")

    guarded = Toolset(pay).guarded(Guard())
    with pytest.raises(DefinitionError, match="its guard must be a sync function too"):
        guarded["pay"].call(LITTLE, CONTEXT)


def test_a_guard_that_cannot_be_called_is_said_where_it_is_put() -> None:
    with pytest.raises(DefinitionError, match=r"guarded\(\) takes a function of the context and the arguments, not 5"):
        Toolset(pay).guarded(5)  # type: ignore[arg-type]


def test_a_guard_needs_a_context_to_look_at() -> None:
    guarded = Toolset(pay).guarded(modest)["pay"]
    assert guarded.takes_context
    with pytest.raises(DefinitionError, match="pay is guarded: hand it a RunContext"):
        guarded.call(LITTLE)


def test_your_own_code_calls_the_function_itself() -> None:
    assert Toolset(pay).guarded(modest)["pay"](Amount(euros=700)) == "700 to nobody"


def test_methods_are_guarded_with_their_state() -> None:
    class Till:
        def __init__(self) -> None:
            self.euros = 100

        @tool
        def take(self, euros: int, /, *more: int) -> int:
            """Take some out."""
            self.euros -= euros + sum(more)
            return self.euros

    till = Till()

    def enough(ctx: RunContext[Any], arguments: Mapping[str, Any]) -> bool:
        return arguments["euros"] + sum(arguments["more"]) <= till.euros

    guarded = Toolset.of(till).guarded(enough)["take"]
    assert guarded.call('{"euros": 60, "more": [10]}', CONTEXT) == Output("30")
    assert not guarded.call('{"euros": 31, "more": []}', CONTEXT).ok
    assert till.euros == 30
