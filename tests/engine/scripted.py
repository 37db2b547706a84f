"""A model that says what a test of the engine tells it to, delta by delta, and its last script for ever.

Tests of what is above the engine use `toolkit.testing.ScriptedModel`, as users do.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.engine.model import Delta, Ended, ModelCall, ModelError, ModelRequest, Usage
from toolkit.testing.turns import USAGE, deltas

__all__ = ["Script", "Scripted", "answer", "ask", "asked"]

Script = Sequence[Delta | ModelError | float]
"""One completion: deltas, seconds to wait, an error to raise. One without an `Ended` breaks off."""


def answer(*pieces: str, reason: Any = "stop", usage: Usage | None = USAGE) -> Script:
    """Say something."""
    return list(deltas([*pieces, Ended(reason, usage=usage)]))


def ask(*calls: ModelCall, say: Sequence[str] = (), usage: Usage | None = USAGE) -> Script:
    """Call functions, arguments in two pieces, after saying something."""
    return list(deltas([*say, *calls, Ended("stop", usage=usage)]))


def asked(request: ModelRequest) -> list[dict[str, Any]]:
    """Read what the model is sent."""
    return [json.loads(chat) for chat in request.messages]


@dataclass
class Scripted:
    """Plays scripts in turn, the last one for ever; or what a function makes of each request."""

    scripts: Sequence[Script] | Callable[[ModelRequest], Script]
    requests: list[ModelRequest] = field(default_factory=list[ModelRequest])
    aborted: int = 0

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        number = len(self.requests)
        self.requests.append(request)
        script = self.scripts(request) if callable(self.scripts) else self.scripts[min(number, len(self.scripts) - 1)]
        try:
            for one in script:
                if isinstance(one, ModelError):
                    raise one
                if isinstance(one, (int, float)):
                    await asyncio.sleep(one)
                else:
                    yield one
        except (asyncio.CancelledError, GeneratorExit):
            self.aborted += 1
            raise

    async def names(self) -> Sequence[str]:
        return ["scripted"]

    async def aclose(self) -> None:
        pass
