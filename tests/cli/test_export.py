from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.engine.stored_runs import completed, in_file
from toolkit.engine import Engine

TOOLKIT = str(Path(sys.executable).with_name("toolkit"))


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Two projects with a run each, and a file."""
    now = int(time.time())
    in_file(tmp_path / "store.db", lambda tx: (completed(tx, now), completed(tx, now, project="shop")))
    with Engine(f"sqlite:///{tmp_path}/store.db") as engine:
        engine.client().files.create(file=("a.txt", b"x" * 300_000), purpose="assistants")
    return f"sqlite:///{tmp_path}/store.db"


def kinds(text: str) -> list[str]:
    return [json.loads(line)["kind"] for line in text.splitlines()]


def test_a_file(cli: Cli, store: str) -> None:
    said = cli("export", "exports/all.jsonl", "--store", store)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("exports/all.jsonl: 2 assistants, 1 file (0.3 MB), 2 threads with 4 messages, 2")
    assert said.out.endswith(" s.\n")
    assert max(map(len, said.out.splitlines())) <= 80
    text = Path("exports/all.jsonl").read_text(encoding="utf-8")
    found = kinds(text)
    assert (found[0], found[-1], found.count("bytes")) == ("export", "end", 2)
    assert stat.S_IMODE(Path("exports/all.jsonl").stat().st_mode) == 0o600, "what was said is nobody else's"
    assert os.listdir("exports") == ["all.jsonl"]


def test_stdout_has_the_lines_alone(cli: Cli, store: str) -> None:
    said = cli("export", "-", "--no-files", "--store", store)
    assert said.code == 0
    assert kinds(said.out)[0] == "export"
    assert "bytes" not in kinds(said.out)
    assert said.err.startswith("stdout: 2 assistants, 1 file, 2 threads with")
    assert said.err.endswith("The contents of files are left out, as you asked.\n")


def test_one_project(cli: Cli, store: str) -> None:
    said = cli("export", "-", "--project", "shop", "--store", store)
    objects = [json.loads(line) for line in said.out.splitlines()[1:-1]]
    assert {line["project"] for line in objects} == {"shop"}
    assert cli("export", "-", "--project", "none", "--store", store).err.startswith("stdout: 0 assistants, 0 files")


def test_what_is_left_out_is_told(cli: Cli, store: str, tmp_path: Path) -> None:
    with Engine(store) as engine:
        engine.client().uploads.create(bytes=3, filename="a", mime_type="text/plain", purpose="assistants")
    for blob in (tmp_path / "store.db-files").glob("??/*"):
        blob.unlink()
    said = cli("export", "all.jsonl", "--store", store)
    assert (said.code, said.err) == (
        0,
        "The store lacks the contents of 1 file, and so does the export.\n"
        "Uploads that are not complete are left out.\n",
    )


def test_nothing_is_replaced_unasked(cli: Cli, store: str, tmp_path: Path) -> None:
    Path("mine.txt").write_text("mine")
    said = cli("export", "mine.txt", "--store", store)
    assert (said.code, said.out) == (2, "")
    assert said.err == "mine.txt is there already. Name another file, or replace it with --force.\n"
    assert Path("mine.txt").read_text() == "mine"
    assert cli("export", "mine.txt", "--force", "--store", store).code == 0
    assert kinds(Path("mine.txt").read_text(encoding="utf-8"))[0] == "export"
    Path("folder").mkdir()
    assert cli("export", "folder", "--force", "--store", store).code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "x", "--store", "sqlite:///nowhere.db"], "There is no store at nowhere.db."),
        (["export", "x", "--project", "a b"], "--project 'a b' is not understood."),
        (["export", "mine.txt/x", "--store", "STORE"], "mine.txt/x cannot be written: "),
    ],
)
def test_mistakes(cli: Cli, store: str, arguments: list[str], said: str) -> None:
    Path("mine.txt").write_text("mine")
    done = cli(*(store if word == "STORE" else word for word in arguments))
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert done.err.startswith(said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_full_disk(store: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [TOOLKIT, "export", "-", "--store", store], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_read_enough(store: str) -> None:
    done = subprocess.run(
        f"{TOOLKIT} export - --store {store} | head -c 100", shell=True, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith('{"kind":"export"')
    assert "Traceback" not in done.stderr


def test_progress_on_a_terminal(store: str) -> None:
    parent, child = pty.openpty()
    with subprocess.Popen(
        [TOOLKIT, "export", "x.jsonl", "--store", store], stdout=subprocess.PIPE, stderr=child
    ) as process:
        process.wait(30)
    os.close(child)
    written = b""
    while True:
        try:
            written += os.read(parent, 4096)
        except OSError:
            break
    os.close(parent)
    assert b"\r1 lines" in written
    assert written.endswith(b"\r"), "the line is taken away"
