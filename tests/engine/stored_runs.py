"""Runs of a certain age and state, put into a store by the engine's own moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from toolkit.engine import moves
from toolkit.engine.calls import Turn
from toolkit.engine.jsontext import id_of
from toolkit.engine.model import ModelCall
from toolkit.engine.objects import assistants, runs, threads
from toolkit.engine.objects.runs import LastError, Run, Tokens
from toolkit.engine.objects.settings import CreateRun
from toolkit.engine.store import Tx
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite

__all__ = ["CALLS", "claimed", "completed", "failed", "in_file", "queued", "waiting"]

T = TypeVar("T")

CALLS = (ModelCall("call_a", "lookup", '{"who":"the secret question"}'), ModelCall("call_b", "send", "{}"))
CHAT = json.dumps({"role": "assistant", "content": None, "tool_calls": [{"id": "call_a"}, {"id": "call_b"}]})


def in_file(path: Path, work: Callable[[Tx], T]) -> T:
    """Do one transaction on the store in a file, which is made when it is not there."""

    async def main() -> T:
        store = SQLite(parse(f"sqlite:///{path}"))
        try:
            return await store.write(work)
        finally:
            await store.aclose()

    return asyncio.run(main())


def queued(tx: Tx, at: int, *, project: str = "default", model: str = "small") -> Run:
    """A run that its engine is about to start, on a thread with one question."""
    assistant = assistants.create(tx, project, assistants.CreateAssistant(model=model), at)
    asked = {"messages": [{"role": "user", "content": "the secret question"}]}
    thread = threads.create(tx, project, threads.CreateThread.model_validate(asked), at)
    request = CreateRun.model_validate({"assistant_id": id_of(assistant), "instructions": "secret instructions"})
    return runs.create(tx, project, id_of(thread), request, at, expires_s=600, owner="engine")


def claimed(tx: Tx, at: int, *, project: str = "default", model: str = "small") -> Run:
    run = queued(tx, at, project=project, model=model)
    moved = moves.claim(tx, run.id, "engine", at)
    assert moved is not None
    return moved.run


def completed(tx: Tx, at: int, *, project: str = "default") -> Run:
    run = claimed(tx, at, project=project)
    return moves.complete(tx, run, at, Tokens(10, 5), moves.Said("the secret answer")).run


def waiting(tx: Tx, at: int, *, project: str = "default", model: str = "small") -> Run:
    run = claimed(tx, at, project=project, model=model)
    return moves.require_action(tx, run, None, Turn(CALLS, CHAT, Tokens(7, 3)), at).run


def failed(tx: Tx, at: int) -> Run:
    error = LastError("rate_limit_exceeded", "The model endpoint says: slow down.")
    return moves.end(tx, claimed(tx, at), "fail", at, error=error).run
