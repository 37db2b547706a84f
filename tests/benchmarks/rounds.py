"""CPU of the run loop per tool round, this process alone: `run` against the same requests sent with httpx2."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import httpx2
from openai import OpenAI

from tests.benchmarks.servers import engine_and_model
from tests.benchmarks.table import Row, Scale, against, ms
from tests.benchmarks.talking import NOTE, QUESTION
from toolkit import Toolset, run, tool

__all__ = ["measure"]

_TURNS = 20
_BETA = {"OpenAI-Beta": "assistants=v2"}


@tool
def note(text: str, pages: list[int]) -> str:
    """Write a note."""
    return "noted"


def _bare(client: httpx2.Client, assistant_id: str, thread_id: str) -> None:
    """Do what a short program would: read lines, parse the run when it waits or is over, call the function."""
    path, body = f"/threads/{thread_id}/runs", {"assistant_id": assistant_id}  # type: tuple[str, dict[str, Any]]
    while True:
        run: dict[str, Any] = {}
        event = ""
        with client.stream("POST", path, json={**body, "stream": True}, headers=_BETA) as response:
            for line in response.iter_lines():
                if line.startswith("event: "):
                    event = line[7:]
                elif event in ("thread.run.requires_action", "thread.run.completed") and line.startswith("data: "):
                    run = json.loads(line[6:])
        if run["status"] == "completed":
            return
        outputs = [
            {"tool_call_id": call["id"], "output": note(**json.loads(call["function"]["arguments"]))}
            for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]
        ]
        path, body = f"/threads/{thread_id}/runs/{run['id']}/submit_tool_outputs", {"tool_outputs": outputs}


def measure(scale: Scale) -> Iterator[Row]:
    with (
        engine_and_model() as served,
        OpenAI(base_url=served.engine_url, api_key="none") as client,
        httpx2.Client(base_url=served.engine_url, timeout=60) as bare,
    ):
        tools = Toolset(note)
        for calls, budget in ((1, 1.5), (8, 2.0)):
            model = f"calls-{calls}-{_TURNS}"
            assistant_id: str = bare.post("/assistants", json={"model": model, "tools": [NOTE]}).json()["id"]

            def ours(thread_id: str, assistant_id: str = assistant_id) -> None:
                result = run(client, tools, assistant_id=assistant_id, thread_id=thread_id)
                assert result.turns == _TURNS

            def floor(thread_id: str, assistant_id: str = assistant_id) -> None:
                _bare(bare, assistant_id, thread_id)

            ours_s, floor_s = _interleaved(bare, ours, floor, scale.times(15))
            what = f"run loop, CPU of a tool round, {calls} call{'s' * (calls > 1)}"
            yield against(what, ours_s, floor_s, budget, ms)


def _interleaved(
    client: httpx2.Client, ours: Callable[[str], None], floor: Callable[[str], None], rounds: int
) -> list[float]:
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, seconds in zip((ours, floor), took, strict=True):
            thread_id: str = client.post("/threads", json={"messages": [QUESTION]}).json()["id"]
            began = time.process_time()
            work(thread_id)
            seconds.append((time.process_time() - began) / _TURNS)
    return [median(seconds) for seconds in took]
