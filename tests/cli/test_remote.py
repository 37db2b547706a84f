from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.engine.stored_runs import completed, in_file, waiting
from tests.started.command import started_often
from toolkit.cli import remote


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> str:
    return f"sqlite:///{path}"


KEYS = "front=key-of-front,key-of-default"


@pytest.fixture
def served(store: str, path: Path) -> Iterator[str]:
    """A server on the store, another process; its address."""
    in_file(path, lambda tx: None)
    command = [started_often(), "serve", "--port", "0", "--store", store]
    environment = os.environ | {"TOOLKIT_API_KEYS": KEYS}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()
        assert server.wait(30) == 0


def at(ago: int) -> int:
    return int(time.time()) - ago


def test_the_same_of_a_server(cli: Cli, served: str, store: str, path: Path) -> None:
    over = in_file(path, lambda tx: completed(tx, at(100)))
    held = in_file(path, lambda tx: waiting(tx, at(50)))
    in_file(path, lambda tx: completed(tx, at(10), project="other"))
    Path("key").write_text("key-of-default\n")
    there, here = ("--url", served, "--url-key-file", "key"), ("--store", store, "--project", "default")
    listed, stored = (json.loads(cli("runs", "list", "--json", *place).out) for place in (there, here))
    assert listed == [{**run, "project": None} for run in stored]
    assert [run["id"] for run in listed] == [held.id, over.id]
    assert held.thread in cli("runs", "list", *there).out
    assert over.id not in cli("runs", "list", "--status", "requires_action", *there).out
    for run_id in (held.id, held.thread):
        said = cli("runs", "show", run_id, *there).out
        assert f"run        {held.id}\n" in said
        assert "  call_a lookup: not answered\n" in said
        assert "secret" not in said
    assert "the secret answer" in cli("runs", "show", over.id, "--content", *there).out
    said = cli("runs", "unlock", held.id, *there)
    assert said.out == f"Run {held.id} was requires_action and is cancelled now.\nThread {held.thread} is free.\n"
    again = cli("runs", "unlock", held.thread, *there)
    assert (again.code, again.out) == (0, f"Run {held.id} is cancelled; there was nothing to do.\n")
    left = cli("runs", "show", "run_none", *there)
    assert (left.code, left.out, len(left.err.splitlines())) == (1, "", 1)
    wrong = cli("runs", "list", "--project", "other", *there)
    assert (wrong.code, wrong.err.split(".")[0]) == (2, "A server shows the project of the key it is sent")
    assert cli("runs", "list", "--json", "--url", served, "--url-key", "key-of-front").out == "[]\n"
    keyless = cli("runs", "list", "--url", served)
    assert (keyless.code, "TOOLKIT_URL_KEY" in keyless.err, len(keyless.err.splitlines())) == (1, True, 1)
    unread = cli("runs", "list", "--url", served, "--url-key-file", "none")
    assert (unread.code, unread.err.startswith("--url-key-file: none cannot be read")) == (2, True)


def test_a_server_that_is_not_there(cli: Cli) -> None:
    left = cli("runs", "list", "--url", "http://127.0.0.1:9/v1")
    assert (left.code, left.out) == (1, "")
    assert (
        left.err == "No server answers at http://127.0.0.1:9/v1/threads. Is it running? Start one with: toolkit serve\n"
    )


def test_an_address_without_its_scheme_is_no_server_that_is_not_there(cli: Cli) -> None:
    left = cli("runs", "list", "--url", "localhost:9/v1")
    assert (left.code, left.out) == (2, "")
    assert left.err == "--url 'localhost:9/v1' is not understood. Write it like http://127.0.0.1:8000/v1\n"


def test_only_so_many_threads_are_looked_at(cli: Cli, served: str, path: Path) -> None:
    """The oldest thread is one too many: its run is not listed, and that is said."""
    first, *others = in_file(path, lambda tx: [completed(tx, at(1000 - n)) for n in range(remote.LOOKED_AT + 1)])
    there = ("--url", served, "--url-key", "key-of-default")
    said = cli("runs", "list", "--json", "--limit", "500", *there)
    listed = [run["id"] for run in json.loads(said.out)]
    assert listed == [run.id for run in reversed(others)]
    assert said.err.startswith(f"(of the {remote.LOOKED_AT} newest threads;")
    assert cli("runs", "show", first.id, *there).code == 1
    assert cli("runs", "show", first.thread, *there).code == 0
