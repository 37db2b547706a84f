"""Each move with values: what it changes, what it tells, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.official import assert_official
from toolkit.engine import moves
from toolkit.engine.calls import Held, Turn, Used
from toolkit.engine.jsontext import id_of
from toolkit.engine.model import ModelCall
from toolkit.engine.moves import Fenced, Moved, Said
from toolkit.engine.objects import assistants, messages, runs, steps, threads
from toolkit.engine.objects.answers import draft, drafted
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.runs import LastError, Run, Tokens
from toolkit.engine.objects.settings import CreateRun
from toolkit.engine.store import Tx
from toolkit.errors import Refused

Do = Callable[[Callable[[Tx], Any]], Any]

NOW = 1_800_000_000
USED = Tokens(10, 5, 2, 1)
CALLS = (ModelCall("call_a", "f", '{"x":1}'), ModelCall("call_b", "g", "{}"))
CHAT = json.dumps({"role": "assistant", "content": None, "tool_calls": [{"id": "call_a"}, {"id": "call_b"}]})
OUTPUTS = [("call_b", "two"), ("call_a", "one")]
OFFICIAL = {
    "thread.run": "RunObject",
    "thread.run.step": "RunStepObject",
    "thread.message": "MessageObject",
}


def begin(do: Do, **settings: Any) -> Run:
    """A queued run of a new assistant on a new thread with one question."""

    def work(tx: Tx) -> Run:
        assistant = assistants.create(tx, "default", assistants.CreateAssistant(model="m"), NOW)
        thread = threads.create(
            tx,
            "default",
            threads.CreateThread.model_validate({"messages": [{"role": "user", "content": "hello"}]}),
            NOW,
        )
        request = CreateRun.model_validate({"assistant_id": id_of(assistant), **settings})
        return runs.create(tx, "default", id_of(thread), request, NOW, expires_s=600, owner="me")

    run: Run = do(work)
    return run


def claimed(do: Do, **settings: Any) -> Run:
    run = begin(do, **settings)
    moved: Moved = do(lambda tx: moves.claim(tx, run.id, "me", NOW))
    return moved.run


def waiting(do: Do) -> Run:
    run = claimed(do)
    moved: Moved = do(lambda tx: moves.require_action(tx, run, None, Turn(CALLS, CHAT, USED), NOW))
    return moved.run


def names(moved: Moved) -> list[str]:
    for name, body in moved.events:
        value = json.loads(body)
        assert_official(OFFICIAL[value["object"]], value)
        assert name.startswith(value["object"])
    return [name for name, _ in moved.events]


def wire(do: Do, run: Run) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(do(lambda tx: runs.get(tx, run.project, run.thread, run.id)))
    assert_official("RunObject", value)
    return value


def steps_of(do: Do, run: Run) -> list[dict[str, Any]]:
    page = json.loads(do(lambda tx: steps.list_(tx, "default", run.thread, run.id, PageQuery(order="asc"))))
    assert_official("ListRunStepsResponse", page)
    found: list[dict[str, Any]] = page["data"]
    return found


def messages_of(do: Do, run: Run) -> list[dict[str, Any]]:
    query = messages.ListMessages(order="asc")
    page = json.loads(do(lambda tx: messages.list_(tx, "default", run.thread, query)))
    assert_official("ListMessagesResponse", page)
    found: list[dict[str, Any]] = page["data"]
    return found


def is_locked(do: Do, run: Run) -> bool:
    return do(lambda tx: tx.one("run.thread", id=run.thread, project="default"))["active_run"] == run.id


def chats(do: Do, run: Run) -> list[dict[str, Any]]:
    rows = do(lambda tx: tx.all("item.newest", thread=run.thread, before=2**62, limit=100))
    return [json.loads(row["chat"]) for row in reversed(rows)]


def test_a_new_run_is_queued_and_locks_its_thread(do: Do) -> None:
    run = begin(do)
    assert is_locked(do, run)
    value = wire(do, run)
    assert (value["status"], value["expires_at"], value["started_at"], value["usage"]) == (
        "queued", value["created_at"] + 600, None, None,
    )  # fmt: skip
    with pytest.raises(Refused, match=f"already has an active run {run.id}"):
        do(lambda tx: runs.create(
            tx, "default", run.thread, CreateRun(assistant_id=run.assistant), NOW,
            expires_s=600, owner="me",
        ))  # fmt: skip


def test_claiming_starts_a_run(do: Do) -> None:
    run = begin(do)
    moved = do(lambda tx: moves.claim(tx, run.id, "me", NOW + 1))
    assert names(moved) == ["thread.run.in_progress"]
    assert (moved.run.attempt, moved.run.state["started_at"]) == (1, NOW + 1)
    assert wire(do, run)["status"] == "in_progress"


@pytest.mark.parametrize(("owner", "at", "taken"), [("me", NOW, True), ("other", NOW, False), ("me", NOW + 601, False)])
def test_a_queued_run_is_claimed_by_the_worker_that_has_it(do: Do, owner: str, at: int, taken: bool) -> None:
    run = begin(do)
    assert (do(lambda tx: moves.claim(tx, run.id, owner, at)) is not None) == taken


def test_a_run_that_nobody_has_is_anybodys_to_claim(do: Do) -> None:
    run = begin(do)
    do(lambda tx: tx.run("run.let_go", owner="me"))
    assert do(lambda tx: moves.claim(tx, run.id, "other", NOW)) is not None
    assert do(lambda tx: moves.claim(tx, run.id, "me", NOW)) is None


def test_a_run_under_way_that_lost_its_task_is_taken_again_by_its_worker_at_once(do: Do) -> None:
    run = claimed(do)
    moved = do(lambda tx: moves.claim(tx, run.id, "me", NOW + 1))
    assert (moved.run.attempt, wire(do, run)["status"]) == (2, "in_progress")


def test_a_run_under_way_is_taken_over_only_when_its_worker_has_lost_it(do: Do) -> None:
    run = claimed(do)
    assert do(lambda tx: moves.claim(tx, run.id, "other", NOW + 1)) is None
    writing, _ = do(lambda tx: moves.begin_message(tx, run, NOW))
    message_id = writing.message["id"]
    for piece in ("Half ", "of it"):
        do(lambda tx, piece=piece: draft(tx, message_id, piece))
    do(lambda tx: tx.run("run.let_go", owner="me"))
    moved = do(lambda tx: moves.claim(tx, run.id, "other", NOW + 6))
    assert names(moved) == ["thread.message.incomplete", "thread.run.step.failed", "thread.run.in_progress"]
    assert moved.run.attempt == 2
    assert moved.run.state["started_at"] == NOW
    with pytest.raises(Fenced):
        do(lambda tx: moves.finish_message(tx, run, Said("late", writing=writing), NOW + 7, USED))
    with pytest.raises(Fenced):
        do(lambda tx: moves.complete(tx, run, NOW + 7, USED, Said("late", writing=writing)))
    do(lambda tx: draft(tx, message_id, "late"))
    text = {"value": "Half of it", "annotations": []}
    assert messages_of(do, run)[-1]["content"] == [{"type": "text", "text": text}], "what was heard of it"
    assert drafted_of(do, message_id) == "", "nothing is kept of a message that is closed"
    assert chats(do, run) == [{"role": "user", "content": "hello"}], "and no model reads it"


def drafted_of(do: Do, message_id: str) -> str:
    return do(lambda tx: drafted(tx, message_id))


def test_a_run_remembers_the_ids_of_its_calls_and_how_often_it_asked(do: Do) -> None:
    run = waiting(do)
    assert run.turns == 1
    assert {row["id"] for row in do(lambda tx: tx.all("call.of_run", run=run.id))} == {"call_a", "call_b"}
    moved = do(lambda tx: moves.submit(tx, run, OUTPUTS, NOW, owner="me"))
    assert moved.run.turns == 1


def test_an_answer_is_a_message_and_a_step(do: Do) -> None:
    run = claimed(do)
    writing, begun = do(lambda tx: moves.begin_message(tx, run, NOW))
    assert names(begun) == [
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
    ]
    moved = do(lambda tx: moves.complete(tx, run, NOW + 3, USED, Said("hi there", writing=writing)))
    assert names(moved) == ["thread.message.completed", "thread.run.step.completed", "thread.run.completed"]
    value = wire(do, run)
    assert (value["status"], value["completed_at"], value["expires_at"]) == ("completed", NOW + 3, None)
    assert value["usage"]["total_tokens"] == 15
    question, answer = messages_of(do, run)
    assert answer["created_at"] > value["created_at"] >= question["created_at"]
    assert answer["content"] == [{"type": "text", "text": {"value": "hi there", "annotations": []}}]
    [step] = steps_of(do, run)
    assert step["step_details"]["message_creation"]["message_id"] == answer["id"]
    assert step["usage"] == value["usage"]
    assert not is_locked(do, run)
    assert chats(do, run)[-1] == {"role": "assistant", "content": "hi there"}


def test_an_answer_nobody_listened_to_comes_out_the_same(do: Do) -> None:
    run = claimed(do)
    moved = do(lambda tx: moves.complete(tx, run, NOW, USED, Said("hi")))
    assert names(moved)[:4] == [
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
    ]
    assert [message["status"] for message in messages_of(do, run)] == ["completed", "completed"]


@pytest.mark.parametrize("text", ["half a sent", ""])
def test_an_answer_cut_by_a_limit_is_incomplete(do: Do, text: str) -> None:
    run = claimed(do)
    do(lambda tx: moves.complete(tx, run, NOW, USED, Said(text), cut="max_completion_tokens"))
    value = wire(do, run)
    assert value["status"] == "incomplete"
    assert value["incomplete_details"] == {"reason": "max_completion_tokens"}
    assert value["completed_at"] is None
    if text:
        answer = messages_of(do, run)[-1]
        assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_tokens"})
        assert answer["content"][0]["text"]["value"] == text
    else:
        assert len(messages_of(do, run)) == 1
    assert not is_locked(do, run)


def test_calls_wait_for_the_application(do: Do) -> None:
    run = waiting(do)
    value = wire(do, run)
    assert value["status"] == "requires_action"
    assert value["required_action"]["submit_tool_outputs"]["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
        {"id": "call_b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    [step] = steps_of(do, run)
    assert step["status"] == "in_progress"
    assert [call["function"]["output"] for call in step["step_details"]["tool_calls"]] == [None, None]
    assert is_locked(do, run)
    assert chats(do, run) == [{"role": "user", "content": "hello"}], "the model reads no call without its output"


def test_outputs_complete_the_step_and_queue_the_run(do: Do) -> None:
    run = waiting(do)
    moved = do(lambda tx: moves.submit(tx, run, OUTPUTS, NOW + 2, owner="me"))
    assert names(moved) == ["thread.run.step.completed", "thread.run.queued"]
    assert moved.run.state["required_action"] is None
    [step] = steps_of(do, run)
    assert [call["function"]["output"] for call in step["step_details"]["tool_calls"]] == ["one", "two"]
    assert step["usage"]["prompt_tokens"] == 10
    asked, first, second = chats(do, run)[1:]
    assert asked == json.loads(CHAT)
    assert first == {"role": "tool", "tool_call_id": "call_a", "content": "one"}
    assert second == {"role": "tool", "tool_call_id": "call_b", "content": "two"}
    with pytest.raises(Refused, match=r'Runs in status "queued" do not accept tool outputs.'):
        do(lambda tx: moves.submit(tx, moved.run, OUTPUTS, NOW, owner="me"))


@pytest.mark.parametrize(
    "outputs",
    [[("call_a", "1")], [], [*OUTPUTS, ("call_c", "3")], [("call_a", "1"), ("call_a", "2")], [*OUTPUTS, OUTPUTS[0]]],
)
def test_outputs_that_do_not_fit_leave_the_run_waiting(do: Do, outputs: list[tuple[str, str]]) -> None:
    run = waiting(do)
    given = [call_id for call_id, _ in outputs]
    with pytest.raises(Refused) as refused:
        do(lambda tx: moves.submit(tx, run, outputs, NOW, owner="me"))
    assert refused.value.message == f"Expected tool outputs for call_ids ['call_a', 'call_b'], got {given}"
    assert wire(do, run)["status"] == "requires_action"
    do(lambda tx: moves.submit(tx, run, OUTPUTS, NOW, owner="me"))


def test_text_before_calls_is_a_message_of_its_own(do: Do) -> None:
    run = claimed(do)
    writing, _ = do(lambda tx: moves.begin_message(tx, run, NOW))
    do(lambda tx: moves.finish_message(tx, run, Said("Let me look.", writing=writing), NOW, Tokens()))
    step, _ = do(lambda tx: moves.begin_calls(tx, run, NOW))
    chat = json.dumps({**json.loads(CHAT), "content": "Let me look."})
    message_id = writing.message["id"]
    moved = do(lambda tx: moves.require_action(tx, run, step, Turn(CALLS, chat, USED, message_id=message_id), NOW))
    assert messages_of(do, run)[-1]["status"] == "completed"
    do(lambda tx: moves.submit(tx, moved.run, OUTPUTS, NOW, owner="me"))
    assert [chat["role"] for chat in chats(do, run)] == ["user", "assistant", "tool", "tool"]
    times = [step["completed_at"] for step in steps_of(do, run)]
    assert times == sorted(set(times)), "clients sort steps by completed_at"


def test_text_deleted_while_its_calls_waited_stays_deleted(do: Do) -> None:
    run = claimed(do)
    message_id, _ = do(lambda tx: moves.finish_message(tx, run, Said("Secret."), NOW, Tokens()))
    chat = json.dumps({**json.loads(CHAT), "content": "Secret."})
    moved = do(lambda tx: moves.require_action(tx, run, None, Turn(CALLS, chat, USED, message_id=message_id), NOW))
    do(lambda tx: messages.delete(tx, "default", run.thread, message_id))
    do(lambda tx: moves.submit(tx, moved.run, OUTPUTS, NOW, owner="me"))
    assert "Secret." not in json.dumps(chats(do, run))
    assert chats(do, run)[1]["tool_calls"]


@pytest.mark.parametrize(
    ("stage", "event"),
    [
        (stage, event)
        for stage in ("queued", "in_progress", "writing", "waiting")
        for event in ("cancel", "expire", "fail")
        if (stage, event) != ("waiting", "fail")  # nobody fails a run that waits
    ],
)
def test_other_ends_close_all_and_free_the_thread(do: Do, stage: str, event: Any) -> None:
    status = {"cancel": "cancelled", "expire": "expired", "fail": "failed"}[event]
    reason = {"cancel": "run_cancelled", "expire": "run_expired", "fail": "run_failed"}[event]
    run = {"queued": begin, "waiting": waiting}.get(stage, claimed)(do)
    if stage == "writing":
        do(lambda tx: moves.begin_message(tx, run, NOW))
    error = LastError("rate_limit_exceeded", "slow down") if event == "fail" else None
    moved = do(lambda tx: moves.end(tx, run, event, NOW + 9, error=error, text="half"))
    assert names(moved)[-1] == f"thread.run.{status}"
    at_work = event == "cancel" and stage in ("in_progress", "writing")
    assert (names(moved)[0] == "thread.run.cancelling") == at_work
    value = wire(do, run)
    assert value["status"] == status
    assert value["required_action"] is None
    assert value["last_error"] == ({"code": "rate_limit_exceeded", "message": "slow down"} if error else None)
    assert [value[key] for key in ("cancelled_at", "failed_at", "completed_at")] == [
        NOW + 9 if event == "cancel" else None,
        NOW + 9 if event == "fail" else None,
        None,
    ]
    assert all(step["status"] == status for step in steps_of(do, run))
    if stage == "writing":
        answer = messages_of(do, run)[-1]
        assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": reason})
        assert answer["content"][0]["text"]["value"] == "half"
    assert not is_locked(do, run)
    with pytest.raises(Fenced):
        do(lambda tx: moves.complete(tx, run, NOW + 10, USED, Said("late")))
    with pytest.raises(Refused):
        do(lambda tx: moves.end(tx, moved.run, "cancel", NOW + 10))


def test_changed_metadata_survives_the_runs_own_moves(do: Do) -> None:
    run = claimed(do)
    request = runs.ModifyRun(metadata={"k": "v"})
    do(lambda tx: runs.modify(tx, "default", run.thread, run.id, request))
    moved = do(lambda tx: moves.complete(tx, run, NOW, USED, Said("hi")))
    assert json.loads(moved.run.wire)["metadata"] == {"k": "v"}
    assert wire(do, run)["metadata"] == {"k": "v"}


def test_metadata_of_a_message_changed_while_it_is_written_stays(do: Do) -> None:
    run = claimed(do)
    writing, _ = do(lambda tx: moves.begin_message(tx, run, NOW))
    request = messages.ModifyMessage(metadata={"k": "v"})
    do(lambda tx: messages.modify(tx, "default", run.thread, writing.message["id"], request))
    do(lambda tx: moves.complete(tx, run, NOW, USED, Said("hi", writing=writing)))
    assert messages_of(do, run)[-1]["metadata"] == {"k": "v"}


def test_a_message_deleted_while_it_is_written_stays_deleted(do: Do) -> None:
    run = claimed(do)
    writing, _ = do(lambda tx: moves.begin_message(tx, run, NOW))
    do(lambda tx: messages.delete(tx, "default", run.thread, writing.message["id"]))
    moved = do(lambda tx: moves.complete(tx, run, NOW, USED, Said("hi", writing=writing)))
    assert names(moved) == ["thread.run.step.completed", "thread.run.completed"]
    assert len(messages_of(do, run)) == 1


def held(do: Do, *, function: bool = False) -> tuple[Run, Held]:
    """A run whose turn with a call of code_interpreter is written and not answered, perhaps beside a function's."""
    run = claimed(do)
    calls = [ModelCall("call_c", "code_interpreter", '{"code":"1"}'), *(CALLS[:1] if function else ())]
    asked = [{"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in calls]
    chat = json.dumps({"role": "assistant", "content": None, "tool_calls": asked})
    turn = Turn(calls, chat, USED, {"call_c": code("1")})
    kept, moved = do(lambda tx: moves.call_tools(tx, run, None, turn, NOW, owner="me"))
    return moved.run, kept


def code(text: str, *outputs: Any) -> Any:
    return {"id": "call_c", "type": "code_interpreter", "code_interpreter": {"input": text, "outputs": list(outputs)}}


def test_a_turn_of_own_calls_is_written_before_they_are_answered(do: Do) -> None:
    run, kept = held(do, function=True)
    assert (run.status, run.turns, run.used) == ("in_progress", 1, USED)
    [step] = steps_of(do, run)
    assert (step["status"], step["step_details"]["tool_calls"][0]) == ("in_progress", code("1"))
    assert [chat["role"] for chat in chats(do, run)] == ["user"], "no model reads it before it is answered"
    found = do(lambda tx: moves.held(tx, run))
    assert (found.step["id"], found.turn) == (kept.step["id"], kept.turn)


def test_who_takes_a_run_over_goes_on_with_its_turn(do: Do) -> None:
    run, kept = held(do)
    log: Any = {"type": "logs", "logs": "1"}
    do(lambda tx: moves.note(tx, run, kept.with_output(0, log)))
    again = do(lambda tx: moves.claim(tx, run.id, "me", NOW)).run
    found = do(lambda tx: moves.held(tx, again))
    assert found.calls == [code("1", log)]
    assert found.emptied().calls == [code("1")]
    used = {"call_c": Used(code("1", log), code("1", log), "1")}
    with pytest.raises(Fenced):
        do(lambda tx: moves.go_on(tx, run, kept, used, NOW, owner="me"))
    with pytest.raises(Fenced):
        do(lambda tx: moves.note(tx, run, kept))
    moved = do(lambda tx: moves.go_on(tx, again, found, used, NOW, owner="me"))
    assert (moved.run.status, moved.run.turns, moved.run.used) == ("in_progress", 1, USED)
    [step] = steps_of(do, again)
    assert (step["status"], step["step_details"]["tool_calls"]) == ("completed", [code("1", log)])
    assert [chat["role"] for chat in chats(do, again)] == ["user", "assistant", "tool"]
    assert do(lambda tx: moves.held(tx, moved.run)) is None


def test_a_turn_of_both_waits_for_the_application(do: Do) -> None:
    run, kept = held(do, function=True)
    used = {"call_c": Used(code("1"), code("1"), "of code")}
    moved = do(lambda tx: moves.go_on(tx, run, kept, used, NOW, owner="me"))
    assert moved.run.status == "requires_action"
    action = moved.run.state["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [call["id"] for call in action] == ["call_a"]
    do(lambda tx: moves.submit(tx, moved.run, [("call_a", "one")], NOW, owner="me"))
    outputs = [chat["content"] for chat in chats(do, run) if chat["role"] == "tool"]
    assert outputs == ["of code", "one"]


def test_a_cancel_in_the_middle_of_own_calls_keeps_what_was_noted(do: Do) -> None:
    run, kept = held(do)
    picture: Any = {"type": "image", "image": {"file_id": "file-1"}}
    do(lambda tx: moves.note(tx, run, kept.with_output(0, picture)))
    do(lambda tx: moves.end(tx, run, "cancel", NOW))
    [step] = steps_of(do, run)
    assert (step["status"], step["step_details"]["tool_calls"]) == ("cancelled", [code("1", picture)])
    assert [chat["role"] for chat in chats(do, run)] == ["user"]


def test_pictures_stand_before_the_text(do: Do) -> None:
    run = claimed(do)
    said = Said("A chart.", pictures=["file-1"])
    moved = do(lambda tx: moves.complete(tx, run, NOW, USED, said))
    told = [json.loads(body) for name, body in moved.events if name.startswith("thread.message.")]
    assert [event.get("content", event.get("delta")) for event in told][:3] == [
        [],
        [],
        {"content": [{"index": 0, "type": "image_file", "image_file": {"file_id": "file-1"}}]},
    ]
    [message] = messages_of(do, run)[-1:]
    assert [part["type"] for part in message["content"]] == ["image_file", "text"]
    assert chats(do, run)[-1] == {"role": "assistant", "content": "A chart."}
