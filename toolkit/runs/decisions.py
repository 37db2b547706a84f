"""What a person decides on a call before it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from toolkit.tools.calls import Call

__all__ = ["Approve", "Decision", "Deny", "decided"]


@dataclass(frozen=True, slots=True)
class Approve:
    """Let a call be made; with `arguments`, in place of the model's. They are checked, and the model is told of them.

    `True` says the same as `Approve()`.
    """

    arguments: Mapping[str, Any] | str | None = None
    """All arguments, by name or as JSON text; None for those that the model gave."""

    def made(self, call: Call) -> Call:
        """The call as it is to be made."""
        if self.arguments is None:
            return call
        text = self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)
        return replace(call, arguments=text)


@dataclass(frozen=True, slots=True)
class Deny:
    """Do not let a call be made; the model is told so, and the reason. `False` says the same as `Deny()`."""

    reason: str = ""


Decision = Approve | Deny


def decided(value: object, call: Call) -> Decision:
    """Read a decision. Raises TypeError for what decides nothing, None above all: it never lets a call be made."""
    if isinstance(value, bool):
        return Approve() if value else Deny()
    if isinstance(value, Approve | Deny):
        return value
    given = f"{value!r} decides nothing on the call of {call.name} ({call.id})"
    raise TypeError(f"{given}: give True, False, Approve(arguments={{...}}) or Deny(reason)")
