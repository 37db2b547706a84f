"""51 of 51 operations with every field, and 25 of 25 events, through every door; whatever comes is inspected."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from tests.contract.official import REFUSED, definitions, events
from tests.contract.operations import OFFICIAL, Operation, bare
from tests.contract.talk import FLIGHTS, WEATHER, Talk
from tests.contract.walk import walk
from tests.engine.scripted import answer, ask
from toolkit.engine.model import ModelError, Text
from toolkit.server.routes import ROUTES

ALWAYS_REFUSED = {id_ for ids in REFUSED.values() for id_ in ids}


def test_all_are_served() -> None:
    assert (len(OFFICIAL), len(events())) == (51, 25)
    served = {(route.method, bare(route.path)) for route in ROUTES}
    assert {(operation.method, bare(operation.path)) for operation in OFFICIAL.values()} <= served


def test_every_operation_with_every_field(start: Any) -> None:
    talk: Talk = start(ask(WEATHER), answer("{}"), ask(WEATHER))
    steps, result = walk(talk), None
    walked: set[str] = set()
    while True:
        try:
            id_, call = steps.send(result)
        except StopIteration:
            break
        walked.add(id_)
        if id_ in ALWAYS_REFUSED:
            with pytest.raises(BadRequestError):
                call()
            continue
        talk.inspector.operations.discard(id_)
        result = call()
        assert id_ in talk.inspector.operations
    assert walked == OFFICIAL.keys()
    sent = talk.inspector.sent
    assert [f"{id_} {unsent}" for id_ in OFFICIAL for unsent in sorted(fields(OFFICIAL[id_]) - sent[id_])] == []


def fields(operation: Operation) -> set[str]:
    """Give what an operation takes: the parameters of its query, the members of its body."""
    if operation.request is None:
        return set(operation.query)
    schema = operation.request["schema"]
    if "$ref" in schema:
        schema = definitions("requests")[schema["$ref"].rpartition("/")[2]]
    return {*operation.query, *schema["properties"]}


def told(talk: Talk) -> str:
    """Stream a run, and give its last event but `done`."""
    with talk.stream() as stream:
        name: str = [event.event for event in stream][-1]
        return name


def test_every_event(talks: Any, door: str) -> None:
    half = [Text("Half a ")]
    talk: Talk = talks(
        door,
        ask(WEATHER, FLIGHTS, say=["Let me look."]),
        answer("Hi"),
        answer("Half", reason="length"),
        [*half, ModelError("no")],
        [*half, 30.0],
        [*half, 30.0],
    )
    thread: Any = {"messages": [{"role": "user", "content": "hello"}]}
    list(talk.threads.create_and_run(assistant_id=talk.assistant_id, thread=thread, stream=True))
    assert told(talk) == "thread.run.completed"
    assert told(talk) == "thread.run.incomplete"
    assert told(talk) == "thread.run.failed"
    with talk.stream() as stream:
        for event in stream:
            if event.event == "thread.message.delta":
                talk.runs.cancel(stream.current_run.id, thread_id=talk.thread_id)
    hasty: Talk = talks(door, [*half, 30.0], run_expires_s=1)
    assert told(hasty) == "thread.run.expired"
    assert talk.inspector.events | hasty.inspector.events == events().keys() - {"error"}


def test_the_event_of_an_error(begin: Any) -> None:
    """It comes when a stream is asked for again by its key, elsewhere, and its thread is gone."""
    talk: Talk = begin(answer("Hi"))
    there = OpenAI(base_url=f"{talk.http.base_url}/v1", api_key="none", http_client=talk.http)
    thread: Any = {"messages": [{"role": "user", "content": "hello"}]}
    asked: Any = {"assistant_id": talk.assistant_id, "thread": thread, "stream": True}
    key = {"extra_headers": {"Idempotency-Key": "once"}}
    run = list(talk.threads.create_and_run(**asked, **key))[-1].data
    talk.threads.delete(run.thread_id)
    assert [event.event for event in there.beta.threads.create_and_run(**asked, **key)] == [
        "thread.run.created",
        "thread.run.queued",
        "error",
    ]
    assert "error" in talk.inspector.events
