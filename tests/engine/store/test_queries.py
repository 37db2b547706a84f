"""What statements cost: by the indices they use, and by the steps of SQLite's machine that they take on real rows.

A plan (`EXPLAIN QUERY PLAN`) names the index of a table, but neither the rows that are passed by on the way nor what a
delete takes along; steps tell both, and are the same on every machine.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from toolkit.engine.store.statements import migrations, statements

MAY_SCAN = {
    "chunk.delete_words": "a row of the index of words, by its number",
    "chunk.given_up": "one row of the files whose chunks are to go",
    "chunk.count": "the index of words, by words",
    "chunk.first": "one row of the index of words, by words",
    "chunk.last": "one row of the index of words, by words",
    "chunk.counting": "the chunks that were asked for, and the files",
    "chunk.whole": "rows of the index of words, by their numbers",
    "chunk.with_words": "the index of words, by words",
    "embedder.newest": "the last of the embedding models, which people choose now and then",
    "embedder.of_store": "the embedding models that were chosen: a handful of rows",
    "key.all": "the API keys of a store, for who looks after them",
    "key.counts": "an index of the API keys, which people make one by one; twice a second at most",
    "run.unattended": "all of an index that has the few runs which nobody executes, and no others",
    "transfer.others": "the first of the engines that are open on this file",
    "worker.others": "the engines that are open on this file: a handful of rows",
}
"""Statements that read all of something, and why they may."""

WHOLE = {
    "answer.of_run": "all messages of one run",
    "thread.delete": "all that is in the thread",
    "transfer.order_of_items": "what models read of a thread that was imported into",
    "transfer.order_of_messages": "all messages of such a thread",
    "upkeep.contents": "counts what is in a thread",
}
"""Statements that cost what is in a thread, since they read or delete all of it."""

IDLE = {
    "file.expired": "no file's time is up",
    "gone.forget": "only the ten thousandth deletion makes another forgotten",
    "run.let_wait": "the run has begun",
    "store_file.release": "the only file of the worker is not completed",
    "run.lock_thread": "the thread has a run",
    "run.overdue": "no run is late",
    "run.unattended": "nor without a worker",
    "transfer.item_of_turn": "no tools were called",
    "upload.overdue": "no upload's time is up",
    "vector_store.expired": "nor that of a vector store",
}
"""Statements that find nothing to do here, and why."""

NEAR = 40
"""Steps that do not count: a tree of some more levels, a page that is split."""


@contextmanager
def world(*, others: int, messages: int) -> Iterator[sqlite3.Connection]:
    """A store with a thread that has messages, a run that is being executed and its steps; and with other threads.

    What belongs to the one thread is called `here`; the others have a finished run, a step, a call and messages each.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for _, script in migrations("sqlite"):
            connection.executescript(script)
        connection.execute("BEGIN")
        insert(connection, "embedder", name="e", dimensions=1, floor=0)
        for number in range(others):
            thread(connection, f"{number}", "completed", messages=3)
        thread(connection, "here", "in_progress", messages=messages)
        connection.execute("UPDATE thread SET active_run = 'run_here' WHERE id = 'thread_here'")
        connection.execute("UPDATE step SET type = 'tool_calls', status = 'completed' WHERE id = 'step_here'")
        insert(connection, "step", id="step_open", project="p", thread="thread_here", run="run_here", created_at=1000,
               status="in_progress", type="t", body="{}")  # fmt: skip
        insert(connection, "worker", id="worker_here", beat=1)
        insert(connection, "worker", id="worker_there", beat=1)
        waits = {"store": "vector_store_here", "id": "waits", "project": "p", "created_at": 1000, "chunking": "{}"}
        insert(connection, "store_file", **waits, status="in_progress")
        insert(connection, "chunk_gone", store_file=1)
        insert(connection, "api_key", id="key_here", project="p", name="n", digest=b"d", ending="e", created_at=1)
        for number in range(others):
            thread(connection, f"later{number}", "completed", messages=3)
        connection.execute("COMMIT")
        yield connection


