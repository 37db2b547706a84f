"""The examples, run as people run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.contract.doors import served
from tests.started.command import INSTALLED, started_often
from toolkit.engine import Engine

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


def run(*command: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "TOOLKIT_", "NOTES_"))}
    return subprocess.run(
        command, cwd=folder, env=kept | environment, capture_output=True, text=True, timeout=60, check=False
    )


def notes(name: str, *arguments: str, folder: str = str(EXAMPLES / "notes")) -> subprocess.CompletedProcess[str]:
    return run(started_often(), "call", f"examples/notes.py:{name}", *arguments, NOTES_DIR=folder)


def test_weather_assistant() -> None:
    done = run(sys.executable, "-W", "error", "examples/weather_assistant.py")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split("(")[0] for line in lines[:2]] == [
        "call    get_current_temperature",
        "call    get_rain_probability",
    ]
    assert sorted(lines[2:4]) == ["result  get_current_temperature: 14.0 C", "result  get_rain_probability: 0.06"]
    assert "user: What's the weather in San Francisco today and the likelihood it'll rain?" in lines
    assert any(line.startswith("assistant: ") for line in lines)


def test_async_stream() -> None:
    done = run(sys.executable, "-W", "error", "examples/async_stream.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert "count_in_stock: 7\n" in done.stdout
    assert "price_of: 80 euros\n" in done.stdout


def test_a_dump_needs_a_folder() -> None:
    """What it saves is shown by tests/contract/test_moving.py."""
    done = run(sys.executable, "-W", "error", "examples/save_dump.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Save what a server of the Assistants API holds, for `toolkit import`")


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_survives_kill_9(tmp_path: Path) -> None:
    done = run(sys.executable, "-W", "error", "examples/survives_kill_9.py", KILL_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    before, _, behind = done.stdout.partition("The first process ended with -9.")
    assert before.count("bank    has paid: 50 euros to Ada") == 1
    assert "result  look_up_account" in before
    assert "call    look_up_account" not in behind
    assert "bank    had paid already: 50 euros to Ada" in behind
    assert behind.endswith("Payments that the bank has made: 1\n")


def test_make_demo_shows_the_whole_job() -> None:
    """The command of `make demo`, without its set-up."""
    recipe = run("make", "-n", "--no-print-directory", "demo").stdout
    assert "toolkit run examples/weather_assistant.py --store sqlite:///:memory: --steps" in recipe
    request = recipe.rsplit('"', 2)[1]
    done = run(INSTALLED, "run", "examples/weather_assistant.py", "--store", "sqlite:///:memory:", "--steps", request)
    assert (done.returncode, done.stderr) == (0, "")
    for said in (
        "requires_action: 2 calls",
        "get_rain_probability: 0.06",
        "now holds:",
        "user       What's",
        "assistant  ",
    ):
        assert said in done.stdout


def test_make_demo_with_an_endpoint_and_no_model() -> None:
    done = run(started_often(), "run", "examples/weather_assistant.py", "Hello", OPENAI_API_KEY="key")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "TOOLKIT_MODEL=NAME" in done.stderr


def test_notes_are_listed_found_and_read() -> None:
    listed = json.loads(notes("list_notes").stdout)
    assert [note["file"] for note in listed] == [
        "2026-03-planning.md",
        "2026-04-planning.md",
        "expenses.csv",
        "recipes.md",
    ]
    found = json.loads(notes("search_notes", "words=ROOF offer").stdout)
    assert [(hit["file"], hit["line"]) for hit in found] == [("2026-03-planning.md", 5), ("2026-04-planning.md", 5)]
    assert len(json.loads(notes("search_notes", "words=e", "most=3").stdout)) == 3
    assert notes("read_note", "file=recipes.md").stdout.startswith("# Tomato soup")


def test_figures_of_a_table() -> None:
    figures = json.loads(notes("table_figures", "file=expenses.csv", "column=amount").stdout)
    assert figures == {"rows": 7, "empty": 0, "sum": 787.75, "mean": 112.535714, "smallest": 18.75, "largest": 400.0}


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("read_note", ["file=../weather_assistant.py"], "is outside the folder of notes."),
        ("read_note", ["file=/etc/passwd"], "is outside the folder of notes."),
        ("read_note", ["file=none.md"], "There is no file 'none.md'. list_notes says what there is."),
        ("search_notes", ["words= "], "Give at least one word to search for."),
        ("search_notes", ["words=a", "most=1000"], "most: Input should be less than or equal to 100"),
        (
            "table_figures",
            ["file=expenses.csv", "column=cost"],
            "no column 'cost'; it has date, category, item, amount.",
        ),
        ("table_figures", ["file=expenses.csv", "column=item"], "is not all numbers"),
    ],
)
def test_what_notes_refuse(name: str, arguments: list[str], said: str) -> None:
    done = notes(name, *arguments)
    assert done.returncode == 1
    assert said in done.stdout
    assert done.stderr == ""


def test_notes_never_leave_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    (folder / ".hidden").mkdir(parents=True)
    (folder / ".hidden" / "secret.md").write_text("secret")
    (tmp_path / "outside.md").write_text("secret")
    (folder / "link.md").symlink_to(tmp_path / "outside.md")
    (folder / "semicolons.csv").write_text("a;b\n1;2\n;3\n")
    (folder / "large.md").write_text("x" * 1_000_001)
    (folder / "image.png").write_bytes(b"\x89PNG")
    place = str(folder)
    assert [note["file"] for note in json.loads(notes("list_notes", folder=place).stdout)] == [
        "large.md",
        "semicolons.csv",
    ]
    assert notes("search_notes", "words=secret", folder=place).stdout == "[]\n"
    assert "is outside the folder" in notes("read_note", "file=link.md", folder=place).stdout
    assert "is larger than 1,000,000 bytes" in notes("read_note", "file=large.md", folder=place).stdout
    assert "is not a note or table" in notes("read_note", "file=image.png", folder=place).stdout
    figures = json.loads(notes("table_figures", "file=semicolons.csv", "column=a", folder=place).stdout)
    assert (figures["rows"], figures["empty"], figures["sum"]) == (2, 1, 1.0)


def test_an_assistant_reads_real_notes() -> None:
    done = run(
        started_often(),
        "run",
        "examples/notes.py",
        "Figures of the column amount in expenses.csv",
        "--store",
        "sqlite:///:memory:",
        NOTES_DIR=str(EXAMPLES / "notes"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"sum":787.75' in done.stdout


WITH_TOOLS = [path for path in sorted(EXAMPLES.rglob("*.py")) if "@tool" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_TOOLS, ids=lambda path: path.name)
def test_the_lint_has_nothing_to_remark(path: Path) -> None:
    done = run(started_often(), "tools", "lint", str(path.relative_to(ROOT)))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("nothing to remark.\n")


def steps_of_ci() -> dict[str, str]:
    """The commands of the workflow's steps, by name."""
    workflow = (EXAMPLES / "ci" / "assistants.yml").read_text(encoding="utf-8")
    found = re.findall(r"- name: (\w+)\n(?: +if: .+\n)? +run: (\|\n(?: {10}.*\n)+|.+\n)", workflow)
    return {name: textwrap.dedent(text.removeprefix("|\n")) for name, text in found}


