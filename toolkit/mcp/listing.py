"""What an MCP server lists becomes a toolset: names that models may call, schemas as they are, hints."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from toolkit.assistants.limits import MOST_TOOLS
from toolkit.errors import DefinitionError
from toolkit.tools.tool import Tool
from toolkit.tools.toolset import Toolset

if TYPE_CHECKING:
    from mcp.types import Tool as Listed

__all__ = ["Choice", "toolset"]

CallOf = Callable[[str, Mapping[str, Any]], Awaitable[object]]
"""Calls the server's tool of a name."""
LONGEST = 64


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a server's tools is taken, and how."""

    only: Collection[str] | None = None
    """The tools to take, by the server's own names; None for all."""
    prefix: str = ""
    """What to put before every name."""
    approve: bool | Collection[str] = False
    """Whether a person must approve calls: of all tools, of none, or of those named."""


def toolset(server: str, listed: Sequence[Listed], choice: Choice, call: CallOf, instructions: str = "") -> Toolset:
    """Make the toolset; `server` is its name in messages. Raises DefinitionError."""
    known = {each.name: each for each in listed}
    for name in (*(choice.only or ()), *(choice.approve if not isinstance(choice.approve, bool) else ())):
        if name not in known:
            raise DefinitionError(f"{server} has no tool {name!r}; it has {', '.join(known) or 'none'}")
    taken = [each for name, each in known.items() if choice.only is None or name in choice.only]
    if len(taken) > MOST_TOOLS:
        raise DefinitionError(
            f"{server} has {len(taken)} tools, and an assistant may have {MOST_TOOLS}: say which, only=[...]"
        )
    names = _names([each.name for each in taken], choice.prefix)
    tools = [_tool(each, name, choice, call) for each, name in zip(taken, names, strict=True)]
    return Toolset(*tools, instructions=instructions)


def _tool(listed: Listed, name: str, choice: Choice, call: CallOf) -> Tool[..., Any]:
    theirs = listed.name
    hints = listed.annotations

    async def function(**arguments: Any) -> object:
        return await call(theirs, arguments)

    return Tool.from_schema(
        function,
        listed.input_schema,
        name=name,
        description=listed.description or listed.title or (hints.title if hints else None) or "",
        approve=choice.approve if isinstance(choice.approve, bool) else theirs in choice.approve,
        read_only=bool(hints and hints.read_only_hint),
        idempotent=bool(hints and hints.idempotent_hint),
    )


def _names(theirs: Sequence[str], prefix: str) -> list[str]:
    """Give names that models may call, each its own: MCP takes dots, slashes and more characters."""
    names: dict[str, None] = {}
    for name in theirs:
        said = prefix + re.sub(r"[^A-Za-z0-9_-]", "_", name)
        if len(said) > LONGEST or said in names:
            said = f"{said[: LONGEST - 9]}_{sha256(name.encode()).hexdigest()[:8]}"
        names[said] = None
    return list(names)
