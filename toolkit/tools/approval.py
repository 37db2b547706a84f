"""Which calls a person must approve: all of a tool, or those of which a function of the arguments says so."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from toolkit.errors import DefinitionError
from toolkit.tools.signature import named

__all__ = ["ApprovalRule", "asks_for", "checked_rule"]

ApprovalRule = bool | Callable[..., bool]
"""`True`, `False`, or a function of some of the tool's own arguments, such as `lambda amount: amount > 100`."""


def checked_rule(tool: str, function: Callable[..., object], rule: ApprovalRule) -> ApprovalRule:
    """Give the rule as it is. Raises DefinitionError for one that could not be asked, saying what to write."""
    if isinstance(rule, bool):
        return rule
    if not callable(rule):  # pyright: ignore[reportUnnecessaryComparison]  # callers without types
        raise DefinitionError(f"{tool}: approve={rule!r} must be True, False or a function of the arguments")
    if inspect.iscoroutinefunction(rule):
        raise DefinitionError(f"{tool}: approve= takes a plain function: an async one would have no answer yet")
    known = _parameters(function)
    needed = [name for name, has_default in _named(rule).items() if not has_default]
    unknown = [name for name in needed if name not in known] if known is not None else []
    if unknown:
        raise DefinitionError(f"{tool}: approve= names {', '.join(unknown)}, which {tool} does not have")
    return rule


def asks_for(
    tool: str,
    function: Callable[..., object],
    rule: Callable[..., bool],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
) -> bool:
    """Ask a rule about the checked arguments of a call. One that fails has not said no: the call needs approval."""
    given = named(function, args, kwargs)
    if not _takes_all(rule):
        given = {name: given[name] for name in _named(rule) if name in given}
    try:
        return bool(rule(**given))
    except Exception as error:
        import logging  # here, since defining a tool is to stay cheap

        text = "tool %s: its approve= raised %s, so the call needs approval"
        logging.getLogger("toolkit.tools").warning(text, tool, type(error).__name__)
        return True


def _parameters(function: Callable[..., object]) -> Mapping[str, Any] | None:
    """Give the parameters by name; None where every name is one, or none can be known."""
    try:
        found = inspect.signature(function).parameters
    except (ValueError, TypeError):
        return None
    return None if any(each.kind is each.VAR_KEYWORD for each in found.values()) else found


def _named(rule: Callable[..., object]) -> dict[str, bool]:
    """Give the names that a rule asks for, and whether it can do without each."""
    parameters = inspect.signature(rule).parameters.values()
    return {
        each.name: each.default is not each.empty
        for each in parameters
        if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    }


def _takes_all(rule: Callable[..., object]) -> bool:
    return any(each.kind is each.VAR_KEYWORD for each in inspect.signature(rule).parameters.values())
