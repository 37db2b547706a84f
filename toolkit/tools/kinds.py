"""What kind of function a tool is made of: whether it is awaited, and whether it still waits for its `self`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

__all__ = ["awaits_binding", "innermost", "is_async", "is_async_generator"]


def innermost(function: Callable[..., object]) -> Callable[..., object]:
    """Give the function that partials are made of."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def is_async(function: Callable[..., object]) -> bool:
    """Say whether a call gives a coroutine; of a callable object, its `__call__` says so."""
    inner = innermost(function)
    if not inspect.isroutine(inner) and not isinstance(inner, type):
        inner = type(inner).__call__
    return inspect.iscoroutinefunction(inner)


def is_async_generator(function: Callable[..., object]) -> bool:
    """Say whether a call gives one value after another, and so no one result."""
    return inspect.isasyncgenfunction(innermost(function))


def awaits_binding(function: Callable[..., object]) -> bool:
    """Say whether a function is a method whose first argument (self, cls) is still to come."""
    holder = str(getattr(function, "__qualname__", "")).rpartition(".")[0]
    if not holder or holder.endswith("<locals>") or not inspect.isfunction(function):
        return False
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and first.annotation is first.empty and first.kind is not first.KEYWORD_ONLY
