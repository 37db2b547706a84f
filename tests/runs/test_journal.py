"""The journal: one suite for every store, and what is SQLite's own."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs.stores import Failing, Memory
from toolkit import Journal, Pending
from toolkit.errors import JournalError
from toolkit.runs.journal import JournalStore, SQLiteStore
from toolkit.runs.kept import run_note, started_note
from toolkit.tools.calls import Call

CALL = Call("call_1", "pay", "{}")


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> JournalStore:
    return SQLiteStore(str(tmp_path / "calls.db")) if request.param == "sqlite" else Memory()


def test_entries_are_kept_by_run_and_key_and_the_first_one_stays(store: JournalStore) -> None:
    assert store.add("run_1", "run", '{"a": 1}')
    assert store.add("run_1", "started.0 call_1", "é\n'\"\0 ")
    assert store.add("run_2", "run", "{}")
    assert not store.add("run_1", "run", "{}")
    assert store.read("run_1") == {"run": '{"a": 1}', "started.0 call_1": "é\n'\"\0 "}
    assert store.read("run_3") == {}
    assert list(store.runs()) == ["run_1", "run_2"]


def test_a_run_is_forgotten_alone(store: JournalStore) -> None:
    store.add("run_1", "run", "{}")
    store.add("run_2", "run", "{}")
    store.forget("run_1")
    store.forget("run_1")
    assert (store.read("run_1"), list(store.runs())) == ({}, ["run_2"])


def test_of_many_threads_one_begins_a_call(store: JournalStore) -> None:
    barrier, won = threading.Barrier(8), []

    def race(number: int) -> None:
        barrier.wait(10)
        for call in range(20):
            if store.add("run_1", f"started.0 call_{call}", f"{number}"):
                won.append(call)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(won) == list(range(20))


def test_unfinished_runs_are_there_to_be_resumed(store: JournalStore) -> None:
    journal = Journal(store)
    for number in (2, 1):
        journal.add(f"run_{number}", *run_note("thread_1"))
        journal.add(f"run_{number}", *started_note(CALL, 0))
    assert journal.unfinished() == [Pending("run_2", "thread_1"), Pending("run_1", "thread_1")]
    journal.forget("run_2")
    assert journal.unfinished() == [Pending("run_1", "thread_1")]


@pytest.mark.parametrize("work", [lambda j: j.add("r", "started.0 c", "{}"), lambda j: j.add("r", "finished c", "{}")])
def test_a_store_that_fails_is_one_kind_of_error(work: Callable[[Journal], Any]) -> None:
    with pytest.raises(JournalError, match="The journal failed: OSError: No space left") as failed:
        work(Journal(Failing("started", "finished")))
    assert isinstance(failed.value.__cause__, OSError)


# -- SQLite ------------------------------------------------------------------------------------------------------------


def test_a_path_is_a_file_that_is_made_when_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    with Journal(path) as journal:
        assert not path.exists()
        assert journal.add("run_1", *run_note("t"))
    assert Journal(str(path)).unfinished() == [Pending("run_1", "t")]


def test_a_forgotten_run_leaves_no_content_and_its_calls_cannot_begin_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.db")
    journal.add("run_1", *run_note("thread_1"))
    journal.add("run_1", *started_note(Call("call_1", "pay", '{"to": "Ada"}'), 0))
    journal.forget("run_1")
    assert not journal.add("run_1", *started_note(CALL, 0)), "a process that wakes up late must not call again"
    journal.close()
    assert b"Ada" not in (tmp_path / "calls.db").read_bytes()


def test_what_was_forgotten_long_ago_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SQLiteStore(str(tmp_path / "calls.db"))
    store.add("run_1", "run", "{}")
    store.forget("run_1")
    store._HELD_S = -1.0  # type: ignore[misc]  # a day later
    store.forget("run_2")
    assert store.add("run_1", "run", "{}")


def test_closing_is_not_the_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.db")
    journal.add("run_1", "run", "{}")
    journal.close()
    journal.close()
    assert journal.read("run_1") == {"run": "{}"}


def test_a_journal_that_nobody_closes_is_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.db")
    journal.add("run_1", "run", "{}")
    del journal
    gc.collect()  # warnings are errors, that of an unclosed database too
    assert not (tmp_path / "calls.db-wal").exists()


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "assistants.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE run (id TEXT)")
    other.close()
    with pytest.raises(JournalError, match=r"assistants\.db is a database of another kind"):
        Journal(path).add("run_1", "run", "{}")
    with sqlite3.connect(path) as other:
        assert [name for (name,) in other.execute("SELECT name FROM sqlite_master")] == ["run"]
    other.close()


def test_a_file_that_is_no_database_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("These are notes, and long enough to be told from an empty file." * 20)
    with pytest.raises(JournalError, match="not a database"):
        Journal(tmp_path / "notes.txt").add("run_1", "run", "{}")
    with pytest.raises(JournalError, match="unable to open"):
        Journal(tmp_path / "nowhere" / "calls.db").add("run_1", "run", "{}")


RACER = """
import sys
from toolkit import Journal
journal = Journal(sys.argv[1])
print(*[call for call in range(50) if journal.add("run_1", f"started.0 call_{call}", sys.argv[2])])
"""


def test_of_two_processes_one_begins_a_call(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path / "calls.db"), str(number)], stdout=subprocess.PIPE, text=True
        )
        for number in range(2)
    ]
    won = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert sorted(map(int, won[0] + won[1])) == list(range(50))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_each_entry_is_there_after_kill_9(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        Journal(tmp_path / "calls.db").add("run_1", *run_note("thread_1"))
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert Journal(tmp_path / "calls.db").unfinished() == [Pending("run_1", "thread_1")]
