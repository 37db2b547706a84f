"""Look at every call before it is made: `tools.guarded(check)`.

A guard gets the call's context and its checked arguments by name, defaults included. It lets the call through by
returning nothing or True, and refuses it by raising ToolError, whose text the model reads, or by returning anything
else.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from toolkit.errors import DefinitionError, ToolError
from toolkit.tools.context import RunContext
from toolkit.tools.signature import named
from toolkit.tools.terms import Guard

if TYPE_CHECKING:
    from toolkit.tools.tool import Tool

__all__ = ["call_guarded", "guarded"]


def guarded(tool: Tool[..., Any], guard: Guard) -> Tool[..., Any]:
    """Put a guard before the tool, outside of those it has; it is asked by the name that the tool has now.

    Raises DefinitionError for what is no function, and for an async guard before a sync tool, which has nothing to
    await it with.
    """
    if not callable(guard):  # pyright: ignore[reportUnnecessaryComparison]  # callers without types
        raise DefinitionError(f"guarded() takes a function of the context and the arguments, not {guard!r}")
    if inspect.iscoroutinefunction(guard) and not tool.is_async:
        raise DefinitionError(f"{tool.name} is a sync tool: its guard must be a sync function too")
    name = tool.name

    def check(context: RunContext[Any], arguments: Mapping[str, Any]) -> object:
        return guard(replace(context, tool=name), arguments)

    return tool.varied(terms=tool.terms._replace(guards=(check, *tool.terms.guards)))


def call_guarded(
    tool: Tool[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    context: RunContext[Any] | None,
    hidden: str | None,
) -> object:
    """Ask the guards, the outermost first, and make the call; of an async tool, a coroutine that does so.

    `hidden` is the parameter that takes the context, which is no argument of the model's. Raises ToolError for a call
    that is refused, DefinitionError where a guard has no context to look at.
    """
    if context is None:
        raise DefinitionError(f"{tool.name} is guarded: hand it a RunContext, call(arguments, RunContext(...))")
    function: Callable[..., object] = tool.function
    arguments = {name: value for name, value in named(function, args, kwargs).items() if name != hidden}
    verdicts = (guard(context, arguments) for guard in tool.terms.guards)
    if tool.is_async:
        return _acall_guarded(tool.name, verdicts, function, args, kwargs)
    for verdict in verdicts:
        _heed(tool.name, verdict)
    return function(*args, **kwargs)


async def _acall_guarded(
    name: str,
    verdicts: Iterator[object],
    function: Callable[..., object],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> object:
    for verdict in verdicts:
        _heed(name, await verdict if inspect.isawaitable(verdict) else verdict)
    return await cast("Awaitable[object]", function(*args, **kwargs))


def _heed(name: str, verdict: object) -> None:
    if verdict is not None and verdict is not True:
        if inspect.iscoroutine(verdict):
            verdict.close()
            raise DefinitionError(f"{name} is a sync tool: its guard must be a sync function too")
        raise ToolError(f"This call of {name} is not allowed.")
