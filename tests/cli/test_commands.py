from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from toolkit import __version__

TOOLKIT = str(Path(sys.executable).with_name("toolkit"))


def test_version_and_help(cli: Cli) -> None:
    assert cli("--version").out == f"assistants-toolkit {__version__}\n"
    said = cli("--help")
    assert said.code == 0
    assert "..." not in said.out.partition("Commands:")[2], "what a command does fits beside its name"
    for command in ("serve", "run", "call", "doctor", "tools", "runs", "backup", "prune"):
        assert command in said.out
        assert max(map(len, cli(command, "--help").out.splitlines())) <= 80
    for command in ("list", "show", "unlock"):
        assert max(map(len, cli("runs", command, "--help").out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sreve"], "No such command 'sreve'. Did you mean 'serve'? See: toolkit --help"),
        (["call"], "Missing argument"),
        (["serve", "--prot", "1"], "No such option"),
        (["serve", "--port", "high"], "Invalid value for '--port'"),
        (["serve", "--port", "99999"], "Invalid value for '--port'"),
        (["serve", "--log-format", "xml"], "Invalid value for '--log-format'"),
    ],
)
def test_wrong_usage_is_told_in_a_line_or_two(cli: Cli, arguments: list[str], said: str) -> None:
    left = cli(*arguments)
    assert left.code == 2
    assert left.err.startswith(said)
    assert " --help\n" in left.err
    assert len(left.err.splitlines()) <= 2


def test_nothing_asked_shows_what_there_is(cli: Cli) -> None:
    said = cli()
    assert "Usage: toolkit" in said.out + said.err
    assert "See: toolkit --help" not in said.out + said.err


def test_the_console_command_is_the_same() -> None:
    done = subprocess.run([TOOLKIT, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"assistants-toolkit {__version__}\n")


WITHOUT = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("typer", "rich", "uvicorn"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
import importlib.util
whole = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in ("typer", "rich", "uvicorn") else whole(name)
from toolkit.cli import main
sys.exit(main())
"""


def test_without_the_extra_it_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'The toolkit command needs: pip install "assistants-toolkit[standard]"\n'


def test_a_reader_that_has_enough(tools: Path) -> None:
    command = f"'{TOOLKIT}' tools show '{tools}' | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("weather\n", "")


def test_text_the_terminal_cannot_show_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text(
        "from toolkit import tool\n@tool\ndef f() -> str:\n    'Do.'\n    return '\\u2192'\n", encoding="utf-8"
    )
    done = subprocess.run(
        [TOOLKIT, "call", "t.py"], capture_output=True, cwd=tmp_path, env={"PYTHONIOENCODING": "latin-1"}, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"?\n")
