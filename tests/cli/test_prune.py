from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.engine.stored_runs import completed, in_file, waiting
from toolkit.cli.mistakes import Mistake
from toolkit.cli.prune import seconds_of
from toolkit.engine import Engine

TOOLKIT = str(Path(sys.executable).with_name("toolkit"))
DAY = 86400


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three old threads, one of them with a run that waits, and a new one."""
    now = int(time.time())
    path = tmp_path / "store.db"

    def fill(tx: object) -> None:
        completed(tx, now - 40 * DAY)
        completed(tx, now - 40 * DAY, project="other")
        waiting(tx, now - 40 * DAY)
        completed(tx, now - DAY)

    in_file(path, fill)
    return path


def threads_in(store: Path) -> int:
    with closing(sqlite3.connect(store)) as connection:
        count: int = connection.execute("SELECT count(*) FROM thread").fetchone()[0]
    return count


def test_lengths_of_time() -> None:
    assert [seconds_of(text) for text in ("90m", "12h", "30d")] == [5400, 43200, 2592000]
    for text in ("30", "d", "1.5h", "-3d", "0d", "30 days", "1w"):
        with pytest.raises(Mistake, match="30d, 12h or 90m"):
            seconds_of(text)


def test_a_dry_run_says_what_it_would_do(cli: Cli, store: Path) -> None:
    said = cli("prune", "--older-than", "30d", "--dry-run", "--store", f"sqlite:///{store}")
    assert said.out == (
        "Would delete 2 threads unused for 30d, with 4 messages, 2 runs and 2 steps.\n"
        "1 old thread with an active run: left alone. See: toolkit runs list\n"
    )
    assert (said.code, said.err, threads_in(store)) == (0, "", 4)


def test_it_deletes_and_says_what(cli: Cli, store: Path) -> None:
    in_file(
        store,
        lambda tx: tx.run(
            "kept.put", project="p", key="k", request="r", created_at=int(time.time()) - 2 * DAY, answer=""
        ),
    )
    said = cli("prune", "--older-than", "30d", "--data-dir", str(store.parent), "--store", f"sqlite:///{store}")
    assert said.out.startswith(
        "Deleted 2 threads unused for 30d, with 4 messages, 2 runs and 2 steps.\n"
        "Also 1 answer kept for requests that come again, a day old and more.\n"
        "1 old thread with an active run: left alone."
    )
    assert "The store holds 0." in said.out
    assert threads_in(store) == 2
    again = cli("prune", "--older-than", "30d", "--store", f"sqlite:///{store}")
    assert again.out.startswith("Deleted 0 threads unused for 30d, with 0 messages, 0 runs and 0 steps.\n1 old thread")


def test_one_project_alone(cli: Cli, store: Path) -> None:
    said = cli("prune", "--older-than", "30d", "--project", "other", "--store", f"sqlite:///{store}")
    assert said.out.startswith("Deleted 1 thread unused")
    assert threads_in(store) == 3


def test_vacuum_gives_the_room_back(cli: Cli, tmp_path: Path) -> None:
    then = int(time.time()) - 40 * DAY
    path = tmp_path / "store.db"
    in_file(path, lambda tx: [completed(tx, then) for _ in range(150)])
    size = path.stat().st_size
    said = cli("prune", "--older-than", "30d", "--vacuum", "--store", f"sqlite:///{path}")
    assert said.code == 0
    assert "free for new data" not in said.out
    assert path.stat().st_size < size / 2


def test_nothing_without_a_time(cli: Cli, store: Path) -> None:
    left = cli("prune", "--store", f"sqlite:///{store}")
    assert (left.code, threads_in(store)) == (2, 4)
    assert left.err == "Missing option '--older-than'. See: toolkit prune --help\n"
    assert cli("prune", "--older-than", "soon", "--store", f"sqlite:///{store}").code == 2


def asked(store: Path, answer: bytes) -> tuple[int, str]:
    """Run it on a terminal, and answer what it asks."""
    leader, follower = pty.openpty()
    command = [TOOLKIT, "prune", "--older-than", "30d", "--store", f"sqlite:///{store}"]
    with subprocess.Popen(command, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        os.write(leader, answer)
        assert process.stdout is not None
        said = process.stdout.read().decode()
        code = process.wait(60)
    os.close(follower)
    os.close(leader)
    return code, said


@pytest.mark.parametrize(
    ("answer", "code", "left", "ends"),
    [
        (b"y\n", 0, 2, "less than before."),
        (b"n\n", 1, 4, "Nothing was deleted."),
        (b"\x04", 1, 4, "Nothing was deleted."),
    ],
    ids=["yes", "no", "end"],
)
def test_on_a_terminal_it_asks(store: Path, answer: bytes, code: int, left: int, ends: str) -> None:
    done = asked(store, answer)
    assert "There is no way back. Go on? [y/N]" in done[1]
    assert ends in done[1]
    assert "Traceback" not in done[1]
    assert (done[0], threads_in(store)) == (code, left)


def test_a_server_goes_on_meanwhile(cli: Cli, tmp_path: Path) -> None:
    """The longest wait of a client beside a prune is a fraction of what the whole takes."""
    then = int(time.time()) - 40 * DAY
    path = tmp_path / "store.db"
    in_file(path, lambda tx: [completed(tx, then) for _ in range(400)])
    waits: list[float] = []
    stop = threading.Event()
    with Engine(f"sqlite:///{path}") as engine:
        client = engine.client()
        client.beta.threads.create()

        def write() -> None:
            while not stop.is_set():
                began = time.monotonic()
                client.beta.threads.create()
                waits.append(time.monotonic() - began)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            said = cli("prune", "--older-than", "30d", "--store", f"sqlite:///{path}")
        finally:
            stop.set()
            thread.join()
    assert said.out.startswith("Deleted 400 threads")
    assert len(waits) > 20
    assert max(waits) < 2
    assert threads_in(path) == len(waits) + 1
