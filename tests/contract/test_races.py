"""Clients that race each other: exactly one wins, the others are told why not, and the store is sound afterwards.

Each race is run with rivals in one process, over sockets, and at two engines on one file. One round in the CI tier,
many in the slow one.
"""

from __future__ import annotations

import random
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openai import NotFoundError, Stream

from tests.contract.doors import served
from tests.contract.inspection import Inspector
from tests.contract.obedient import TOOLS, obey
from tests.contract.servers import Server, raced, texts
from tests.engine.scripted import Scripted
from toolkit.engine import Engine

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

DOORS = ("in process", "over sockets", "two engines")
EXPIRES_S = 2


class Ring:
    """Where rivals meet: two clients (or the same twice) of one store, and what they need to begin."""

    def __init__(self, clients: Sequence[Any], path: Path, *, rounds: int) -> None:
        self.one, self.other = clients
        self.path, self.rounds = path, range(rounds)
        self.assistant_id: str = self.one.beta.assistants.create(model="m", tools=TOOLS).id

    def four(self) -> Sequence[Any]:
        return [client.beta.threads for client in (self.one, self.other, self.one, self.other)]

    def thread(self, question: str) -> str:
        thread_id: str = self.one.beta.threads.create(messages=[{"role": "user", "content": question}]).id
        return thread_id

    def run(self, thread_id: str) -> Any:
        return self.one.beta.threads.runs.create(thread_id, assistant_id=self.assistant_id)

    def waiting(self, calls: str = "2") -> Any:
        """A run that waits for outputs."""
        run = self.one.beta.threads.runs.create_and_poll(
            thread_id=self.thread(f"calls={calls}"), assistant_id=self.assistant_id
        )
        assert run.status == "requires_action"
        return run

    def end(self, run: Any) -> Any:
        """How a run ended, seen from both sides alike; it is sound and its thread is free."""
        ended = self.other.beta.threads.runs.poll(run.id, thread_id=run.thread_id)
        threads = self.one.beta.threads
        assert threads.runs.retrieve(run.id, thread_id=run.thread_id) == ended
        steps = threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc").data
        assert {step.status for step in steps} <= {ended.status, "completed"}
        assert sum(step.usage.total_tokens for step in steps) == ended.usage.total_tokens
        made = [step.step_details.message_creation.message_id for step in steps if step.type == "message_creation"]
        written = [message for message in threads.messages.list(run.thread_id, order="asc") if message.run_id == run.id]
        assert [message.id for message in written] == made
        assert {message.status for message in written} <= {"completed", "incomplete"}
        whole = [message for message in written if message.status == "completed"]
        assert len(whole) == (ended.status == "completed")
        threads.messages.create(run.thread_id, role="user", content="And now?")
        after = threads.runs.create_and_poll(thread_id=run.thread_id, assistant_id=self.assistant_id)
        assert after.status == "completed"
        assert texts(self.one, run.thread_id)[-1] == ("Answer to And now?", "completed")
        return ended

    def outputs(self, run: Any) -> list[set[str | None]]:
        """The outputs of each turn of a run."""
        steps = self.one.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc")
        return [
            {call.function.output for call in step.step_details.tool_calls}
            for step in steps
            if step.type == "tool_calls"
        ]

    def is_gone(self, thread_id: str) -> None:
        """Nothing is left of a thread, however it was deleted."""
        with pytest.raises(NotFoundError):
            self.other.beta.threads.retrieve(thread_id)
        database = sqlite3.connect(self.path)
        for table in ("message", "run", "step", "item"):
            [[rows]] = database.execute(f"SELECT count(*) FROM {table} WHERE thread = ?", [thread_id])
            assert rows == 0, table
        database.close()


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, bool], Sequence[Any]]]:
    """Clients by door and by whether runs expire soon."""
    with ExitStack() as exits:
        rings: dict[tuple[str, bool], Any] = {}
        inspectors: list[Inspector] = []
        for short in (False, True):
            path = tmp_path_factory.mktemp("races") / "races.db"
            store, expires_s = f"sqlite:///{path}", EXPIRES_S if short else 600
            engine = exits.enter_context(Engine(store, model=Scripted(obey), run_expires_s=expires_s))
            inside = engine.client(max_retries=0)
            inspectors.append(Inspector())
            inside._client.event_hooks = {"response": [inspectors[-1].hook]}  # the SDK has no public way to it
            server = Server(store, expires_s=expires_s)
            exits.callback(server.close)
            server.start()
            outside = server.client
            address = exits.enter_context(served(engine.app))
            over = outside.with_options(base_url=f"{address}/v1")
            inspectors.append(server.inspector)
            rings["in process", short] = (inside, inside), path
            rings["over sockets", short] = (over, over), path
            rings["two engines", short] = (inside, outside), path
        yield rings
        assert [problem for inspector in inspectors for problem in inspector.problems] == []


