from __future__ import annotations

import pytest

from toolkit.runs.effects import Reply
from toolkit.runs.hosts.assistants import Assistants

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
    assert [post.headers["Idempotency-Key"] for post in posts] == ["k-start", "k-turn-1", "k-turn-2", "k-cancel"]


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    assert Assistants("k", "a/../b", "r?x").read(None).path == "/threads/a%2F..%2Fb/runs/r%3Fx"


def test_a_page_without_runs_finds_none() -> None:
    assert HOST.found(Reply(200, {"data": []})) is None
    assert HOST.found(Reply(200, {"unexpected": 1})) is None
    assert HOST.found(Reply(200)) is None
