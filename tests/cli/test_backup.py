from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Cli
from tests.engine.stored_runs import completed, in_file
from toolkit.engine import Engine


def test_a_copy_is_a_store(cli: Cli, tmp_path: Path) -> None:
    run = in_file(tmp_path / "store.db", lambda tx: completed(tx, int(time.time())))
    said = cli("backup", "copies/monday.db", "--store", f"sqlite:///{tmp_path}/store.db")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("copies/monday.db: 0.")
    assert said.out.endswith(" s, checked.\n")
    assert run.id in cli("runs", "list", "--store", "sqlite:///copies/monday.db").out


def test_files_come_along(cli: Cli, tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/store.db") as engine:
        kept = engine.client().files.create(file=("a.txt", b"x" * 300_000), purpose="assistants").id
    said = cli("backup", "copy.db", "--store", f"sqlite:///{tmp_path}/store.db")
    assert (said.code, said.err) == (0, "")
    assert " MB and 0.3 MB in copy.db-files in " in said.out
    shutil.rmtree(tmp_path / "store.db-files")
    with Engine("sqlite:///copy.db") as engine:
        assert engine.client().files.content(kept).read() == b"x" * 300_000
    lacks = cli("backup", "other.db", "--store", f"sqlite:///{tmp_path}/store.db")
    assert (lacks.code, lacks.err) == (0, "The store lacks the bytes of 1 files, and so does the copy.\n")


def test_nothing_is_replaced_unasked(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/store.db"
    in_file(tmp_path / "store.db", lambda tx: completed(tx, int(time.time())))
    (tmp_path / "notes.txt").write_text("mine")
    left = cli("backup", "notes.txt", "--store", store)
    assert (left.code, left.out) == (2, "")
    assert left.err == "notes.txt is there already. Name another file, or replace it with --force.\n"
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert cli("backup", "notes.txt", "--force", "--store", store).code == 0
    assert (tmp_path / "notes.txt").read_bytes().startswith(b"SQLite format 3")
    same = cli("backup", "store.db", "--force", "--store", store)
    assert (same.code, len(same.err.splitlines())) == (2, 1)


def test_a_store_that_is_at_work(cli: Cli, tmp_path: Path) -> None:
    """What was committed before the copy began is in it, and all that is in it fits together."""
    stop = threading.Event()
    with Engine(f"sqlite:///{tmp_path}/store.db") as engine:
        client = engine.client()
        first = [client.beta.threads.create(messages=[{"role": "user", "content": "x"}]).id for _ in range(5)]

        def write() -> None:
            while not stop.is_set():
                client.beta.threads.create(messages=[{"role": "user", "content": "x"}])

        thread = threading.Thread(target=write)
        thread.start()
        try:
            said = cli("backup", "copy.db", "--store", f"sqlite:///{tmp_path}/store.db")
        finally:
            stop.set()
            thread.join()
    assert said.code == 0
    with closing(sqlite3.connect("copy.db")) as copy:
        there = {row[0] for row in copy.execute("SELECT id FROM thread")}
        assert there.issuperset(first)
        assert copy.execute("SELECT count(*) FROM message").fetchone() == (len(there),)