@pytest.fixture(params=[1, pytest.param(60, marks=pytest.mark.slow)], ids=["few", "many"])
def rounds(request: pytest.FixtureRequest) -> int:
    count: int = request.param
    return count


@pytest.fixture(params=DOORS)
def ring(request: pytest.FixtureRequest, rings: Any, rounds: int) -> Ring:
    return Ring(*rings[request.param, False], rounds=rounds)


def test_outputs_are_taken_once(ring: Ring) -> None:
    for _ in ring.rounds:
        run = ring.waiting()
        calls = run.required_action.submit_tool_outputs.tool_calls
        ends = raced(
            *(
                partial(
                    threads.runs.submit_tool_outputs,
                    run.id,
                    thread_id=run.thread_id,
                    tool_outputs=[{"tool_call_id": call.id, "output": f"of racer {racer}"} for call in calls],
                )
                for racer, threads in enumerate(ring.four())
            )
        )
        [winner] = [racer for racer, end in enumerate(ends) if not isinstance(end, str)]
        for told in ends[:winner] + ends[winner + 1 :]:
            assert re.fullmatch('400 Runs in status "(queued|in_progress|completed)" do not accept tool outputs.', told)
        assert ring.end(run).status == "completed"
        assert ring.outputs(run) == [{f"of racer {winner}"}]


def test_a_thread_has_one_run(ring: Ring) -> None:
    for _ in ring.rounds:
        thread_id = ring.thread("wait=0.1")
        start = {"thread_id": thread_id, "assistant_id": ring.assistant_id}
        ends = raced(*(partial(threads.runs.create, **start) for threads in ring.four()))
        [run] = [end for end in ends if not isinstance(end, str)]
        told = f"400 Thread {thread_id} already has an active run {run.id}."
        assert [end for end in ends if isinstance(end, str)] == [told] * 3
        assert ring.end(run).status == "completed"
        assert len(ring.one.beta.threads.runs.list(thread_id).data) == 2


def test_submit_beside_cancel(ring: Ring) -> None:
    for _ in ring.rounds:
        run = ring.waiting()
        outputs = [
            {"tool_call_id": call.id, "output": "given"} for call in run.required_action.submit_tool_outputs.tool_calls
        ]
        submit = partial(ring.other.beta.threads.runs.submit_tool_outputs, tool_outputs=outputs)
        cancel = ring.one.beta.threads.runs.cancel
        submitted, cancelled = raced(*(partial(call, run.id, thread_id=run.thread_id) for call in (submit, cancel)))
        ended = ring.end(run)
        if isinstance(submitted, str):
            assert submitted == '400 Runs in status "cancelled" do not accept tool outputs.'
            assert (cancelled.status, ended.status) == ("cancelled", "cancelled")
            assert ring.outputs(run) == [{None}]
        else:
            assert ring.outputs(run) == [{"given"}]
            assert_cancelled_or_completed(cancelled, ended)


def assert_cancelled_or_completed(cancelled: Any, ended: Any) -> None:
    if isinstance(cancelled, str):
        assert cancelled == "400 Cannot cancel run with status 'completed'."
        assert ended.status == "completed"
    else:
        assert (cancelled.status, ended.status) == ("cancelled", "cancelled")


@pytest.mark.parametrize("streamed", [False, True])
def test_cancel_beside_completion(ring: Ring, streamed: bool) -> None:
    chance = random.Random(7)
    for _ in ring.rounds:
        thread_id = ring.thread("wait=0.03")
        heard: list[Any] = []

        def listen() -> None:
            with ring.one.beta.threads.runs.stream(thread_id=thread_id, assistant_id=ring.assistant_id) as stream:
                heard.extend(stream)

        listener = threading.Thread(target=listen)
        if streamed:
            listener.start()
            while not (runs := ring.other.beta.threads.runs.list(thread_id).data):
                time.sleep(0.002)
            [run] = runs
        else:
            run = ring.run(thread_id)
        time.sleep(chance.uniform(0, 0.05))
        [cancelled] = raced(partial(ring.other.beta.threads.runs.cancel, run.id, thread_id=thread_id))
        if streamed:
            listener.join(30)
            assert not listener.is_alive()
            ended = [event.data for event in heard if event.data.object == "thread.run"][-1]
            assert ended == ring.one.beta.threads.runs.retrieve(run.id, thread_id=thread_id)
        assert_cancelled_or_completed(cancelled, ring.end(run))


