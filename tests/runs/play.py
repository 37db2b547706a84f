"""A loop played by hand: the replies come from the test, the effects are its to compare."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from toolkit import Limits, Toolset
from toolkit.runs.effects import Call, Effect, FinishedCall, Reply, Request
from toolkit.runs.gate import Gate
from toolkit.runs.hosts.assistants import Assistants
from toolkit.runs.loop import loop
from toolkit.runs.result import Result
from toolkit.tools.output import Output

HERE = Assistants("k", "thread_1", body={"assistant_id": "asst_1"})
NEW = Assistants("k", body={"assistant_id": "asst_1", "thread": {"messages": []}})
PICKED_UP = Assistants("k", "thread_1", "run_1")
NO_TOOLS = Gate(toolset=Toolset())
KEPT = {"x-idempotency-key": "kept"}
RUN = "/threads/thread_1/runs/run_1"


def run(status: str, *call_ids: str, **more: Any) -> dict[str, Any]:
    calls = [{"id": one, "type": "function", "function": {"name": "f", "arguments": "{}"}} for one in call_ids]
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}} if calls else None
    return {
        "id": "run_1",
        "object": "thread.run",
        "thread_id": "thread_1",
        "assistant_id": "asst_1",
        "status": status,
        "required_action": action,
        "created_at": 1000,
        **more,
    }


def said(text: str) -> dict[str, Any]:
    return {"id": "msg_1", "role": "assistant", "content": [{"type": "text", "text": {"value": text}}]}


def done(*call_ids: str) -> Reply:
    return Reply(finished=[FinishedCall(Call(one, "f", "{}"), Output("ok")) for one in call_ids])


OK = run("completed")
CREATED = Reply(200, run("in_progress"))
LOST = Reply(None, error=ConnectionError("lost"))
FAILED = Reply(500, error=ConnectionError("500"))


class Play:
    """A loop under way, with its last effect."""

    def __init__(self, host: Assistants = HERE, limits: Limits | None = None, gate: Gate = NO_TOOLS) -> None:
        self._loop: Generator[Effect, Reply, Result] = loop(host, limits or Limits(), gate)
        self.effect: Effect = next(self._loop)

    def send(self, *replies: Reply) -> Effect:
        for reply in replies:
            self.effect = self._loop.send(reply)
        return self.effect

    def end(self, reply: Reply) -> Result:
        with pytest.raises(StopIteration) as stop:
            self._loop.send(reply)
        result: Result = stop.value.value
        return result


def is_post(effect: Effect, path: str) -> bool:
    return isinstance(effect, Request) and (effect.method, effect.path) == ("POST", path)


def is_get(effect: Effect, path: str) -> bool:
    return isinstance(effect, Request) and (effect.method, effect.path.partition("?")[0]) == ("GET", path)
