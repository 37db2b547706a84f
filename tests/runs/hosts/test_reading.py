from __future__ import annotations

import json

from toolkit.runs.events import ServerEvent
from toolkit.runs.hosts.assistants import Assistants
from toolkit.runs.hosts.reading import CarriedReading


def read(*events: tuple[str, object]) -> CarriedReading:
    reading = Assistants("k", "thread_1").reading(None)
    for name, data in events:
        reading.hear(ServerEvent(name, data if isinstance(data, bytes) else json.dumps(data).encode()))
    return reading


def test_the_last_run_counts_and_ends_the_stream() -> None:
    reading = read(("thread.run.queued", {"n": 1}), ("thread.run.in_progress", {"n": 2}))
    assert (reading.run(), reading.is_complete) == ({"n": 2}, False)
    reading = read(("thread.run.queued", {"n": 1}), ("thread.run.completed", {"n": 2}), ("thread.message.delta", b"{"))
    assert (reading.run(), reading.is_complete) == ({"n": 2}, True)


def test_what_is_broken_counts_as_lost() -> None:
    reading = read(("thread.run.queued", {"n": 1}), ("thread.run.completed", b"{"), ("thread.message.completed", b"{"))
    assert (reading.run(), reading.messages) == ({"n": 1}, [])
    assert read(("thread.created", {})).run() is None


def test_messages_and_errors() -> None:
    reading = read(("thread.message.completed", {"id": "m"}), ("error", {"error": {"code": "c"}}))
    assert (reading.messages, reading.said) == ([{"id": "m"}], {"code": "c"})


def test_json_is_what_it_is() -> None:
    body = {"object": "list"}
    assert read().whole(body) is body
