"""Answers the calls of a turn that are the engine's own to answer: file_search, code_interpreter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol

from toolkit.engine.calls import Used
from toolkit.engine.code.interpreting import Interpreting, Stage
from toolkit.engine.code.tool import code_of
from toolkit.engine.jsontext import clean
from toolkit.engine.model import ModelCall
from toolkit.engine.objects.runs import Run
from toolkit.engine.objects.vector_stores import is_idle, touch
from toolkit.engine.search.retrieving import Retriever
from toolkit.engine.search.tool import look_up
from toolkit.engine.store import Tx

__all__ = ["Finished", "answer", "begun"]

_PART: Final = 4
"""What a call gives takes up no more than this part of the model's window, and all of a turn no more than half."""


class Finished(Protocol):
    """A call that has been answered; its traces are written together with all of its turn."""

    @property
    def call(self) -> ModelCall:
        """The call."""
        ...

    def use(self, tx: Tx, run: Run, now: int) -> Used:
        """Write what it leaves behind, and give how its step tells of it."""
        ...


def begun(call: ModelCall, kind: str) -> Mapping[str, Any]:
    """Give how a step tells of a call that is not answered yet."""
    if kind == "file_search":
        return {"id": call.id, "type": kind, kind: {}}
    return {"id": call.id, "type": kind, kind: {"input": clean(code_of(call.arguments) or ""), "outputs": []}}


async def answer(
    stage: Stage, settings: Mapping[str, Any], retriever: Retriever, interpreting: Interpreting
) -> Sequence[Finished]:
    """Answer the own calls of a turn, one after the other: code may need what code before it has done.

    Raises Fenced, StoreUnavailable, and SandboxUnavailable.
    """
    calls = stage.held.turn.own
    if stage.room_tokens:
        stage = replace(stage, room_tokens=max(1, stage.room_tokens // max(_PART, 2 * len(calls))))
    finished: list[Finished] = []
    searched, session = False, None
    for call in calls:
        if stage.held.turn.begun[call.id]["type"] == "code_interpreter":
            interpreted = await interpreting.interpret(stage, call, session)
            session = interpreted.session or session
            finished.append(interpreted)
            continue
        finished.append(await look_up(retriever, stage.store, stage.run, call, settings, stage.room_tokens))
        searched = True
    if searched:
        await _note_use(stage)
    return finished


async def _note_use(stage: Stage) -> None:
    """Note that the run's vector stores are used."""
    now, project = stage.now(), stage.run.project
    stores = await stage.store.read(lambda tx: [s for s in stage.run.stores if is_idle(tx, project, s, now)])
    for store_id in stores:
        await stage.store.write(partial(touch, store_id=store_id, now=now))