@pytest.mark.parametrize("streamed", [False, True])
def test_delete_beside_completion(ring: Ring, streamed: bool) -> None:
    chance = random.Random(8)
    for _ in ring.rounds:
        thread_id = ring.thread("wait=0.02")
        if streamed:
            events = ring.one.beta.threads.runs.create(thread_id, assistant_id=ring.assistant_id, stream=True)
            next(events)
        else:
            events = iter(())
            ring.run(thread_id)
        time.sleep(chance.uniform(0, 0.04))
        assert ring.other.beta.threads.delete(thread_id).deleted
        assert list(events) is not None, "the stream ends"
        ring.is_gone(thread_id)
    time.sleep(0.05)
    ring.is_gone(thread_id)


def test_delete_beside_submit(ring: Ring) -> None:
    for _ in ring.rounds:
        run = ring.waiting("1")
        [call] = run.required_action.submit_tool_outputs.tool_calls
        submit = partial(
            ring.one.beta.threads.runs.submit_tool_outputs,
            run.id,
            thread_id=run.thread_id,
            tool_outputs=[{"tool_call_id": call.id, "output": "given"}],
        )
        submitted, deleted = raced(submit, partial(ring.other.beta.threads.delete, run.thread_id))
        assert deleted.deleted
        if isinstance(submitted, str):
            assert re.fullmatch(f"404 No (run|thread) found with id '({run.id}|{run.thread_id})'.", submitted)
        ring.is_gone(run.thread_id)


def test_delete_beside_delete(ring: Ring) -> None:
    for _ in ring.rounds:
        thread_id = ring.thread("stall")
        ring.run(thread_id)
        ends = raced(*(partial(threads.delete, thread_id) for threads in ring.four()))
        assert sum(not isinstance(end, str) for end in ends) == 1
        assert ends.count(f"404 No thread found with id '{thread_id}'.") == 3
        ring.is_gone(thread_id)


def test_messages_beside_a_run(ring: Ring) -> None:
    """A message is either there before the run, which then answers it, or it is refused."""
    for _ in ring.rounds:
        thread_id = ring.thread("first wait=0.1")

        def add(threads: Any, name: str) -> list[str]:
            return [
                end if isinstance(end, str) else end.content[0].text.value
                for number in range(3)
                for end in raced(
                    partial(threads.messages.create, thread_id, role="user", content=f"{name} {number} wait=0.1")
                )
            ]

        names = ("a", "b", "c", "d")
        *added, run = raced(
            *(partial(add, threads, name) for threads, name in zip(ring.four(), names, strict=True)),
            partial(ring.run, thread_id),
        )
        refused = f"400 Can't add messages to {thread_id} while a run {run.id} is active."
        there = [text for text, _ in texts(ring.other, thread_id)]
        for name, told in zip(names, added, strict=True):
            kept = [text for text in told if text != refused]
            assert kept == [f"{name} {number} wait=0.1" for number in range(3) if told[number] != refused]
            assert [text for text in there if text.startswith(f"{name} ")] == kept, "in the order they were added"
        ring.one.beta.threads.runs.poll(run.id, thread_id=thread_id)
        said = [text for text, _ in texts(ring.one, thread_id)]
        [answer] = [number for number, text in enumerate(said) if text.startswith("Answer to ")]
        assert said[answer] == f"Answer to {said[answer - 1]}", "nothing came in between"
        ring.end(run)


def test_messages_are_kept_in_order_and_times_increase(ring: Ring) -> None:
    for _ in ring.rounds:
        thread_id = ring.thread("first")
        raced(
            *(
                partial(threads.messages.create, thread_id, role="user", content=str(number))
                for number, threads in enumerate([*ring.four()] * 2)
            )
        )
        messages = ring.other.beta.threads.messages.list(thread_id, order="asc").data
        assert sorted(message.content[0].text.value for message in messages) == [*map(str, range(8)), "first"]
        assert [message.created_at for message in messages] == sorted(message.created_at for message in messages)
        backwards = ring.one.beta.threads.messages.list(thread_id, order="desc").data
        assert backwards == messages[::-1]


