from __future__ import annotations

from dataclasses import replace

import pytest

from toolkit.runs.effects import Call, Reply
from toolkit.runs.hosts.assistants import Assistants
from toolkit.tools.attachments import Attachment, File, Image

HOST = Assistants("k", "thread_1", body={"assistant_id": "asst_1"})


@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelling", "some_new_status"])
def test_runs_under_way(status: str) -> None:
    assert HOST.turn({"status": status}).status == "working"


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled", "expired"])
def test_ends(status: str) -> None:
    assert HOST.turn({"status": status, "last_error": None}).status == status


def test_an_error_is_told() -> None:
    turn = HOST.turn({"status": "failed", "last_error": {"code": "server_error", "message": "Sorry"}})
    assert (turn.code, turn.reason) == ("server_error", "Sorry")


def test_which_events_matter() -> None:
    for event in ("thread.run.created", "thread.run.queued", "thread.run.cancelling"):
        assert HOST.carries(event) == "run"
    for event in ("thread.run.requires_action", "thread.run.completed", "thread.run.expired", "thread.run.incomplete"):
        assert HOST.carries(event) == "last run"
    assert HOST.carries("thread.message.incomplete") == "message"
    assert HOST.carries("error") == "error"
    for event in ("thread.run.step.created", "thread.run.step.delta", "thread.message.delta", "thread.created"):
        assert HOST.carries(event) is None


def test_every_post_has_a_key_and_the_key_tells_the_turn() -> None:
    run = {"thread_id": "thread_1", "id": "run_1"}
    posts = [HOST.start(), HOST.submit(run, [], 1), HOST.submit(run, [], 2), HOST.cancel(run)]
    assert [post.headers["Idempotency-Key"] for post in posts] == ["k-start", "k-turn-1", "k-turn-2", "k-cancel-run_1"]


RUN = {"id": "run_1", "thread_id": "thread_1"}
PLOT = Call("call_1", "plot", "{}")


def test_images_and_files_are_uploaded_as_what_they_are() -> None:
    image = HOST.upload(RUN, PLOT, Image(b"png", "image/svg+xml"))
    assert (image.method, image.path, image.body) == ("POST", "/files", {"purpose": "vision"})
    assert (image.file, image.headers["Content-Type"]) == (("plot.svg", b"png", "image/svg+xml"), "multipart/form-data")
    file = HOST.upload(RUN, PLOT, File(b"pdf", "r\ud800port.pdf", "application/pdf"))
    assert (file.body, file.file) == ({"purpose": "assistants"}, ("r?port.pdf", b"pdf", "application/pdf"))


@pytest.mark.parametrize("media_type", ["image/png\r\nX-Evil: 1", "image", "", "image/\u00e9"])
def test_a_type_that_is_none_cannot_leave_its_place_in_the_form(media_type: str) -> None:
    assert HOST.upload(RUN, PLOT, Image(b"png", media_type)).file == (
        "plot.octet-stream",
        b"png",
        "application/octet-stream",
    )


def test_the_same_bytes_in_the_same_run_have_the_same_key_in_every_process() -> None:
    def key(host: Assistants, run_id: str, attachment: Attachment, tool: str = "plot") -> str:
        return host.upload({**RUN, "id": run_id}, Call("any", tool, "{}"), attachment).headers["Idempotency-Key"]

    first = key(HOST, "run_1", Image(b"png"))
    assert first == key(replace(HOST, key="another"), "run_1", Image(b"png"))
    others = [
        key(HOST, "run_2", Image(b"png")),
        key(HOST, "run_1", Image(b"gif")),
        key(HOST, "run_1", Image(b"png", "image/gif")),
        key(HOST, "run_1", Image(b"png"), "draw"),
        key(HOST, "run_1", File(b"png", "plot.gif", "image/png")),
    ]
    assert len({first, *others}) == 6
    assert all(len(one) <= 255 for one in others)


def test_which_answer_to_an_upload_is_a_file() -> None:
    assert HOST.uploaded(Reply(200, {"object": "file", "id": "file-1"})) == "file-1"
    for reply in (Reply(200, {"object": "list", "id": "no"}), Reply(500), Reply(None), Reply(200, {"object": "file"})):
        assert HOST.uploaded(reply) is None


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    assert Assistants("k", "a/../b", "r?x").read(None).path == "/threads/a%2F..%2Fb/runs/r%3Fx"


def test_a_page_without_runs_finds_none() -> None:
    assert HOST.found(Reply(200, {"data": []})) is None
    assert HOST.found(Reply(200, {"unexpected": 1})) is None
    assert HOST.found(Reply(200)) is None


def test_who_keeps_a_run_out_of_its_thread() -> None:
    busy = Reply(400, error=ValueError("Thread thread_1 already has an active run run_9."))
    assert HOST.is_kept_out(busy)
    assert not HOST.is_kept_out(Reply(500, error=busy.error))
    assert not HOST.is_kept_out(Reply(400, error=ValueError("no such assistant")))
    assert not Assistants("k", body={"assistant_id": "a", "thread": {}}).is_kept_out(busy)
    assert HOST.newest(Reply(200, {"data": [{"id": "run_9"}, {"id": "run_8"}]})) == {"id": "run_9"}
    assert HOST.newest(Reply(200, {"data": []})) is None
    assert HOST.newest(Reply(None)) is None


def test_an_expired_run_is_over_unless_a_new_one_is_to_go_on() -> None:
    run = {"status": "expired", "id": "run_1", "thread_id": "thread_1"}
    assert HOST.turn(run).status == "expired"
    assert replace(HOST, on_expiry="new_run").turn(run).status == "late"
    assert replace(HOST, on_expiry="new_run").turn({**run, "status": "failed"}).status == "failed"


def test_the_calls_that_an_expired_run_has_no_outputs_of() -> None:
    run = {"id": "run/1", "thread_id": "thread_1"}
    assert HOST.steps(run).path == "/threads/thread_1/runs/run%2F1/steps?limit=1&order=desc"
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}", "output": "out"}},
        {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}", "output": None}},
        {"id": "c3", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {"id": "c4", "type": "code_interpreter", "code_interpreter": {}},
    ]
    steps = [{"step_details": {"type": "tool_calls", "tool_calls": calls}}]
    assert [call.id for call in HOST.unanswered(Reply(200, {"data": steps}))] == ["c2", "c3"]
    message = {"step_details": {"type": "message_creation", "message_creation": {"message_id": "m"}}}
    assert HOST.unanswered(Reply(200, {"data": [message]})) == []


def test_the_run_that_goes_on_from_an_expired_one() -> None:
    run = {"id": "run_1", "thread_id": "thread_1", "assistant_id": "asst_1", "metadata": None}
    assert HOST.runs(run).path == "/threads/thread_1/runs?limit=100&order=desc"
    heirs = [{"id": "run_3", "metadata": None}, {"id": "run_2", "metadata": {"continues_run": "run_1"}}]
    assert HOST.heir(run, Reply(200, {"data": heirs})) == heirs[1]
    assert HOST.heir(run, Reply(200, {"data": heirs[:1]})) is None
    successor = Assistants("k", "thread_1", "run_1", on_expiry="new_run").successor(run, [])
    assert (successor.picked_up, successor.on_active, successor.on_expiry) == (False, "wait", "new_run")
    assert successor.start().headers["Idempotency-Key"] == "after-run_1"
    assert successor.submit(run, [], 2).headers["Idempotency-Key"] == "k-turn-2"
