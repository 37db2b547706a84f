"""A model that does what the question says, so that many engines can share one, each in its own process.

Words of the last user message: `calls=1,2` calls one function in the first turn and two in the second; `wait=0.05`
pauses before the answer; `stall` begins the answer and says no more for a minute. The answer repeats the question.
"""

from __future__ import annotations

import json
import secrets

from tests.engine.scripted import Script, answer, ask, asked
from toolkit.engine.model import ModelCall, ModelRequest, Text

__all__ = ["TOOLS", "obey"]

TOOLS = [{"type": "function", "function": {"name": "look_up"}}]


def obey(request: ModelRequest, *, stalls: bool = True) -> Script:
    """Make a completion out of a request; without `stalls` the word is not heard."""
    chats = asked(request)
    last = max(index for index, chat in enumerate(chats) if chat["role"] == "user")
    question: str = chats[last]["content"]
    words = dict(word.split("=") for word in question.split() if "=" in word)
    turn = sum("tool_calls" in chat for chat in chats[last:])
    turns = [int(count) for count in words["calls"].split(",")] if "calls" in words else []
    if turn < len(turns):
        return ask(*(_call(turn, place) for place in range(turns[turn])))
    if stalls and "stall" in question.split():
        return [Text("Half of "), 60.0]
    return [float(words.get("wait", 0)), *answer("Answer to ", question)]


def _call(turn: int, place: int) -> ModelCall:
    return ModelCall(f"call_{secrets.token_hex(6)}", "look_up", json.dumps({"turn": turn, "place": place}))
