"""A model that says what a test tells it to: a real implementation of the seam."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.engine.model import CallBegan, CallPiece, Delta, Ended, ModelCall, ModelError, ModelRequest, Text, Usage

__all__ = ["Script", "Scripted", "answer", "ask", "asked"]

Script = Sequence[Delta | ModelError | float]
"""One completion: deltas, seconds to wait, an error to raise. One without an `Ended` breaks off."""

USAGE = Usage(10, 5)


def answer(*pieces: str, reason: Any = "stop", usage: Usage | None = USAGE) -> Script:
    """Say something."""
    chat = json.dumps({"role": "assistant", "content": "".join(pieces)})
    return [*map(Text, pieces), Ended(reason, (), chat, usage)]


def ask(*calls: ModelCall, say: Sequence[str] = (), usage: Usage | None = USAGE) -> Script:
    """Call functions, arguments in two pieces, after saying something."""
    deltas: list[Delta] = list(map(Text, say))
    for index, call in enumerate(calls):
        half = len(call.arguments) // 2
        pieces = [piece for piece in (call.arguments[:half], call.arguments[half:]) if piece]
        deltas += [CallBegan(index, call.id, call.name), *(CallPiece(index, piece) for piece in pieces)]
    shown = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]
    chat = json.dumps({"role": "assistant", "content": "".join(say) or None, "tool_calls": shown})
    return [*deltas, Ended("stop", calls, chat, usage)]


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