def thread(connection: sqlite3.Connection, name: str, status: str, *, messages: int) -> None:
    """Make a thread, its run, and something in every other table."""
    owner, open_step = ("worker", "in_progress") if status == "in_progress" else (None, "completed")
    insert(connection, "assistant", id=f"asst_{name}", project="p", created_at=1000, body="{}")
    insert(connection, "thread", id=f"thread_{name}", project="p", created_at=1000, body="{}", last_at=1)
    run = {"project": "p", "thread": f"thread_{name}", "created_at": 1000}
    insert(
        connection, "run", id=f"run_{name}", **run, assistant=f"asst_{name}", status=status, owner=owner,
        expires_at=9000, fixed="{}", state="{}", metadata="{}",
    )  # fmt: skip
    for number in range(messages):
        message, by = f"msg_{name}_{number}", f"run_{name}" if number == 0 else None
        insert(connection, "message", id=message, **run, run=by, status="completed", body="{}")
        insert(connection, "item", thread=f"thread_{name}", message=message, size=2, chat="{}")
    insert(connection, "message", id=f"msg_{name}", **run, run=f"run_{name}", status="in_progress", body="{}")
    insert(connection, "item", thread=f"thread_{name}", message=f"msg_{name}", size=2, chat="{}")
    insert(connection, "draft", message=f"msg_{name}", text="x")
    insert(connection, "step", id=f"step_{name}", **run, run=f"run_{name}", status=open_step, type="t", body="{}")
    insert(connection, "call", run=f"run_{name}", id=f"call_{name}")
    insert(connection, "kept_answer", project="p", key=name, request="r", created_at=1000, answer="{}")
    insert(connection, "gone", id=f"gone_{name}", project="p", created_at=1000, seq=1)
    insert(
        connection, "file", id=f"file_{name}", project="p", created_at=1000, purpose="assistants", filename="a.txt",
        bytes=1, sha256=f"{name}", body="{}",
    )  # fmt: skip
    insert(connection, "file_use", file=f"file_{name}", holder=f"thread_{name}")
    for upload, status, at in ((f"upload_{name}", "pending", 9000), (f"ended_{name}", "cancelled", 1000)):
        insert(
            connection, "upload", id=upload, project="p", created_at=1000, expires_at=at, status=status, bytes=1,
            request="{}",
        )  # fmt: skip
    insert(connection, "upload_part", id=f"part_{name}", upload=f"upload_{name}", bytes=1, sha256=f"part_{name}")
    insert(connection, "passage", thread=f"thread_{name}", search=0, place=0, file=f"file_{name}", quote="x")
    insert(connection, "code_session", thread=f"thread_{name}", session="s")
    insert(connection, "code_file", thread=f"thread_{name}", path="a.txt", file=f"file_{name}")
    vector_store(connection, name)


def vector_store(connection: sqlite3.Connection, name: str) -> None:
    """Make a vector store, used by a thread, with files in every state and a batch that they came in."""
    row = {"project": "p", "created_at": 1000}
    store = f"vector_store_{name}"
    insert(
        connection, "vector_store", id=store, **row, last_active_at=1000, expires_days=9, expires_at=9000, about="{}"
    )
    [number] = connection.execute("SELECT max(seq) FROM vector_store").fetchone()
    insert(connection, "store_use", store=store, holder=f"thread_{name}")
    insert(connection, "file_batch", id=f"file_batch_{name}", store=store, **row)
    for status in ("in_progress", "completed", "cancelled"):
        owner = f"worker_{name}" if status == "in_progress" else None
        done = {"status": status, "owner": owner, "chunking": "{}"}
        file = f"file_{name}" if status == "completed" else f"{status}_{name}"
        insert(connection, "store_file", store=store, id=file, **row, **done)
        [seq] = connection.execute("SELECT max(seq) FROM store_file").fetchone()
        insert(connection, "batch_file", batch=f"file_batch_{name}", store_file=seq)
        insert(connection, "chunk", store_file=seq, start=0, text="x")
        words = {"store": store.replace("_", ""), "words": "x"}
        connection.execute(
            "INSERT INTO chunk_words (rowid, store, words) VALUES (last_insert_rowid(), :store, :words)", words
        )
        block = {"store": number, "embedder": 1, "store_file": seq, "last_start": -1, "chunks": b"", "vectors": b""}
        insert(connection, "vector_block", **block)


