from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.engine.stored_runs import in_file, queued
from toolkit.cli.stored import file_of, opened


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--store", "sqlite:///none.db"], "There is no store at none.db."),
        (["--store", "sqlite:///:memory:"], "A store in memory is gone with its program."),
        (["--data-dir", "none"], "There is no folder none."),
        (["--store", "mysql://x"], "Store 'mysql://x' is not understood."),
        ([], "There is no store at "),
    ],
)
def test_a_store_that_is_not_there_is_not_made(cli: Cli, tmp_path: Path, options: list[str], said: str) -> None:
    for command in (["runs", "list"], ["runs", "unlock", "run_a"], ["prune", "--older-than", "1d"], ["backup", "b"]):
        left = cli(*command, *options)
        assert (left.code, left.out) == (2, "")
        assert left.err.startswith(said)
        assert len(left.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_there(tmp_path: Path) -> None:
    run = in_file(tmp_path / "assistants.db", lambda tx: queued(tx, int(time.time())))
    address = file_of(None, tmp_path)
    assert address.path == tmp_path / "assistants.db"
    with opened(address) as stored:
        assert stored.write(lambda tx: tx.run("run.let_go", owner="engine")) == 1
        row = stored.read(lambda tx: tx.one("run.by_id", id=run.id))
        assert (row and row["owner"]) is None
        assert not stored.is_gone("nobody knows")
