"""Every cell of the tables, written out a second time as the sentences of the API guide say it."""

from __future__ import annotations

from typing import get_args

import pytest

from toolkit.engine.states import (
    ACTIVE,
    ENDED,
    MESSAGE_MOVES,
    RUN_MOVES,
    STEP_MOVES,
    UPLOAD_MOVES,
    MessageEvent,
    RunEvent,
    StepEvent,
    UploadEvent,
    message_after,
    run_after,
    step_after,
    upload_after,
)
from toolkit.errors import Refused

RUN = {
    ("queued", "claim"): "in_progress",
    ("queued", "cancel"): "cancelled",
    ("queued", "expire"): "expired",
    ("queued", "fail"): "failed",
    ("in_progress", "claim"): "in_progress",
    ("in_progress", "call_tools"): "in_progress",
    ("in_progress", "use_tools"): "in_progress",
    ("in_progress", "require_action"): "requires_action",
    ("in_progress", "complete"): "completed",
    ("in_progress", "run_out"): "incomplete",
    ("in_progress", "fail"): "failed",
    ("in_progress", "cancel"): "cancelled",
    ("in_progress", "expire"): "expired",
    ("requires_action", "submit"): "queued",
    ("requires_action", "cancel"): "cancelled",
    ("requires_action", "expire"): "expired",
    ("cancelling", "cancel"): "cancelled",
    ("cancelling", "complete"): "completed",
    ("cancelling", "run_out"): "incomplete",
    ("cancelling", "fail"): "failed",
    ("cancelling", "expire"): "expired",
}


@pytest.mark.parametrize("status", sorted(ACTIVE | ENDED))
@pytest.mark.parametrize("event", get_args(RunEvent))
def test_every_cell_of_the_run_table(status: str, event: RunEvent) -> None:
    if (after := RUN.get((status, event))) is not None:
        assert run_after(status, event) == after
    else:
        with pytest.raises(Refused) as refused:
            run_after(status, event)
        assert refused.value.status == 400
        assert status in refused.value.message


@pytest.mark.parametrize("event", get_args(StepEvent))
def test_a_step_ends_once(event: StepEvent) -> None:
    after = step_after("in_progress", event)
    assert after == {"complete": "completed", "fail": "failed", "cancel": "cancelled", "expire": "expired"}[event]
    for again in get_args(StepEvent):
        with pytest.raises(KeyError):
            step_after(after, again)


@pytest.mark.parametrize("event", get_args(MessageEvent))
def test_a_message_ends_once(event: MessageEvent) -> None:
    after = message_after("in_progress", event)
    assert after == {"complete": "completed", "break_off": "incomplete"}[event]
    for again in get_args(MessageEvent):
        with pytest.raises(KeyError):
            message_after(after, again)


@pytest.mark.parametrize("event", get_args(UploadEvent))
@pytest.mark.parametrize("status", UPLOAD_MOVES)
def test_an_upload_takes_parts_until_it_ends(status: str, event: UploadEvent) -> None:
    ends = {"add_part": "pending", "complete": "completed", "cancel": "cancelled", "expire": "expired"}
    if status == "pending":
        assert upload_after("upload_a", status, event) == ends[event]
        return
    with pytest.raises(Refused, match=f"Upload 'upload_a' has status '{status}'") as refused:
        upload_after("upload_a", status, event)
    assert refused.value.status == 400


def test_the_tables_are_closed() -> None:
    for table in (RUN_MOVES, STEP_MOVES, MESSAGE_MOVES, UPLOAD_MOVES):
        assert {after for moves in table.values() for after in moves.values()} <= set(table)
    assert set(RUN_MOVES) == ACTIVE | ENDED
    assert not any(RUN_MOVES[status] for status in ENDED)


@pytest.mark.parametrize(
    ("status", "event", "text"),
    [
        ("expired", "submit", 'Runs in status "expired" do not accept tool outputs.'),
        ("queued", "submit", 'Runs in status "queued" do not accept tool outputs.'),
        ("cancelled", "cancel", "Cannot cancel run with status 'cancelled'."),
        ("completed", "cancel", "Cannot cancel run with status 'completed'."),
    ],
)
def test_refusals_are_worded_as_programs_match_them(status: str, event: RunEvent, text: str) -> None:
    with pytest.raises(Refused) as refused:
        run_after(status, event)
    assert refused.value.message == text
