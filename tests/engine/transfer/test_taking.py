from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.conftest import Do
from tests.engine.transfer.objects import assistant, file, item, line, message, run, step, thread
from toolkit.engine.objects import threads
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.store import Tx
from toolkit.engine.transfer.lines import line_of
from toolkit.engine.transfer.taking import Options, Outcome, Placed, take

USER = {"role": "user", "content": "hi"}


@pytest.fixture
def taken(do: Do) -> Any:
    """Take lines, in one transaction, and give what became of each."""

    def work(*values: Any, seen: set[str] | None = None, **options: Any) -> list[Outcome]:
        batch = [Placed(line_of(value), f"line {number}") for number, value in enumerate(values, start=1)]  # type: ignore[arg-type]
        return do(lambda tx: take(tx, batch, Options(**options), set() if seen is None else seen))

    return work


def endings(outcomes: list[Outcome]) -> list[str]:
    return [outcome.ending for outcome in outcomes]


def problems(outcomes: list[Outcome]) -> list[str | None]:
    return [outcome.problem for outcome in outcomes]


WHOLE = [
    line("assistant", assistant()),
    line("file", file()),
    line("thread", thread()),
    line("message", message("msg_a")),
    line("run", run()),
    line("step", step()),
    item("msg_a", USER),
    item(None, {"role": "assistant", "content": None, "tool_calls": []}, turn="step_a"),
]


def test_what_is_new_is_there_afterwards(do: Do, taken: Any) -> None:
    assert endings(taken(*WHOLE)) == ["new"] * 8
    assert endings(taken(*WHOLE)) == ["there"] * 8
    row = do(lambda tx: tx.one("thread.get", id="thread_a", project="default"))
    assert (row["last_at"], row["active_run"]) == (102, None), "times go on from the run's"
    assert do(lambda tx: tx.one("run.thread", id="thread_a", project="default"))["last_step_at"] == 103


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (line("assistant", assistant()), line("assistant", assistant(description="x", at=7))),
        (line("file", file()), line("file", file(filename="b.txt"))),
        (line("thread", thread(metadata={"a": "b"})), line("thread", thread(metadata={"c": "d"}))),
        (line("message", message("msg_a")), line("message", message("msg_a", text="other"))),
        (line("run", run()), line("run", run(status="failed"))),
        (line("step", step()), line("step", step(status="failed"))),
    ],
    ids=lambda value: value["object"]["object"],
)
def test_other_content_stays_unless_it_is_to_be_replaced(taken: Any, old: Any, new: Any) -> None:
    if new["kind"] == "step":
        taken(line("run", run()))
    assert endings(taken(old)) == ["new"]
    if new["kind"] == "file":
        assert endings(taken({**old, "sha256": "a" * 64})) == ["new"], "the bytes that it lacked"
    assert taken(new) == [
        Outcome("different", f"line 1: {new['object']['id']} is there with other content, and stays as it is.")
    ]
    assert endings(taken(old)) == ["there"]
    assert endings(taken(new, replace=True)) == ["replaced"]
    assert endings(taken(new)) == ["there"]


def test_a_message_that_is_replaced_is_read_as_it_is_now(do: Do, taken: Any) -> None:
    taken(line("message", message("msg_a", text="old")), item("msg_a", {"role": "user", "content": "old"}))
    taken(line("message", message("msg_a", text="new")), replace=True)
    [row] = do(lambda tx: tx.all("message.items", id="msg_a"))
    assert json.loads(row["chat"]) == {"role": "user", "content": "new"}


def test_projects_do_not_mix(taken: Any) -> None:
    taken(line("thread", thread(metadata={"a": "b"})))
    other = {**line("thread", thread()), "project": "other"}
    message_of_other = {**line("message", message("msg_a")), "project": "other"}
    assert problems(taken(other, message_of_other, replace=True)) == [
        "line 1: thread_a is there already, in project default.",
        "line 2: msg_a is of a thread that is in project default.",
    ]


