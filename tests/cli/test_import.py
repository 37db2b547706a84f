from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.engine.transfer.objects import assistant, file, jsonl, line, message, step, thread
from toolkit.engine import Engine

TOOLKIT = str(Path(sys.executable).with_name("toolkit"))
DUMPS = Path(__file__).parents[1] / "engine" / "transfer" / "dumps"
STORE = ("--store", "sqlite:///store.db")


def test_a_dump(cli: Cli) -> None:
    said = cli("import", str(DUMPS / "nested.json"), *STORE)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:-1] == [
        "                        NEW      THERE",
        "threads                   1          0",
        "messages                  6          0",
        "runs                      3          0",
        "steps                     6          0",
        "1 run under way where they come from: expired here.",
    ]
    assert said.out.splitlines()[-1].startswith("Done in ")
    again = cli("import", str(DUMPS / "nested.json"), *STORE)
    assert (again.code, again.err) == (0, "")
    assert "messages                  0          6" in again.out


def test_what_could_not_be_taken_over(cli: Cli) -> None:
    Path("a.jsonl").write_text(jsonl(assistant(), thread(metadata={"a": "b"}), message("msg_a")))
    Path("b.jsonl").write_text(
        jsonl(assistant(description="new"), step(), {"id": "gpt-4o", "object": "model"}, message("msg_b")) + "{broken\n"
    )
    cli("import", "a.jsonl", *STORE)
    said = cli("import", "b.jsonl", *STORE)
    assert said.code == 1
    assert said.out.splitlines()[:-1] == [
        "                        NEW      THERE  DIFFERENT   LEFT OUT",
        "assistants                0          0          1          0",
        "messages                  1          0          0          0",
        "steps                     0          0          0          1",
        "1 x model: not imported.",
    ]
    assert said.err.splitlines() == [
        "b.jsonl, line 5: is no JSON: Expecting property name enclosed in double quotes (column 2).",
        "b.jsonl, line 1: asst_a is there with other content, and stays as it is.",
        "b.jsonl, line 2: step_a is left out: run_a is not there.",
    ]
    replaced = cli("import", "b.jsonl", "--replace", *STORE)
    assert "assistants                0          0          1          0" in replaced.out
    assert replaced.out.splitlines()[0].split() == ["NEW", "THERE", "REPLACED", "LEFT", "OUT"]


def test_twenty_problems_are_shown(cli: Cli) -> None:
    Path("a.jsonl").write_text("\n".join(["{}"] * 1030))
    said = cli("import", "a.jsonl", *STORE)
    lines = said.err.splitlines()
    assert (said.code, len(lines)) == (1, 21)
    assert lines[19:] == [
        "a.jsonl, line 20: there is no object of the API in it.",
        "... and 1,010 more such lines.",
    ]


def test_files_that_lack_their_contents(cli: Cli) -> None:
    Path("a.json").write_text(json.dumps([file(), file("file-b")]))
    Path("saved").mkdir()
    Path("saved/file-b").write_bytes(b"abc")
    said = cli("import", "a.json", "--files-from", "saved", *STORE)
    assert (said.code, said.err) == (0, "")
    assert "1 file without contents: they answer 404 for them until those are imported." in said.out
    with Engine("sqlite:///store.db") as engine:
        assert engine.client().files.content("file-b").read() == b"abc"


def test_a_dry_run_makes_nothing(cli: Cli, tmp_path: Path) -> None:
    said = cli("import", str(DUMPS / "nested.json"), "--dry-run", *STORE)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[2] == "messages                  6          0"
    assert said.out.splitlines()[-1] == "Nothing was written: a dry run."
    assert list(tmp_path.iterdir()) == []
    cli("import", str(DUMPS / "nested.json"), *STORE)
    assert (
        "messages                  0          6" in cli("import", str(DUMPS / "nested.json"), "--dry-run", *STORE).out
    )


def test_from_one_store_to_another_through_a_pipe(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/a.db") as engine:
        client = engine.client()
        kept = client.files.create(file=("a.txt", b"x" * 300_000), purpose="assistants").id
        made = client.beta.assistants.create(model="m", name="é\u2028")
    subprocess.run(
        f"{TOOLKIT} export - --store sqlite:///{tmp_path}/a.db | {TOOLKIT} import - --store sqlite:///{tmp_path}/b.db",
        shell=True,
        check=True,
        capture_output=True,
    )
    with Engine(f"sqlite:///{tmp_path}/b.db") as engine:
        client = engine.client()
        assert client.files.content(kept).read() == b"x" * 300_000
        assert client.beta.assistants.retrieve(made.id) == made


def test_into_a_project(cli: Cli) -> None:
    Path("a.jsonl").write_text(jsonl(line("assistant", assistant()), assistant("asst_b")))
    assert cli("import", "a.jsonl", "--project", "shop", *STORE).code == 0
    with Engine("sqlite:///store.db") as engine:
        assert [a.id for a in engine.client().beta.assistants.list()] == []
        assert {a.id for a in engine.client(project="shop").beta.assistants.list()} == {"asst_a", "asst_b"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.json"], "There is no file nothing.json. Name what toolkit export wrote, or what was saved."),
        (["a.json", "--files-from", "nowhere"], "There is no folder nowhere. Name the one with the contents of files."),
        (["a.json", "--project", ""], "--project '' is not understood. Take 1 to 64 letters, digits, dots, dashes."),
        (["a.json", "--store", "sqlite:///:memory:"], "A store in memory is gone with its program. "),
        (["newer.jsonl"], "newer.jsonl, line 1: a newer version of assistants-toolkit has made this. Upgrade, then "),
        ([], "Missing argument 'FILE...'. See: toolkit import --help"),
    ],
)
def test_mistakes(cli: Cli, arguments: list[str], said: str) -> None:
    Path("a.json").write_text("[]")
    Path("newer.jsonl").write_text(jsonl({"kind": "export", "version": 2}))
    done = cli("import", *arguments)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert done.err.startswith(said)


def test_a_store_that_is_at_work(cli: Cli) -> None:
    """What clients do meanwhile is done, and all that is imported is there."""
    Path("a.jsonl").write_text(jsonl(*(message(f"msg_{number}", 100 + number) for number in range(2000))))
    over = threading.Event()
    made: list[Any] = []
    with Engine("sqlite:///store.db") as engine:
        client = engine.client()

        def work() -> None:
            while not over.is_set():
                made.append(client.beta.threads.create(messages=[{"role": "user", "content": "hi"}]).id)

        working = threading.Thread(target=work)
        working.start()
        try:
            said = cli("import", "a.jsonl", *STORE)
        finally:
            over.set()
            working.join()
        assert (said.code, said.err) == (0, "")
        assert len(made) > 5
        assert len(list(client.beta.threads.messages.list("thread_a", limit=100))) == 2000
        assert {one["id"] for one in client.get("/threads?limit=100", cast_to=dict[str, Any])["data"]} <= {
            *made,
            "thread_a",
        }


def test_problems_of_the_store(cli: Cli) -> None:
    Path("a.json").write_text(json.dumps(assistant()))
    Path("store.db").write_text("this is no database, but a text that is long enough to be looked at as one." * 20)
    said = cli("import", "a.json", *STORE)
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