def insert(connection: sqlite3.Connection, table: str, **values: Any) -> None:
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", values)


NOUNS = {"assistant": "asst", "message": "msg", "answer": "msg", "draft": "msg", "upkeep": "thread", "clock": "thread"}
VALUES: dict[str, Any] = {
    "project": "p",
    "thread": "thread_here",
    "run": "run_here",
    "assistant": "asst_here",
    "message": "msg_here",
    "owner": "worker",
    "key": "here",
    "status": "in_progress",
    "read_status": "in_progress",
    "attempt": 0,
    "read_attempt": 0,
    "low_at": 0,
    "low_seq": 0,
    "high_at": 2**60,
    "high_seq": 2**60,
    "seq": 1,
    "was": 1,
    "limit": 21,
    "now": 5000,
    "since": 0,
    "before": 10,
    "after": "",
    "after_at": 0,
    "after_seq": 0,
    "up_to": 0,
    "purpose": "assistants",
    "sha256": "here",
    "low": "here",
    "high": "hereg",
    "file": "file_here",
    "holder": "thread_here",
    "upload": "upload_here",
    "bytes": 1,
    "size": 1,
    "expires_at": 9000,
    "store": "vector_store_here",
    "store_file": 1,
    "batch": "file_batch_here",
    "words": 'store : vectorstore0 AND words : "x"',
    "files": "[1]",
    "seqs": "[1]",
}


def values_of(name: str, sql: str) -> dict[str, Any]:
    """Give a statement values that hit something: the objects called `here`."""
    noun, verb = name.split(".")
    prefix = verb if verb in ("thread", "assistant") else noun
    if noun == "transfer":
        what, _, prefix = verb.rpartition("_")
        verb, prefix = (what[:-6].rstrip("_"), "vector_store") if what.endswith("vector") else (what, prefix)
    values = {key: VALUES.get(key, "x") for key in re.findall(r":(\w+)", sql)}
    if "id" in values:
        values["id"] = "new" if verb in ("insert", "add") else f"{NOUNS.get(prefix, prefix)}_here"
        if prefix == "file" and verb.endswith("store"):  # transfer.store_file, transfer.add_store_file
            values["id"] = "file_new" if verb.startswith("add") else "file_here"
    if name == "transfer.passages":
        values.update(search=-1, place=-1)
    if name in ("item.newest", "upkeep.newest_runs"):
        values["before"] = 2**60
    if noun == "store_file":
        values.update(owner="worker_0", id="new" if verb == "insert" else "file_here")
        if verb.startswith("of_status"):
            values["status"] = "completed"
    if noun == "file_batch" and "cursor" in verb:
        values["id"] = "file_here"
    if noun == "passage":
        values.update(search=0, place=1 if verb == "add" else 0)
    if name in ("chunk.insert_words", "chunk.give_up", "file_batch.add", "vector_store.use"):
        values.update({"seq": 2**40, "store_file": 2 if noun == "chunk" else 1, "holder": "asst_here"})
    if noun in ("vector_block", "embedder") or name == "vector_store.embedded":
        values.update(store=1, embedder=2 if verb == "remove_older" else 1, after=0, known=0)
    if name in ("chunk.without_vectors", "store_file.unembedded", "store_file.embedded"):
        values["embedder"] = 1
    if name in ("chunk.whole", "chunk.between", "vector_block.next"):
        values.update(after=-2, to=9)
    if name in ("store_file.twin", "store_file.intact"):  # the second file of the first store is completed
        values.update(chunking="{}", seq=2, embedder=0)
    if name == "chunk.counting":  # those of the first store which are completed
        values.update(seqs="[1,2,3]", files="[2]")
    if name == "upload.save":
        values["read_status"] = "pending"
    if name in ("file.use", "upload.add_part"):
        values.update({"file": "file_new"} if noun == "file" else {"id": "part_new"})
    if name in ("upkeep.old_threads", "kept.forget", "upload.forget"):
        values["before"] = 2000
    if name in ("worker.forget", "step.close", "step.wait", "step.use", "step.note"):
        values.update({"beat": 1} if noun == "worker" else {"id": "step_open"})
    if name.startswith("upkeep.newest"):
        values["status"] = None if name == "upkeep.newest_runs" else "in_progress"
    return values


