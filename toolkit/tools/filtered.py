"""Hide tools from some runs: `tools.filtered(lambda ctx: ctx.deps.is_admin)`.

A hidden tool is told of as if it were not there. Filters are asked once a turn, with the run's context; one that raises
hides its tool, and is logged.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit.errors import DefinitionError
from toolkit.tools.context import RunContext
from toolkit.tools.failures import log_failure
from toolkit.tools.terms import Filter

if TYPE_CHECKING:
    from toolkit.tools.tool import Tool

__all__ = ["filtered", "visible"]


def filtered(tool: Tool[..., Any], keep: Filter) -> Tool[..., Any]:
    """Show the tool only to runs for which `keep` holds; it is asked by the name that the tool has now.

    Raises DefinitionError for what is no function, and for an async filter, whose answer nobody would await.
    """
    if not callable(keep):  # pyright: ignore[reportUnnecessaryComparison]  # callers without types
        raise DefinitionError(
            f"filtered() takes a function of the context, not {keep!r}: lambda ctx: ctx.deps.is_admin"
        )
    if inspect.iscoroutinefunction(keep):
        raise DefinitionError("a filter must be a sync function; read what it needs before the run, into deps")
    name = tool.name

    def shows(context: RunContext[Any]) -> bool:
        return keep(replace(context, tool=name))

    return tool.varied(terms=tool.terms._replace(filters=(*tool.terms.filters, shows)))


def visible(tools: Mapping[str, Tool[..., Any]], deps: object, run_id: str, thread_id: str) -> list[Tool[..., Any]]:
    """Give the tools that a run sees."""
    return [tool for name, tool in tools.items() if _is_shown(tool, RunContext(deps, "", name, run_id, thread_id))]


def _is_shown(tool: Tool[..., Any], context: RunContext[Any]) -> bool:
    try:
        return all(_said(shows(context)) for shows in tool.terms.filters)
    except Exception as error:
        log_failure(tool.name, error, run_id=context.run_id, thread_id=context.thread_id)
        return False


def _said(verdict: object) -> bool:
    if inspect.isawaitable(verdict):  # true as an object, whatever it would say
        raise DefinitionError("a filter must be a sync function")
    return bool(verdict)
