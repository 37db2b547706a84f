from __future__ import annotations

from typing import Any

import pytest

from toolkit.cli.record import HEAD, Record, entry, page, since

NOW = 1_800_000_000
RUN: dict[str, Any] = {
    "id": "run_" + "a" * 24,
    "status": "in_progress",
    "created_at": NOW - 90,
    "thread_id": "thread_" + "b" * 24,
    "assistant_id": "asst_" + "c" * 24,
    "model": "small",
    "tools": [],
    "instructions": "",
    "metadata": {},
    "usage": None,
    "last_error": None,
    "incomplete_details": None,
    "required_action": None,
}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0.4, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (86399, "23h"), (86400, "1d"), (9e7, "1041d")],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert since(seconds) == text


def test_an_entry_stands_below_its_head() -> None:
    first, second = entry(Record(RUN, "default"), NOW).splitlines()
    for title, value in {"RUN": RUN["id"], "STATUS": "in_progress", "PROJECT": "default", "MODEL": "small"}.items():
        assert first.index(value) == HEAD.index(title)
    assert first[: HEAD.index("AGE") + 3].endswith(" 1m")
    assert second == f"  {RUN['thread_id']}"


def test_why_a_run_waits_or_ended() -> None:
    def why(record: Record) -> str:
        return entry(record, NOW).splitlines()[1].removeprefix(f"  {RUN['thread_id']}").strip()

    assert why(Record(RUN)) == ""
    assert why(Record(RUN, unattended=True)) == "waits for a server"
    calls = [{"id": str(n), "function": {"name": f"a_rather_long_name_{n}"}} for n in range(3)]
    asked = {"required_action": {"submit_tool_outputs": {"tool_calls": calls}}}
    assert why(Record(RUN | asked)) == "waits for a_rather_long_name_0, a_rather_l..."
    failed = {"status": "failed", "last_error": {"code": "server_error", "message": "no"}}
    assert why(Record(RUN | failed)) == "server_error"
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_completion_tokens"}}
    assert why(Record(RUN | cut)) == "max_completion_tokens"


def test_ids_of_others_stay_whole() -> None:
    long = {"id": "run_" + "x" * 60, "thread_id": "thread_" + "y" * 100}
    said = entry(Record(RUN | long), NOW)
    assert long["id"] in said
    assert long["thread_id"] in said


def test_nothing_steers_the_terminal() -> None:
    steering = "\x1b[31mred\n\x07"
    call = {
        "id": "call_a",
        "type": "function",
        "function": {"name": steering, "arguments": steering, "output": steering},
    }
    step = {
        "id": "step_a", "type": "tool_calls", "status": "failed", "created_at": NOW, "usage": None,
        "completed_at": None, "failed_at": NOW, "cancelled_at": None, "expired_at": None,
        "last_error": {"code": "server_error", "message": steering}, "step_details": {"tool_calls": [call]},
    }  # fmt: skip
    run = RUN | {"model": steering, "instructions": steering, "last_error": {"code": "x", "message": steering}}
    record = Record(run, "default", steps=[step], worker=steering)
    said = "\n".join([entry(record, NOW), *page(record, NOW, content=True)])
    assert "red" in said
    assert not set(said) & {"\x1b", "\x07"}