def steps(connection: sqlite3.Connection, sql: str, values: dict[str, Any]) -> int:
    """Count the steps of a statement, and take back what it did."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.execute("BEGIN")
    connection.set_progress_handler(step, 1)
    connection.execute(sql, values).fetchall()
    connection.set_progress_handler(None, 0)
    connection.execute("ROLLBACK")
    return count


def all_steps(*, others: int, messages: int) -> dict[str, int]:
    with world(others=others, messages=messages) as connection:
        return {name: steps(connection, sql, values_of(name, sql)) for name, sql in statements().items()}


def dearer(before: dict[str, int], after: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {name: (count, after[name]) for name, count in before.items() if after[name] > count + NEAR}


def test_no_statement_walks_a_table() -> None:
    with world(others=30, messages=30) as connection:
        found: dict[str, list[str]] = {}
        for name, sql in statements().items():
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values_of(name, sql))]
            if any(re.match(r"SCAN (?!CONSTANT)", step) or "TEMP B-TREE" in step for step in plan):
                found[name] = plan
    assert found.keys() == MAY_SCAN.keys(), found


def test_the_check_itself_sees_a_walk() -> None:
    with world(others=200, messages=30) as connection:
        assert steps(connection, "SELECT * FROM message WHERE body = :body", {"body": "x"}) > 800
        assert steps(connection, "SELECT * FROM message WHERE id = :id", {"id": "msg_here"}) < NEAR


@pytest.fixture(scope="module")
def small() -> dict[str, int]:
    return all_steps(others=40, messages=60)


def test_what_else_is_in_the_store_costs_nothing(small: dict[str, int]) -> None:
    assert dearer(small, all_steps(others=1500, messages=60)) == {}


def test_a_long_thread_costs_no_more_than_a_short_one(small: dict[str, int]) -> None:
    """A page, a read, an append, a run: in a thread of ten thousand messages as in one of sixty."""
    found = dearer(small, all_steps(others=40, messages=10_000))
    assert found.keys() <= WHOLE.keys(), found


def test_every_statement_is_run_on_something() -> None:
    """One that hits nothing costs nothing, and shows nothing."""
    with world(others=1, messages=30) as connection:
        idle: set[str] = set()
        for name, sql in statements().items():
            connection.execute("BEGIN")
            done = connection.execute(sql, values_of(name, sql))
            if not done.fetchall() and done.rowcount <= 0:
                idle.add(name)
            connection.execute("ROLLBACK")
    assert idle == IDLE.keys()


def test_those_runs_expire_first_that_are_late_for_longest() -> None:
    with world(others=0, messages=1) as connection:
        for number in range(200):
            late = {
                "status": ("requires_action", "queued", "cancelling", "in_progress")[number % 4],
                "at": 2000 - number,
            }
            thread(connection, f"late{number}", "completed", messages=1)
            change = "UPDATE run SET status = :status, expires_at = :at WHERE id = :id"
            connection.execute(change, {**late, "id": f"run_late{number}"})
        found = [row[0] for row in connection.execute(statements()["run.overdue"], {"now": 5000})]
    assert found == [f"run_late{number}" for number in range(199, 99, -1)]
