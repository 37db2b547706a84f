from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextvars import copy_context
from typing import Any

import pytest

from toolkit import run
from toolkit.engine.listening import asked_by, asks, heard, listen
from toolkit.engine.model import Delta, Model, ModelRequest
from toolkit.engine.objects.runs import Run
from toolkit.testing import ScriptedModel, ScriptedServer

NOBODY: Any = None


class Between:
    """A model that notes who asks it."""

    def __init__(self, model: Model, notes: list[Any]) -> None:
        self._model, self._notes = model, notes

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        self._notes.append(dict(asked_by()))
        async for delta in self._model.complete(request):
            yield delta

    async def names(self) -> Sequence[str]:
        return await self._model.names()

    async def aclose(self) -> None:
        await self._model.aclose()


@pytest.fixture
def notes() -> Iterator[list[Any]]:
    """Listen, and give what is noted: of each leg its run, of each call where the request came from."""
    notes: list[Any] = []

    def around(model: Model, run: Run) -> Model:
        notes.append(run.id)
        return Between(model, notes)

    listen(around)
    yield notes
    listen(None)


@pytest.mark.parametrize("headers", [{}, {"traceparent": "00-1"}, {"traceparent": "00-1", "tracestate": "a=b"}])
def test_a_listener_is_between_a_run_and_its_model(notes: list[Any], headers: Mapping[str, str]) -> None:
    with ScriptedServer("Hi") as server, server.client() as client:
        client = client.with_options(default_headers={**headers, "x-other": "secret"})
        result = run(client, assistant_id=server.assistant(), input="Hi")
    assert notes == [result.run_id, headers]


def test_without_a_listener_nothing_is_in_between_and_nothing_noted() -> None:
    def look() -> None:
        asks({b"traceparent": b"00-1"})
        assert asked_by() == {}

    copy_context().run(look)
    model = ScriptedModel()
    assert heard(model, NOBODY) is model
