"""Several engines on one file, as `toolkit run` beside `toolkit serve`: they work together."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from openai import BadRequestError

from tests.contract.talk import BOTH, FLIGHTS, WEATHER, Talk, until
from tests.engine.scripted import answer, ask
from toolkit.engine.model import Text


@pytest.fixture
def both(talks: Any, tmp_path: Path) -> Any:
    """Start two talks with engines of their own on one file, in process and over a socket."""

    def both(*scripts: Any, **settings: Any) -> tuple[Talk, Talk]:
        store = f"sqlite:///{tmp_path}/shared.db"
        one, other = (talks(door, *scripts, store=store, **settings) for door in ("in process", "over a socket"))
        other._assistant_id, other._thread_id = one.assistant_id, one.thread_id
        return one, other

    return both


def test_what_one_writes_the_other_reads_at_once(both: Any) -> None:
    one, other = both()
    other.threads.messages.create(one.thread_id, role="user", content="again")
    assert one.texts() == other.texts() == ["hello", "again"]
    assert other.beta.assistants.delete(one.assistant_id).deleted
    assert list(one.beta.assistants.list()) == []


def test_a_run_begun_by_one_goes_on_in_the_other(both: Any) -> None:
    one, other = both(ask(WEATHER, FLIGHTS), answer("never asked"))
    other.model.scripts = [answer("Done.")]
    run = one.poll()
    with pytest.raises(BadRequestError, match="already has an active run"):
        other.create()
    assert other.submit(run).status == "queued"
    assert one.wait(run).status == "completed"
    assert (len(one.model.requests), len(other.model.requests)) == (1, 1)
    assert one.texts() == ["hello", "Done."]


def test_outputs_submitted_to_both_at_once_are_taken_once(both: Any) -> None:
    one, other = both(ask(WEATHER, FLIGHTS), answer("Done."))
    other.model.scripts = [answer("Done.")]
    run = one.poll()
    told: list[str] = []

    def submit(talk: Talk) -> None:
        try:
            told.append(talk.submit(run, BOTH).status)
        except BadRequestError as error:
            told.append(str(error))

    racers = [threading.Thread(target=submit, args=(talk,)) for talk in (one, other, one, other)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert told.count("queued") == 1
    assert other.wait(run).status == "completed"
    assert len(one.model.requests) + len(other.model.requests) == 2
    assert one.texts() == ["hello", "Done."]


def test_a_listener_is_told_how_its_run_ended_elsewhere(both: Any) -> None:
    one, other = both([Text("Half a "), 30.0, *answer("never")])
    told: list[str] = []
    with one.stream() as stream:
        for event in stream:
            told.append(event.event)
            if event.event == "thread.message.delta":
                assert other.runs.cancel(stream.current_run.id, thread_id=one.thread_id).status == "cancelled"
                one.threads.messages.create(one.thread_id, role="user", content="free at once")
        assert stream.get_final_run().status == "cancelled"
        assert [message.status for message in stream.get_final_messages()] == ["incomplete"]
    assert told[-3:] == ["thread.message.incomplete", "thread.run.step.cancelled", "thread.run.cancelled"]
    until(lambda: one.model.aborted == 1)


def test_a_listener_that_comes_again_hears_the_leg_it_asked_for(both: Any) -> None:
    """The first leg was streamed here, the second one elsewhere; then its request is repeated here."""
    one, other = both(ask(WEATHER, FLIGHTS), answer("never asked"))
    other.model.scripts = [answer("Done.")]
    with one.stream() as stream:
        stream.until_done()
        run = stream.get_final_run()
    told = []
    for talk in (other, one):
        events = talk.submit(run, stream=True, extra_headers={"Idempotency-Key": "outputs"})
        told.append([event.data for event in events if event.event.startswith("thread.run.c")][-1:])
    assert told[0] == told[1] != []


def test_a_thread_deleted_elsewhere_ends_the_stream(both: Any) -> None:
    one, other = both([Text("Half a "), 30.0, *answer("never")])
    with one.stream() as stream:
        for event in stream:
            if event.event == "thread.message.delta":
                assert other.threads.delete(one.thread_id).deleted
    until(lambda: one.model.aborted == 1)


def test_a_run_waits_in_the_store_of_an_engine_that_was_closed(talks: Any, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/shared.db"
    first = talks("in process", [30.0, *answer("never")], store=store)
    run = first.create()
    until(lambda: bool(first.model.requests))
    first.engine.close()
    assert first.model.aborted == 1
    second = talks("in process", answer("Done."), store=store)
    assert second.runs.poll(run.id, thread_id=run.thread_id).status == "completed"
    [newest, _] = second.threads.messages.list(run.thread_id)
    assert newest.content[0].text.value == "Done."
