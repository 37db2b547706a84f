"""Which calls need approval: all, none, or what a function of the checked arguments says."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.context import RunContext
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset


def transfer(to: str, amount: float = 5.0, *, on: date | None = None) -> str:
    """Transfer money."""
    return to


def asks(rule: Any, arguments: str, function: Any = transfer, context: Any = None) -> bool:
    return tool(approve=rule)(function).needs_approval(arguments, context)


def test_all_and_none() -> None:
    assert asks(True, '{"to": "Ada"}')
    assert not asks(False, '{"to": "Ada"}')
    assert not tool(transfer).needs_approval('{"to": "Ada"}')


@pytest.mark.parametrize(
    ("rule", "arguments", "needs"),
    [
        (lambda amount: amount > 100, '{"to": "Ada", "amount": 101}', True),
        (lambda amount: amount > 100, '{"to": "Ada", "amount": 100}', False),
        (lambda amount: amount > 100, '{"to": "Ada"}', False),  # the default
        (lambda amount: amount > 100, '{"to": "Ada", "amount": null}', False),  # null is the default
        (lambda to: to == "Ada", '{"to": "Ada"}', True),
        (lambda on: isinstance(on, date), '{"to": "Ada", "on": "2026-01-01"}', True),  # typed, not text
        (lambda to, amount: (to, amount) == ("Ada", 1.0), '{"to": "Ada", "amount": 1}', True),
        (lambda **all: sorted(all) == ["amount", "on", "to"], '{"to": "Ada"}', True),
        (lambda amount, limit=3: amount > limit, '{"to": "Ada", "amount": 4}', True),
        (lambda: True, '{"to": "Ada"}', True),
        (lambda *, amount: amount, '{"to": "Ada", "amount": 0}', False),
    ],
)
def test_a_function_of_the_arguments(rule: Any, arguments: str, needs: bool) -> None:
    assert asks(rule, arguments) is needs


@pytest.mark.parametrize("arguments", ["{", "{}", '{"to": 1}', '{"to": "Ada", "sum": 1}'])
def test_nobody_is_asked_about_a_call_that_cannot_be_made(arguments: str) -> None:
    assert not asks(True, arguments)
    assert not asks(lambda to: True, arguments)


def test_a_function_that_fails_has_not_said_no(caplog: pytest.LogCaptureFixture) -> None:
    def rule(to: str) -> bool:
        raise LookupError(f"secret of {to}")

    assert asks(rule, '{"to": "Ada"}')
    assert "LookupError" in caplog.text
    assert "secret" not in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_the_context_and_further_names() -> None:
    def send(ctx: RunContext[set[str]], to: str, **more: int) -> None:
        """Send."""

    context = RunContext({"Ada"}, "c", "send", "r", "t")
    assert asks(lambda ctx, to: to not in ctx.deps, '{"to": "Bob"}', send, context)
    assert not asks(lambda ctx, to: to not in ctx.deps, '{"to": "Ada"}', send, context)
    assert asks(lambda size: size > 1, '{"to": "Ada", "size": 2}', send, context)


def test_arguments_by_position() -> None:
    def put(key: str, /, *values: int) -> None:
        """Put."""

    assert asks(lambda key, values: key == "a" and values == (1, 2), '{"key": "a", "values": [1, 2]}', put)


def test_a_method_keeps_its_rule_and_policies() -> None:
    class Account:
        def __init__(self, limit: int) -> None:
            self.limit = limit

        @tool(approve=lambda amount: amount > 10, read_only=True, idempotent=True)
        def pay(self, amount: int) -> int:
            """Pay."""
            return amount

    pay = Toolset(Account(1).pay)["pay"]
    assert pay.needs_approval('{"amount": 11}')
    assert not pay.needs_approval('{"amount": 1}')
    assert (pay.read_only, pay.idempotent) == (True, True)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (lambda amuont: True, "names amuont, which transfer does not have"),
        ("yes", "'yes' must be True, False or a function"),
        (None, "None must be True"),
    ],
)
def test_rules_that_cannot_be_asked_are_refused_where_they_are_written(rule: Any, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        tool(approve=rule)(transfer)


def test_an_async_rule_is_refused() -> None:
    async def rule(to: str) -> bool:
        return True

    with pytest.raises(DefinitionError, match="plain function"):
        tool(approve=rule)(transfer)  # type: ignore[arg-type]  # that is the mistake


def test_the_policies_of_a_plain_tool() -> None:
    plain = tool(transfer)
    assert (plain.approve, plain.read_only, plain.idempotent) == (False, False, False)


def test_the_call_itself_is_not_held_up() -> None:
    assert tool(approve=True)(transfer)("Ada") == "Ada"
    assert tool(approve=True)(transfer).call('{"to": "Ada"}').content == "Ada"