def test_metadata_beside_moves(ring: Ring) -> None:
    """The last change that was answered is the one that stays, whatever the run does meanwhile."""
    for _ in ring.rounds:
        run = ring.waiting("1,1")

        def change(path: str) -> Any:
            for number in range(12):
                said = ring.other.post(path, body={"metadata": {"number": str(number)}}, cast_to=object)
                assert said["metadata"] == {"number": str(number)}
            return said

        def go_on() -> Any:
            now = run
            while now.status == "requires_action":
                [call] = now.required_action.submit_tool_outputs.tool_calls
                outputs: Any = [{"tool_call_id": call.id, "output": "given"}]
                now = ring.one.beta.threads.runs.submit_tool_outputs_and_poll(
                    run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs, poll_interval_ms=20
                )
            return now

        paths = (f"/threads/{run.thread_id}", f"/threads/{run.thread_id}/runs/{run.id}")
        *changed, ended = raced(*(partial(change, path) for path in paths), go_on)
        assert ended.status == "completed"
        for path, said in zip(paths, changed, strict=True):
            assert ring.one.get(path, cast_to=object)["metadata"] == said["metadata"] == {"number": "11"}
        ring.end(run)


@pytest.mark.parametrize("streamed", [False, True])
def test_one_key_starts_one_run(ring: Ring, streamed: bool) -> None:
    """Everybody gets the one run; streams tell it to its end, wherever they came in."""
    for _ in ring.rounds:
        path, key = f"/threads/{ring.thread('wait=0.05')}/runs", uuid.uuid4().hex
        body = {"assistant_id": ring.assistant_id}
        clients = [ring.one, ring.other] * 3
        ends = raced(*(partial(keyed, client, path, body, key, streamed=streamed) for client in clients))
        assert {end["status"] for end in ends} == {"completed" if streamed else "queued"}
        [run] = ring.one.beta.threads.runs.list(ends[0]["thread_id"]).data
        assert {end["id"] for end in ends} == {run.id}
        assert ring.end(run).status == "completed"


@pytest.mark.parametrize("streamed", [False, True])
def test_one_key_submits_once(ring: Ring, streamed: bool) -> None:
    for _ in ring.rounds:
        run = ring.waiting("1")
        [call] = run.required_action.submit_tool_outputs.tool_calls
        body = {"tool_outputs": [{"tool_call_id": call.id, "output": "given"}]}
        path, key = f"/threads/{run.thread_id}/runs/{run.id}/submit_tool_outputs", uuid.uuid4().hex
        clients = [ring.one, ring.other] * 3
        ends = raced(*(partial(keyed, client, path, body, key, streamed=streamed) for client in clients))
        assert {end["status"] for end in ends} == {"completed" if streamed else "queued"}
        assert ring.end(run).status == "completed"
        assert ring.outputs(run) == [{"given"}]


def test_one_key_for_one_message(ring: Ring) -> None:
    for _ in ring.rounds:
        path, key = f"/threads/{ring.thread('first')}/messages", uuid.uuid4().hex
        body = {"role": "user", "content": "once"}
        ends = raced(*(partial(keyed, client, path, body, key) for client in [ring.one, ring.other] * 3))
        assert len({end["id"] for end in ends}) == 1
        assert [text for text, _ in texts(ring.one, ends[0]["thread_id"])] == ["first", "once"]


def keyed(client: Any, path: str, body: Any, key: str, *, streamed: bool = False) -> Any:
    """Send a request with a key, and give the object of the answer, or the run as the stream told it last."""
    options: Any = {"headers": {"Idempotency-Key": key}}
    if not streamed:
        return client.post(path, body=body, cast_to=object, options=options)
    body = {**body, "stream": True}
    events = client.post(path, body=body, cast_to=object, stream=True, stream_cls=Stream[Any], options=options)
    return [event["data"] for event in events if event["data"].get("object") == "thread.run"][-1]


@pytest.mark.parametrize("door", DOORS)
def test_submit_beside_expiry(rings: Any, rounds: int, door: str) -> None:
    """Runs whose time is up just when their outputs come: they are taken or refused, and the run ends as told."""
    ring = Ring(*rings[door, True], rounds=1)
    runs = [ring.waiting("1") for _ in range(min(4 * rounds, 40))]

    def submit(number: int) -> Any:
        run = runs[number]
        [call] = run.required_action.submit_tool_outputs.tool_calls
        time.sleep(max(0, run.expires_at - time.time() + (number % 8 - 6) / 400))
        threads = ring.four()[number % 4]
        outputs: Any = [{"tool_call_id": call.id, "output": "given"}]
        return threads.runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=outputs)

    for run, told in zip(runs, raced(*(partial(submit, number) for number in range(len(runs)))), strict=True):
        ended = ring.other.beta.threads.runs.poll(run.id, thread_id=run.thread_id)
        if isinstance(told, str):
            assert told == '400 Runs in status "expired" do not accept tool outputs.'
            assert (ended.status, ring.outputs(run)) == ("expired", [{None}])
        else:
            assert (told.status, ring.outputs(run)) == ("queued", [{"given"}])
            assert ended.status in ("completed", "expired")
        assert ring.one.beta.threads.messages.create(run.thread_id, role="user", content="free").id
