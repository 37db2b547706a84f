from __future__ import annotations

import json
from typing import Any

from tests.engine.conftest import Do
from tests.engine.transfer.objects import item, line, message, run, step, thread
from toolkit.engine.store import Tx
from toolkit.engine.transfer.lines import line_of
from toolkit.engine.transfer.settling import out_of_order, put_in_order
from toolkit.engine.transfer.taking import Options, Placed, take


def put(do: Do, *values: Any) -> None:
    do(lambda tx: take(tx, [Placed(line_of(value), "") for value in values], Options(), set()))  # type: ignore[arg-type]


def said(number: int, at: int, text: str = "") -> list[Any]:
    name = f"msg_{number}"
    return [line("message", message(name, at)), item(name, {"role": "user", "content": text or name})]


def order(tx: Tx) -> tuple[list[str], list[str]]:
    messages = tx.all("transfer.messages", thread="thread_a", after_seq=-1, limit=99)
    items = tx.all("transfer.items", thread="thread_a", after_seq=-1, limit=99)
    return [row["id"] for row in messages], [str(json.loads(row["chat"])["content"]) for row in items]


def test_what_is_in_order_is_left_alone(do: Do) -> None:
    put(do, line("thread", thread()), *said(1, 101), *said(2, 102), *said(3, 102))
    assert do(lambda tx: out_of_order(["thread_a", "thread_none"], tx)) == []
    before = do(order)
    do(lambda tx: put_in_order("thread_a", tx))
    assert do(order) == before


def test_older_ones_that_came_later_go_before(do: Do) -> None:
    put(do, line("thread", thread()), *said(3, 103), *said(5, 105))
    put(do, *said(1, 101), *said(4, 104), *said(6, 105))
    assert do(lambda tx: out_of_order(["thread_a"], tx)) == ["thread_a"]
    do(lambda tx: put_in_order("thread_a", tx))
    names = ["msg_1", "msg_3", "msg_4", "msg_5", "msg_6"]
    assert do(order) == (names, names)
    assert do(lambda tx: out_of_order(["thread_a"], tx)) == []


def test_new_ones_come_after_all_that_was_moved(do: Do) -> None:
    put(do, line("thread", thread()), *said(2, 102), *said(1, 101))
    do(lambda tx: put_in_order("thread_a", tx))
    put(do, *said(3, 103))
    assert do(order)[0] == ["msg_1", "msg_2", "msg_3"]


def test_turns_move_with_their_run(do: Do) -> None:
    answer = message("msg_2", 103, role="assistant", run_id="run_a")
    turn = [{"role": "assistant", "content": "calls"}, {"role": "tool", "content": "output"}]
    put(do, line("thread", thread()), *said(9, 109))
    put(do, *said(1, 101), line("message", answer), line("run", run()), line("step", step()))
    put(
        do,
        line("step", step("step_b", made="msg_2")),
        item("msg_2", {"content": "answer"}),
        item(None, *turn, turn="step_a"),
    )
    do(lambda tx: put_in_order("thread_a", tx))
    assert do(order) == (["msg_1", "msg_2", "msg_9"], ["msg_1", "calls", "output", "answer", "msg_9"])
