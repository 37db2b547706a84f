from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.cli.conftest import Cli
from tests.contract.doors import served
from tests.engine.search.concepts import concepts
from toolkit.cli.files import files_of
from toolkit.cli.mistakes import Mistake
from toolkit.engine import Engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "notes"
    (made / "deep" / "er").mkdir(parents=True)
    (made / ".hidden").mkdir()
    for name, text in {"b.md": "Kitten", "a.txt": "Puppy", "deep/er/c.txt": "Bill", ".hidden/x": "", ".y": ""}.items():
        (made / name).write_text(text)
    (made / "link.txt").symlink_to(made / "a.txt")
    return made


def test_what_is_meant_by_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert [str(path) for path in files_of([Path()])] == ["a.txt", "b.md", "deep/er/c.txt"]
    assert [str(path) for path in files_of([Path("b.md"), Path("b.md"), Path(".y")])] == ["b.md", ".y"]
    with pytest.raises(Mistake, match="There is no nowhere"):
        files_of([Path("nowhere")])
    (folder / "empty").mkdir()
    with pytest.raises(Mistake, match="There are no files in empty"):
        files_of([Path("empty")])


def test_files_are_added_once(cli: Cli, folder: Path) -> None:
    said = cli("files", "add", "Notes", "notes", "--store", "sqlite:///a.db")
    assert (said.code, said.err) == (0, "")
    first, second = said.out.splitlines()
    store_id, name = first.split()
    assert name == "Notes"
    assert second.startswith("  3 added, in ")
    assert second.endswith(" s; 3 files can be searched")
    (folder / "d.txt").write_text("New")
    said = cli("files", "add", store_id, "notes", "--store", "sqlite:///a.db")
    assert said.out.startswith(f"{store_id}  Notes\n  1 added, 3 there before, in ")
    with Engine("sqlite:///a.db") as engine:
        client = engine.client()
        [store] = client.vector_stores.list()
        assert store.file_counts.completed == 4
        assert [hit.filename for hit in client.vector_stores.search(store.id, query="puppy")] == ["a.txt"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal of POSIX")
def test_a_terminal_shows_how_many_files_and_chunks_there_are(folder: Path) -> None:
    ours, theirs = os.openpty()
    command = [str(Path(sys.executable).with_name("toolkit")), "files", "add", "Notes", "notes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    with suppress(OSError), open(ours, "rb", buffering=0) as terminal:  # what Linux says when the other end is closed
        while some := terminal.read(4096):
            shown += some
    assert process.wait(60) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    last = [line for line in text.splitlines() if "processed" in line][-1]
    assert "3/3" in last
    assert last.rstrip().endswith(" 3 chunks")
    assert len(last) <= 80


def test_files_that_cannot_be_read_are_named(cli: Cli, folder: Path) -> None:
    (folder / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "empty.txt").write_text("")
    said = cli("files", "add", "Notes", "notes", "--store", "sqlite:///a.db")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[1].startswith("  3 added, in ")
    assert "  FAIL  notes/picture.txt: The file is a PNG image; files of text can be read." in lines
    assert any(line.startswith("  FAIL  notes/empty.txt: ") for line in lines)
    assert len(lines) == 4


def test_files_go_to_a_server(cli: Cli, folder: Path) -> None:
    with Engine("sqlite:///:memory:", api_keys={"k": "default"}) as engine, served(engine.app) as address:
        said = cli("files", "add", "Notes", "notes", "--url", f"{address}/v1", "--url-key", "k")
        assert (said.code, said.err) == (0, "")
        found: Any = OpenAI(base_url=f"{address}/v1", api_key="k").vector_stores.list().data
        assert [(store.name, store.file_counts.completed) for store in found] == [("Notes", 3)]
        said = cli("files", "add", "vs_none", "notes", "--url", f"{address}/v1", "--url-key", "k")
    assert said.code == 2
    assert said.err == "There is no vector store vs_none. A name instead of an id makes a new one.\n"


def test_files_get_vectors(cli: Cli, folder: Path) -> None:
    with concepts() as models:
        told = ("--embeddings-url", models.url, "--embeddings-model", "concepts")
        assert cli("files", "add", "Notes", "notes", "--store", "sqlite:///a.db", *told).code == 0
        assert {"Kitten", "Puppy", "Bill"} <= set(models.embedded)


def test_a_path_that_is_not_there(cli: Cli) -> None:
    said = cli("files", "add", "Notes", "nowhere")
    assert (said.code, said.err) == (2, "There is no nowhere. Name files, or folders of files.\n")
