"""What a model endpoint is asked: the body of a request, and what of it can be left out. No I/O.

Servers differ in which members they take, and most refuse the others by name. Three can be done without: whether usage
is told, how many tokens at most, and whether calls may be parallel (which the engine sees to itself).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from toolkit.engine.jsontext import dump
from toolkit.engine.model import ModelRequest

__all__ = ["body_of", "is_about_value", "leave_out", "members_of", "named_in"]

_OPTIONAL: Final = ("stream_options", "max_completion_tokens", "max_tokens", "parallel_tool_calls")
_ABOUT_VALUE: Final = re.compile(
    r"too (large|high|big)|at most|less than|greater|exceed|must be|maximum|minimum", re.IGNORECASE
)


def members_of(request: ModelRequest) -> dict[str, Any]:
    """Give the members of the request's body but for messages and tools, which are JSON text already."""
    return {"stream": True, "stream_options": {"include_usage": True}, **request.options}


def body_of(request: ModelRequest, members: Mapping[str, Any]) -> bytes:
    """Write the whole body."""
    tools = f',"tools":{request.tools}' if request.tools else ""
    messages = ",".join(request.messages)
    head = dump({"model": request.model, **members})[:-1]
    return f'{head}{tools},"messages":[{messages}]}}'.encode(errors="replace")


def named_in(status: int, said: bytes, members: Mapping[str, Any]) -> frozenset[str]:
    """Give the members that a refusal names and that can be left out."""
    if status not in (400, 422):
        return frozenset()
    words = re.findall(r"[a-z_]+", said.decode(errors="replace"))
    return frozenset(_OPTIONAL).intersection(members, words)


def is_about_value(said: bytes) -> bool:
    """Whether a refusal is about a member's value: the next request may bear it with another."""
    return bool(_ABOUT_VALUE.search(said.decode(errors="replace")))


def leave_out(members: dict[str, Any], names: Collection[str], *, rename: bool = True) -> None:
    """Take members out. A bound on tokens goes by its older name then, since most servers know one of the two."""
    for name in _OPTIONAL:
        if name in names and name in members:
            value = members.pop(name)
            if rename and name == "max_completion_tokens":
                members["max_tokens"] = value
