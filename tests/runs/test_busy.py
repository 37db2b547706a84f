"""The policies for a thread with another active run: played with values, then in a race of real runs."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import openai
import pytest

from tests.engine.scripted import Script, answer, ask
from tests.runs.engines import Start, World
from tests.runs.play import HERE, KEPT, LOST, Play, is_get, is_post, run
from toolkit import LimitReached, Limits, ThreadBusy, Toolset, tool
from toolkit.engine.model import ModelCall
from toolkit.runs.busy import Place
from toolkit.runs.effects import Reply, Request, Sleep, TimeUp
from toolkit.runs.hosts import OnActive
from toolkit.runs.hosts.assistants import Assistants

KEPT_OUT = Reply(400, error=ValueError("Thread thread_1 already has an active run run_9."))
OTHER = run("in_progress", id="run_9", expires_at=1_800_000_000)
SEEN = Reply(200, {"data": [OTHER]})


def host(policy: OnActive) -> Assistants:
    return Assistants("k", "thread_1", body={"assistant_id": "asst_1"}, on_active=policy)


def test_nobody_looks_before_the_thread_turns_out_to_be_busy() -> None:
    assert is_post(Play(HERE).effect, "/threads/thread_1/runs")


def test_fail_says_who_it_is_until_when_and_what_frees_the_thread() -> None:
    play = Play(HERE)
    assert is_get(play.send(KEPT_OUT), "/threads/thread_1/runs")
    with pytest.raises(ThreadBusy) as busy:
        play.send(SEEN)
    assert str(busy.value) == (
        "Thread thread_1 has an active run: run_9, in_progress, expires at 2027-01-15 08:00:00 UTC. Cancel it with "
        "client.beta.threads.runs.cancel('run_9', thread_id='thread_1'), "
        'or say on_active="wait", "queue" or "replace".'
    )
    assert busy.value.run is not None
    assert busy.value.run.id == "run_9"
    assert busy.value.__cause__ is KEPT_OUT.error


@pytest.mark.parametrize("policy", ["wait", "queue"])
def test_wait_until_it_is_over_then_begin(policy: OnActive) -> None:
    play = Play(host(policy))
    first = play.effect
    assert is_get(play.send(KEPT_OUT, SEEN), "/threads/thread_1/runs/run_9")
    assert play.send(Reply(200, OTHER)) == Sleep(0.02)
    waiting = run("requires_action", "c1", id="run_9")
    assert play.send(Reply(), Reply(200, waiting)) == Sleep(0.04)
    assert is_get(play.send(Reply()), "/threads/thread_1/runs/run_9")
    assert play.send(Reply(200, run("completed", id="run_9"))) == first
    assert play.end(Reply(200, run("completed"))).run_id == "run_1"


def test_replace_cancels_it_and_waits_for_its_end() -> None:
    play = Play(host("replace"))
    first = play.effect
    assert is_post(play.send(KEPT_OUT, SEEN), "/threads/thread_1/runs/run_9/cancel")
    assert is_get(play.send(Reply(200, run("cancelling", id="run_9"))), "/threads/thread_1/runs/run_9")
    assert play.send(Reply(200, run("cancelled", id="run_9"))) == first


def test_a_cancel_that_is_not_answered_is_sent_again_and_one_that_is_refused_is_not() -> None:
    play = Play(host("replace"))
    cancel = play.send(KEPT_OUT, SEEN)
    assert play.send(LOST) == Sleep(0.1)
    assert play.send(Reply()) == cancel
    assert is_get(play.send(Reply(400)), "/threads/thread_1/runs/run_9")
    play.send(Reply(200, run("completed", id="run_9")), Reply(200, run("in_progress")))
    ours = play.send(Reply(left=KeyboardInterrupt()))
    assert is_post(ours, "/threads/thread_1/runs/run_1/cancel")
    assert ours.headers["Idempotency-Key"] != cancel.headers["Idempotency-Key"]


@pytest.mark.parametrize("seen", [[], [run("completed", id="run_9")]])
def test_a_run_that_has_just_ended_is_no_obstacle(seen: list[Any]) -> None:
    play = Play(HERE)
    first = play.effect
    over = Reply(200, {"data": seen})
    assert play.send(KEPT_OUT, over) == Sleep(0.1)
    assert play.send(Reply()) == first
    with pytest.raises(ValueError, match="active run run_9"):  # a server that says both for ever
        for _ in range(9):
            play.send(KEPT_OUT, over, Reply())


def test_other_refusals_are_the_clients_own() -> None:
    with pytest.raises(ValueError, match="no such assistant"):
        Play(host("wait")).send(Reply(400, error=ValueError("no such assistant")))


def test_leaving_while_we_wait_never_cancels_the_other_run() -> None:
    play = Play(host("wait"))
    play.send(KEPT_OUT, SEEN)
    with pytest.raises(LimitReached) as reached:
        play.send(Reply(left=TimeUp()))
    assert str(reached.value) == (
        "The run had not begun within Limits(seconds=600.0). Thread thread_1 has an active run: run_9, in_progress, "
        "expires at 2027-01-15 08:00:00 UTC. Cancel it with "
        "client.beta.threads.runs.cancel('run_9', thread_id='thread_1')."
    )
    assert reached.value.limit == "seconds"
    play = Play(host("wait"))
    play.send(KEPT_OUT)
    with pytest.raises(KeyboardInterrupt):
        play.send(Reply(left=KeyboardInterrupt()))


def test_a_run_that_had_waited_and_begun_says_no_more_of_it() -> None:
    play = Play(host("wait"))
    play.send(KEPT_OUT, SEEN, Reply(200, run("completed", id="run_9")), Reply(200, run("in_progress")))
    with pytest.raises(LimitReached, match=r"^The run was not done within Limits\(seconds=600.0\)\.$"):
        play.send(Reply(left=TimeUp()), Reply(200, run("cancelled")))


def test_a_run_that_had_to_wait_in_line_says_so() -> None:
    first, second = Play(host("queue")), Play(host("queue"))
    with pytest.raises(LimitReached, match=r"not begun within .* Other runs of this process are before it in the line"):
        second.send(Reply(left=TimeUp()))
    first.send(Reply(200, run("in_progress")))


def test_a_creation_lost_behind_the_wait_is_looked_for() -> None:
    play = Play(host("wait"))
    play.send(KEPT_OUT, SEEN, Reply(200, run("completed", id="run_9")))
    assert is_get(play.send(LOST), "/threads/thread_1/runs")
    assert play.send(Reply(200, {"data": []}, KEPT)) == Sleep(0.1)


def test_the_line_is_in_order_and_for_one_thread_each() -> None:
    first, second = Play(host("queue")), Play(host("queue"))
    elsewhere = Play(Assistants("k", "thread_2", body={"assistant_id": "asst_1"}, on_active="queue"))
    outside = Play(host("wait"))
    assert [type(play.effect) for play in (first, second, elsewhere, outside)] == [Request, Sleep, Request, Request]
    assert isinstance(second.send(Reply()), Sleep)
    first.send(Reply(200, run("in_progress")))  # its run has begun: whoever is next may try
    assert is_post(second.send(Reply()), "/threads/thread_1/runs")


def test_whoever_leaves_the_line_makes_room() -> None:
    plays = [Play(host("queue")) for _ in range(3)]
    for play in plays[:2]:
        with pytest.raises(KeyboardInterrupt):
            play.send(*[Reply(left=KeyboardInterrupt()), Reply(200, {"data": []})][: 1 + (play is plays[0])])
    assert is_post(plays[2].send(Reply()), "/threads/thread_1/runs")


def test_the_pauses_in_line_grow() -> None:
    with Place(host("queue")), Place(host("queue")) as second:
        pauses = [second.pause_s for _ in range(8)]
    assert pauses == [0.02, 0.04, 0.08, 0.16, 0.25, 0.25, 0.25, 0.25]


# -- real runs ---------------------------------------------------------------------------------------------------------


@tool(approve=True)
def pay(amount: int) -> int:
    """Pay."""
    return amount


@pytest.fixture
def tools() -> Toolset:
    return Toolset(pay)


PAY = ask(ModelCall("call_a", "pay", '{"amount":5}'))


def busy(start: Start, *scripts: Script) -> tuple[World, str, Any]:
    """Give a world, and a thread with a run that waits for an approval."""
    world, _ = start(PAY, *scripts)
    thread_id: str = world.here.beta.threads.create().id
    return world, thread_id, world.run(thread_id=thread_id, input="Pay.").pending


def test_a_busy_thread_is_named(start: Start) -> None:
    world, thread_id, pending = busy(start, answer("no"))
    with pytest.raises(ThreadBusy, match=pending.run_id) as refused:
        world.run(thread_id=thread_id, input="Hello")
    assert isinstance(refused.value.__cause__, openai.BadRequestError)
    assert re.search(r"requires_action, expires at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", str(refused.value))
    assert refused.value.run is not None
    assert refused.value.run.status == "requires_action"


def test_a_busy_thread_is_taken_over(start: Start) -> None:
    world, thread_id, pending = busy(start, answer("Hello."))
    assert world.run(thread_id=thread_id, input="Hello", on_active="replace").text == "Hello."
    assert world.here.beta.threads.runs.retrieve(pending.run_id, thread_id=thread_id).status == "cancelled"


def test_a_busy_thread_is_waited_for(start: Start) -> None:
    world, thread_id, pending = busy(start, answer("Paid."), answer("Hello."))
    results: list[Any] = []
    waiting = threading.Thread(
        target=lambda: results.append(world.run(thread_id=thread_id, input="Hello", on_active="wait"))
    )
    waiting.start()
    time.sleep(0.2)
    assert not results
    assert world.resume(pending, approvals={"call_a": True}).text == "Paid."
    waiting.join(20)
    assert [result.text for result in results] == ["Hello."]


def test_the_functions_of_the_other_run_do_not_matter(start: Start) -> None:
    world, thread_id, _ = busy(start, answer("Hello."))
    plain = world.here.beta.assistants.create(model="any").id
    world.assistant_id = plain
    result = world.run(Toolset(), thread_id=thread_id, input="Hello", on_active="replace")
    assert (result.text, result.run.assistant_id) == ("Hello.", plain)


def test_waiting_ends_with_the_limit_in_seconds_and_leaves_the_other_run_alone(start: Start) -> None:
    world, thread_id, pending = busy(start, answer("no"))
    with pytest.raises(LimitReached):
        world.run(thread_id=thread_id, input="Hello", on_active="wait", limits=Limits(seconds=0.3))
    assert world.here.beta.threads.runs.retrieve(pending.run_id, thread_id=thread_id).status == "requires_action"


def test_a_queue_keeps_the_order_in_which_runs_were_asked_for(start: Start) -> None:
    world, _ = start(*([0.05, *answer("Done.")] for _ in range(5)))
    thread_id = world.here.beta.threads.create().id
    racers = []
    for number in range(5):
        racers.append(
            threading.Thread(
                target=world.run, kwargs={"thread_id": thread_id, "input": f"{number}", "on_active": "queue"}
            )
        )
        racers[-1].start()
        time.sleep(0.1 if number else 0.02)
    for racer in racers:
        racer.join(30)
    messages = world.here.beta.threads.messages.list(thread_id, order="asc").data
    said = [message.content[0].text.value for message in messages if message.role == "user"]
    assert said == ["0", "1", "2", "3", "4"]
    assert [message.role for message in messages] == ["user", "assistant"] * 5


def test_a_busy_word_that_is_none() -> None:
    world_free: Any = {"assistant_id": "a", "thread_id": "t"}
    from toolkit import run as run_it

    with pytest.raises(ValueError, match=r"run\(on_active='now'\) takes one of 'fail', 'wait', 'queue', 'replace'"):
        run_it(openai.OpenAI(api_key="k", base_url="http://127.0.0.1:9"), **world_free, on_active="now")  # type: ignore[arg-type]
