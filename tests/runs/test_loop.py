"""The loop with values: send a reply, compare the next effect. No client, no clock."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runs.play import CREATED, FAILED, KEPT, LOST, NEW, OK, PICKED_UP, RUN, Play, done, is_get, is_post, run, said
from toolkit import LimitReached, Limits, RunCancelled, RunError, RunExpired, RunFailed, RunLost
from toolkit.runs.effects import Call, Reply, RunTools, Sleep, TimeUp


def test_a_run_that_completes_at_once() -> None:
    play = Play()
    assert is_post(play.effect, "/threads/thread_1/runs")
    result = play.end(Reply(200, OK, messages=[said("Hello")]))
    assert (result.text, result.turns, result.calls) == ("Hello", 0, ())


def test_a_turn_of_tools() -> None:
    play = Play()
    effect = play.send(Reply(200, run("requires_action", "c1", "c2")))
    calls = (Call("c1", "f", "{}"), Call("c2", "f", "{}"))
    assert effect == RunTools(calls, {"f": 3}, "run_1", "thread_1")
    effect = play.send(done("c1", "c2"))
    assert is_post(effect, f"{RUN}/submit_tool_outputs")
    assert effect.body == {
        "tool_outputs": [{"tool_call_id": "c1", "output": "ok"}, {"tool_call_id": "c2", "output": "ok"}],
        "stream": True,
    }
    result = play.end(Reply(200, OK, messages=[said("Done")]))
    assert (result.turns, len(result.calls), result.text) == (1, 2, "Done")


def test_a_broken_stream_is_polled_with_growing_pauses() -> None:
    play = Play()
    pauses = []
    effect = play.send(Reply(None, run("queued")))
    for _ in range(8):
        assert is_get(effect, RUN)
        effect = play.send(CREATED)
        assert isinstance(effect, Sleep)
        pauses.append(effect.seconds)
        effect = play.send(Reply())
    assert pauses == [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0]


def test_the_server_says_how_soon_to_poll() -> None:
    play = Play()
    effect = play.send(Reply(None, run("queued")), Reply(200, run("queued"), {"openai-poll-after-ms": "250"}))
    assert effect == Sleep(0.25)


def test_messages_that_no_stream_brought_are_listed_over_all_pages() -> None:
    play = Play()
    effect = play.send(CREATED, Reply(200, OK))
    assert is_get(effect, "/threads/thread_1/messages")
    assert "run_id=run_1&order=asc&limit=100" in effect.path
    question = {**said("?"), "role": "user"}
    effect = play.send(Reply(200, {"data": [question, said("One")], "has_more": True}))
    assert effect.path.endswith("&after=msg_1")
    result = play.end(Reply(200, {"data": [said("Two")], "has_more": False}))
    assert [message["content"][0]["text"]["value"] for message in result.messages_json] == ["One", "Two"]


@pytest.mark.parametrize("lost", [LOST, FAILED, Reply(None)])
def test_a_lost_creation_is_repeated_with_its_key_where_keys_are_kept(lost: Reply) -> None:
    play = Play()
    first = play.effect
    effect = play.send(lost)
    assert is_get(effect, "/threads/thread_1/runs")
    assert play.send(Reply(200, {"data": []}, KEPT)) == Sleep(0.1)
    assert play.send(Reply()) == first
    play.end(Reply(200, OK))


def test_a_failed_creation_is_repeated_at_once_when_its_answer_says_that_keys_are_kept() -> None:
    play = Play()
    first = play.effect
    assert play.send(Reply(500, headers=KEPT)) == Sleep(0.1)
    assert play.send(Reply()) == first


def test_a_lost_creation_is_found() -> None:
    play = Play()
    effect = play.send(LOST, Reply(200, {"data": [run("in_progress")]}))
    assert is_get(effect, RUN)


@pytest.mark.parametrize(
    ("run", "ours"),
    [
        (run("in_progress"), True),
        (run("requires_action", "c1"), True),
        (run("in_progress", assistant_id="asst_2"), False),
        (run("completed", created_at=1000), True),
        (run("completed", created_at=988), False),
        (run("completed", created_at=1000, assistant_id="asst_2"), False),
    ],
)
def test_which_run_is_taken_for_a_lost_one(run: dict[str, Any], ours: bool) -> None:
    play = Play()
    # The loop began 10.5 s ago; the server's clock now shows 1000.
    reply = Reply(200, {"data": [run]}, {"date": "Thu, 01 Jan 1970 00:16:40 GMT"}, elapsed_s=10.5)
    effect = play.send(LOST, reply)
    assert is_get(effect, RUN) if ours else effect == Sleep(0.1)


def test_a_creation_that_arrived_late_is_found_when_its_repetition_is_refused() -> None:
    play = Play()
    play.send(LOST, Reply(200, {"data": []}), Reply())
    effect = play.send(Reply(400, error=ValueError("already has an active run")))
    assert is_get(effect, "/threads/thread_1/runs")
    assert is_get(play.send(Reply(200, {"data": [run("queued")]})), RUN)


def test_a_thread_and_run_is_not_created_again() -> None:
    play = Play(NEW)
    assert is_post(play.effect, "/threads/runs")
    assert is_get(play.send(LOST), "/assistants/asst_1")
    with pytest.raises(RunLost, match="second run") as lost:
        play.send(Reply(200, {}))
    assert lost.value.__cause__ is LOST.error


def test_a_thread_and_run_is_created_again_where_keys_are_kept_or_none_was_made() -> None:
    play = Play(NEW)
    first = play.effect
    assert play.send(LOST, Reply(200, {}, KEPT), Reply()) == first
    play = Play(NEW)
    assert play.send(Reply(429, headers={"retry-after": "7"})) == Sleep(7)
    assert play.send(Reply()) == first


def test_what_is_refused_is_the_clients_own_exception_and_nothing_is_cancelled() -> None:
    error = LookupError("No assistant found")
    with pytest.raises(LookupError) as raised:
        Play().send(Reply(404, error=error))
    assert raised.value is error


def test_giving_up_before_there_is_a_run() -> None:
    play = Play()
    for _ in range(3):
        play.send(Reply(429, error=OSError("busy")), Reply())
    with pytest.raises(OSError, match="busy"):
        play.send(Reply(429, error=OSError("busy")))


def test_a_lost_submit_hands_in_the_same_outputs_while_the_run_waits_for_them() -> None:
    waiting = run("requires_action", "c1")
    play = Play()
    submit = play.send(Reply(200, waiting), done("c1"))
    assert is_get(play.send(LOST), RUN)
    assert play.send(Reply(200, waiting)) == Sleep(0.1)
    assert play.send(Reply()) == submit
    assert is_get(play.send(Reply(400, error=ValueError("do not accept"))), RUN)
    assert play.send(Reply(200, run("in_progress")))


def test_a_lost_submit_that_arrived_is_gone_on_with() -> None:
    play = Play()
    play.send(Reply(200, run("requires_action", "c1")), done("c1"), LOST)
    effect = play.send(Reply(200, run("requires_action", "c2")))
    assert isinstance(effect, RunTools)
    assert effect.calls[0].id == "c2"


def test_a_lost_submit_is_repeated_at_once_where_keys_are_kept() -> None:
    play = Play()
    submit = play.send(Reply(200, run("requires_action", "c1"), KEPT), done("c1"))
    assert play.send(LOST) == Sleep(0.1)
    assert play.send(Reply()) == submit


def test_refused_outputs_end_the_run() -> None:
    waiting = run("requires_action", "c1")
    play = Play()
    effect = play.send(Reply(200, waiting), done("c1"), Reply(413, error=ValueError("too large")), Reply(200, waiting))
    assert is_post(effect, f"{RUN}/cancel")
    with pytest.raises(RunError, match="too large"):
        play.send(Reply(200, run("cancelled")))


def test_a_server_that_never_answers_again_loses_the_run_and_does_not_cancel_it() -> None:
    play = Play()
    play.send(CREATED)
    waited = 0.0
    with pytest.raises(RunLost, match=r"error\.pending") as lost:
        while True:
            effect = play.send(LOST)
            assert isinstance(effect, Sleep)
            waited += effect.seconds
            play.send(Reply())
    assert waited > 15
    assert lost.value.result is not None
    assert lost.value.result.run_id == "run_1"


@pytest.mark.parametrize(
    ("status", "kind"), [("failed", RunFailed), ("cancelled", RunCancelled), ("expired", RunExpired)]
)
def test_bad_ends(status: str, kind: type[RunError]) -> None:
    error = {"code": "server_error", "message": "Sorry"}
    with pytest.raises(kind) as ended:
        Play().send(Reply(200, run(status, last_error=error)))
    assert ended.value.result is not None
    assert ended.value.result.status == status


def test_incomplete_is_a_result() -> None:
    assert Play().end(Reply(200, run("incomplete"))).status == "incomplete"


# -- leaving and limits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [GeneratorExit(), KeyboardInterrupt(), LookupError("the app's")])
def test_leaving_cancels_and_gives_the_reason_back(reason: BaseException) -> None:
    play = Play()
    effect = play.send(Reply(200, run("in_progress"), left=reason))
    assert is_post(effect, f"{RUN}/cancel")
    assert effect.body is None
    with pytest.raises(type(reason)) as raised:
        play.send(Reply(200, run("cancelled")))
    assert raised.value is reason
    assert raised.value.__context__ is None


def test_leaving_while_the_creation_is_under_way_looks_for_the_run_first() -> None:
    play = Play()
    assert is_get(play.send(Reply(left=TimeUp())), "/threads/thread_1/runs")
    assert is_post(play.send(Reply(200, {"data": [run("queued")]})), f"{RUN}/cancel")
    with pytest.raises(LimitReached) as reached:
        play.send(Reply(200, run("cancelled")))
    assert reached.value.limit == "seconds"
    assert reached.value.result is not None


def test_leaving_when_nothing_is_known_of_a_run() -> None:
    with pytest.raises(KeyboardInterrupt):
        Play(NEW).send(Reply(left=KeyboardInterrupt()))


def test_a_run_that_is_over_or_picked_up_is_not_cancelled() -> None:
    with pytest.raises(KeyboardInterrupt):
        Play().send(Reply(200, OK, left=KeyboardInterrupt()))
    play = Play(PICKED_UP)
    assert is_get(play.effect, RUN)
    with pytest.raises(LimitReached):
        play.send(Reply(200, run("in_progress"), left=TimeUp()))


def test_a_second_reason_to_leave_ends_even_the_cancelling() -> None:
    play = Play()
    play.send(Reply(200, run("in_progress"), left=TimeUp()))
    with pytest.raises(KeyboardInterrupt):
        play.send(Reply(left=KeyboardInterrupt()))


def test_a_limit_ends_the_run_before_its_tools_run() -> None:
    play = Play(limits=Limits(calls=1))
    assert is_post(play.send(Reply(200, run("requires_action", "c1", "c2"))), f"{RUN}/cancel")
    with pytest.raises(LimitReached, match="calls=1") as reached:
        play.send(Reply(200, run("cancelled")))
    assert reached.value.result is not None
    assert (reached.value.result.status, reached.value.result.calls) == ("cancelled", ())


def test_calls_that_had_finished_are_told_when_we_leave() -> None:
    play = Play()
    play.send(Reply(200, run("requires_action", "c1", "c2")))
    play.send(Reply(finished=done("c1").finished, left=TimeUp()))
    with pytest.raises(LimitReached) as reached:
        play.send(FAILED)
    assert reached.value.result is not None
    assert [one.call.id for one in reached.value.result.calls] == ["c1"]
