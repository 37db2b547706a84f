"""Toolset: the tools an assistant has, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from types import MethodType
from typing import TYPE_CHECKING, Any, cast

from toolkit.errors import DefinitionError
from toolkit.tools.output import LEAST_OUTPUT_BYTES, MAX_OUTPUT_BYTES
from toolkit.tools.tool import Tool

if TYPE_CHECKING:
    from openai.types.beta import FunctionToolParam as NestedDefinition
    from openai.types.responses import FunctionToolParam as FlatDefinition

__all__ = ["MOST_TOOLS", "Toolset"]

MOST_TOOLS = 128
"""CreateAssistantRequest.tools of the API reference, maxItems."""


class Toolset(Mapping[str, Tool[..., Any]]):
    """A frozen mapping of names to tools, in the order given.

    Definitions are built here, so that whatever a model cannot be told is one DefinitionError where the set is made.
    """

    def __init__(
        self, *tools: Tool[..., Any] | Callable[..., object], max_output_bytes: int = MAX_OUTPUT_BYTES
    ) -> None:
        """Take tools and plain functions, which become tools; `max_output_bytes` caps each output, in UTF-8."""
        if not (isinstance(max_output_bytes, int) and max_output_bytes >= LEAST_OUTPUT_BYTES):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
            raise DefinitionError(f"max_output_bytes={max_output_bytes!r}: give a number from {LEAST_OUTPUT_BYTES} on")
        if len(tools) > MOST_TOOLS:
            raise DefinitionError(f"{len(tools)} tools are more than the {MOST_TOOLS} that an assistant may have")
        self.max_output_bytes = max_output_bytes
        self._tools: dict[str, Tool[..., Any]] = {}
        for given in tools:
            tool = _as_tool(given)
            if tool.name in self._tools:
                raise DefinitionError(f'two tools are called {tool.name}: give one another name, @tool(name="...")')
            tool.check()
            self._tools[tool.name] = tool

    def __getitem__(self, name: str) -> Tool[..., Any]:
        return self._tools[name]

    def find(self, name: str) -> Tool[..., Any] | None:
        """Give the tool of that name, None when there is none; faster than Mapping's `get`."""
        return self._tools.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def __repr__(self) -> str:
        return f"Toolset({', '.join(self._tools)})"

    @cached_property
    def definitions(self) -> list[NestedDefinition]:
        """The wire form of Assistants and Chat Completions, for `tools=`. Built once: do not change it."""
        return [tool.definition for tool in self._tools.values()]

    @cached_property
    def flat_definitions(self) -> list[FlatDefinition]:
        """The wire form of Responses. Built once: do not change it."""
        return [tool.flat_definition for tool in self._tools.values()]


def _as_tool(given: object) -> Tool[..., Any]:
    if isinstance(given, Tool):
        return given  # pyright: ignore[reportUnknownVariableType] - a tool of any signature
    if isinstance(given, MethodType):  # `@classmethod` above `@tool`, on Python 3.13 and later
        holder = cast("object", given.__func__)
        if isinstance(holder, Tool):
            return cast("Tool[..., Any]", holder).__get__(given.__self__)
    if callable(given):
        return Tool(given)
    if isinstance(given, Mapping):
        raise DefinitionError("Toolset takes the tools one by one: write Toolset(*tools.values())")
    if isinstance(given, Iterable) and not isinstance(given, str):
        raise DefinitionError("Toolset takes the tools one by one: write Toolset(*tools), or Toolset(first, second)")
    raise DefinitionError(f"Toolset takes functions and tools, not {given!r}: write Toolset(my_function)")
