"""The whole of it is shown by test_round_trip; here is what dumps do not say."""

from __future__ import annotations

from tests.engine.transfer.objects import assistant, item, line, message, run, step
from toolkit.engine.transfer.lines import MessageLine, RunLine, StepLine, line_of
from toolkit.engine.transfer.rest import at_rest


def test_what_is_over_is_the_same() -> None:
    for value in (line("assistant", assistant()), line("run", run()), line("step", step()), item("msg_a", {"a": 1})):
        read = line_of(value)
        assert at_rest(read) is read  # type: ignore[arg-type]


def test_a_run() -> None:
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": []}}
    ended = at_rest(
        RunLine(object=run(status="requires_action", required_action=action, expires_at=700), used=[7, 3, 1, 2])
    )
    assert isinstance(ended, RunLine)
    assert ended.object == run(
        status="expired",
        expires_at=700,
        usage={
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "total_tokens": 10,
            "prompt_token_details": {"cached_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    )


def test_when_it_ended_is_when_it_was_last_seen_or_else_when_the_api_would_have_ended_it() -> None:
    seen = at_rest(StepLine(object=step(at=100, status="in_progress", completed_at=None), at=160))
    unseen = at_rest(MessageLine(object=message("msg_a", 100, status="in_progress", content=[], completed_at=None)))
    assert isinstance(seen, StepLine)
    assert isinstance(unseen, MessageLine)
    assert (seen.object["status"], seen.object["expired_at"]) == ("expired", 160)
    assert (unseen.object["status"], unseen.object["incomplete_at"]) == ("incomplete", 700)
