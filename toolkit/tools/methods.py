"""The tools of an object: those of its class's methods that are marked `@tool`, bound to it and its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolkit.errors import DefinitionError
from toolkit.tools.tool import Tool

__all__ = ["tools_of"]


def tools_of(instance: object) -> list[Callable[..., Any]]:
    """Give the tools of an object, those of base classes first, each class's in the order written.

    A method that overrides a tool is one where it is marked so itself. Raises DefinitionError for a class, and for an
    object without tools.
    """
    if isinstance(instance, type):
        raise DefinitionError(f"Toolset.of takes an object, not the class: write Toolset.of({instance.__name__}(...))")
    kind = type(instance)
    names = dict.fromkeys(name for each in reversed(kind.__mro__) for name in vars(each))
    found: list[Callable[..., Any]] = [getattr(instance, name) for name in names if _is_tool(kind, name)]
    if not found:
        raise DefinitionError(f"{kind.__qualname__} has no tools: mark its methods with @tool")
    return found


def _is_tool(kind: type, name: str) -> bool:
    """Look at what the class holds: reading an attribute, a property say, may do anything."""
    held = next(vars(each)[name] for each in kind.__mro__ if name in vars(each))
    return isinstance(getattr(held, "__func__", held), Tool)  # of a class or static method, what it holds
