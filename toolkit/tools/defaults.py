"""What a toolset says for those of its tools that say nothing themselves."""

from __future__ import annotations

from typing import Any, TypedDict

from toolkit.errors import DefinitionError
from toolkit.tools.checks import checked_timeout
from toolkit.tools.output import LEAST_OUTPUT_BYTES, MAX_OUTPUT_BYTES
from toolkit.tools.terms import Lane
from toolkit.tools.tool import Tool

__all__ = ["Defaults", "ToolsetOptions"]


class ToolsetOptions(TypedDict, total=False):
    """The options of a toolset, see `Toolset`."""

    instructions: str
    timeout_s: float | None
    strict: bool | None
    concurrency: int | None
    max_output_bytes: int | None


class Defaults:
    """Time-out, strictness, concurrency and size of outputs, where a tool or an inner toolset has not said them."""

    def __init__(
        self, timeout_s: float | None, strict: bool | None, concurrency: int | None, max_output_bytes: int | None
    ) -> None:
        """Raises DefinitionError for a value that cannot be."""
        self._timeout_s = checked_timeout("Toolset", timeout_s)
        self._strict = strict
        self._lane = None if concurrency is None else Lane(_whole("concurrency", concurrency, 1))
        least = LEAST_OUTPUT_BYTES
        self._bytes = None if max_output_bytes is None else _whole("max_output_bytes", max_output_bytes, least)

    def applied(self, tool: Tool[..., Any]) -> Tool[..., Any]:
        """Give the tool with what it lacked; the very same one when it lacks nothing."""
        terms = tool.terms
        if self._lane is not None and terms.lane is None:
            terms = terms._replace(lane=self._lane)
        if self._bytes is not None and terms.max_output_bytes == MAX_OUTPUT_BYTES:
            terms = terms._replace(max_output_bytes=self._bytes)
        timeout_s = self._timeout_s if tool.timeout_s is None else tool.timeout_s
        strict = self._strict if tool.asked_strict is None else tool.asked_strict
        if (terms, timeout_s, strict) == (tool.terms, tool.timeout_s, tool.asked_strict):
            return tool
        return tool.varied(terms=terms, timeout_s=timeout_s, strict=strict)


def _whole(name: str, value: object, least: int) -> int:
    if not (isinstance(value, int) and value >= least):
        raise DefinitionError(f"{name}={value!r}: give a number from {least} on")
    return value