def test_plan_apply_and_check_in_ci(tmp_path: Path) -> None:
    steps = steps_of_ci()
    assert list(steps) == ["Install", "Lint", "Plan", "Apply", "Check"]
    summary = tmp_path / "summary.md"
    with Engine("sqlite:///:memory:", api_keys={"sk-ci": "default"}) as engine, served(engine.app) as address:
        environment = {
            "PATH": f"{Path(started_often()).parent}{os.pathsep}{os.environ['PATH']}",
            "TOOLKIT_URL_KEY": "sk-ci",
            "SERVER": f"{address}/v1",
            "TOOLS": "examples/weather_assistant.py",
            "GITHUB_STEP_SUMMARY": str(summary),
        }

        def step(name: str) -> tuple[int, str]:
            done = run("bash", "-e", "-o", "pipefail", "-c", steps[name], **environment)
            assert done.stderr == ""
            return done.returncode, done.stdout

        code, shown = step("Plan")
        assert (code, summary.read_text()) == (0, shown)
        assert "Functions: 2 to add, 0 to change, 0 to remove." in shown
        code, shown = step("Apply")
        assert code == 0
        assert "\nDone: asst_" in shown
        assert step("Check")[0] == 0
        assistants = engine.client().beta.assistants
        [assistant] = assistants.list().data
        assistants.update(assistant.id, tools=[])
        code, shown = step("Check")
        assert code == 1
        assert "! get_rain_probability: somebody else took it off" in shown


def test_mcp_both_ways() -> None:
    done = run(sys.executable, "-W", "error", "examples/mcp_both_ways.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert 'result  library_find_books: ["Persuasion","Emma"]\n' in done.stdout
    assert 'asked   library_lend_book({"title":"Persuasion","reader":"Ann"})\n' in done.stdout
    assert done.stdout.endswith("result  library_lend_book: Persuasion is lent to Ann.\n")


def test_an_openapi_document_as_tools() -> None:
    done = run(sys.executable, "-W", "error", "examples/pets_openapi.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ('call    list_pets({"kind":"dog"})\nresult  [{"id": 1, "name": "Rex", "kind": "dog"}]\n')