def test_a_thread_is_made_for_what_nobody_has_saved_one_for_and_gives_way_to_it(do: Do, taken: Any) -> None:
    assert taken(line("message", message("msg_a", 55)), line("message", message("msg_b", 56))) == [
        Outcome("new", made=True),
        Outcome("new"),
    ]
    made = json.loads(do(lambda tx: threads.get(tx, "default", "thread_a")))
    assert made == thread(at=55)
    real = line("thread", thread(at=50, metadata={"a": "b"}))
    assert endings(taken(real)) == ["new"]
    assert json.loads(do(lambda tx: threads.get(tx, "default", "thread_a"))) == real["object"]
    assert do(lambda tx: tx.one("thread.get", id="thread_a", project="default"))["created_at"] == 50
    assert endings(taken(line("thread", thread(at=50)))) == ["different"], "it is a real one now"


def test_a_thread_with_an_active_run_is_left_alone(do: Do, taken: Any) -> None:
    taken(line("thread", thread()), line("message", message("msg_a")))
    do(lambda tx: tx.run("run.lock_thread", thread="thread_a", run="run_x", last_at=103))
    again = taken(line("message", message("msg_a")), line("message", message("msg_b")))
    assert endings(again) == ["there", "left"]
    assert again[1].problem == "line 2: msg_b is left out: run run_x is active on its thread. Import again after it."


def test_what_has_to_be_there_first(taken: Any) -> None:
    taken(line("thread", thread()))
    assert problems(taken(line("step", step()), item("msg_a", USER))) == [
        "line 1: step_a is left out: run_a is not there.",
        "line 2: item of msg_a is left out: msg_a is not there.",
    ]


def test_an_id_in_another_thread_is_another(taken: Any) -> None:
    taken(line("message", message("msg_a")))
    moved = line("message", message("msg_a", thread_id="thread_b"))
    assert problems(taken(moved, replace=True)) == ["line 1: msg_a is there already, in thread_a."]


def test_calls_that_come_after_the_text_they_came_with_stand_alone(do: Do, taken: Any) -> None:
    """The messages were imported before, from a dump that had no steps."""
    said = {"role": "assistant", "content": "wait"}
    taken(line("message", message("msg_a", role="assistant", text="wait")), item("msg_a", said))
    calls = {"role": "assistant", "content": "wait", "tool_calls": [{"id": "call_a"}]}
    output = {"role": "tool", "tool_call_id": "call_a", "content": "1"}
    whole = item("msg_a", calls, output, turn="step_a")
    assert endings(taken(whole)) == ["new"]
    assert endings(taken(whole)) == ["there"]
    rows = do(lambda tx: tx.all("transfer.items", thread="thread_a", after_seq=-1, limit=9))
    assert [(json.loads(row["chat"]), row["message"], row["turn"]) for row in rows] == [
        (said, "msg_a", None),
        ({**calls, "content": None}, None, "step_a"),
        (output, None, "step_a"),
    ]


def test_files_for_code_interpreter_are_noted(do: Do, taken: Any) -> None:
    """So that one that is deleted leaves the lists it was in."""
    resources = {"code_interpreter": {"file_ids": ["file-a"]}}
    holders = [line("assistant", assistant(tool_resources=resources)), line("thread", thread(tool_resources=resources))]
    taken(line("file", file()), *holders)
    assert {row["holder"] for row in do(lambda tx: tx.all("file.users", file="file-a"))} == {"asst_a", "thread_a"}
    taken(line("assistant", assistant()), replace=True)
    assert [row["holder"] for row in do(lambda tx: tx.all("file.users", file="file-a"))] == ["thread_a"]


def test_names_of_files_lead_nowhere(do: Do, taken: Any) -> None:
    taken(line("file", file(filename="../../etc/passwd")))
    row = do(lambda tx: tx.one("file.get", id="file-a", project="default", now=0))
    assert (row["filename"], json.loads(row["body"])["filename"]) == ("passwd", "../../etc/passwd")


def test_a_dry_run_writes_nothing_and_says_the_same(do: Do, taken: Any) -> None:
    seen: set[str] = set()
    assert endings(taken(*WHOLE, seen=seen, dry_run=True)) == ["new"] * 8
    assert endings(taken(*WHOLE, seen=seen, dry_run=True)) == ["there"] * 8

    def lists(tx: Tx) -> str:
        return threads.list_(tx, "default", PageQuery())

    assert json.loads(do(lists))["data"] == []
    assert endings(taken(*WHOLE)) == ["new"] * 8
