"""A run that we leave as it is, as something that can be stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.tools.calls import Call

__all__ = ["Pending"]


@dataclass(frozen=True, slots=True)
class Pending:
    """A run to go on with, and the calls in it that somebody must decide on first; `resume` takes it.

    None of the turn's calls has been made. Store `to_json()` and read it with `from_json`, also in another process.
    `resume` reads the calls from the server again, and makes none but these, with exactly these arguments.
    """

    run_id: str
    thread_id: str
    calls: tuple[Call, ...] = ()
    """The calls to decide on; empty for a run that only has to be gone on with."""
    expires_at: int | None = None
    """When the run expires, in seconds since 1970; None when that is not known, or past."""
    begun: Mapping[str, int] = field(default_factory=dict[str, int])
    """How often calls had begun whose end nobody knows, by id (see `CallsUnknown`)."""
    state: Mapping[str, Any] | None = None
    """The run itself, where no server keeps it: its conversation so far and what the model is asked with."""

    @property
    def hash(self) -> str:
        """SHA-256 of the run and its calls, as 64 hexadecimal digits: the same for the same question only."""
        calls = [[call.id, call.name, call.arguments, self.begun.get(call.id, 0)] for call in self.calls]
        what = [self.run_id, self.thread_id, calls, *([] if self.state is None else [self.state])]
        return hashlib.sha256(json.dumps(what).encode("ascii")).hexdigest()

    def to_json(self) -> str:
        """Write it as a JSON object; `calls` has `id`, `name` and the exact `arguments`, which are JSON text."""
        calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in self.calls]
        said = {"run_id": self.run_id, "thread_id": self.thread_id, "calls": calls, "expires_at": self.expires_at}
        state = {} if self.state is None else {"state": self.state}
        return json.dumps({**said, "begun": dict(self.begun), **state, "hash": self.hash})

    @classmethod
    def from_json(cls, text: str) -> Pending:
        """Read what `to_json` wrote. Raises ValueError for anything else, and for calls that were changed."""
        try:
            said: dict[str, Any] = json.loads(text)
            calls = tuple(Call(one["id"], one["name"], one["arguments"]) for one in said["calls"])
            begun, state = said["begun"], said.get("state")
            pending = cls(said["run_id"], said["thread_id"], calls, said["expires_at"], begun, state)
            same = pending.hash == said["hash"]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError("This is not what Pending.to_json() writes.") from error
        if not same:
            raise ValueError("This Pending was changed: its calls are not those of its hash.")
        return pending
