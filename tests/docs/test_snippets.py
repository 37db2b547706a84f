"""Every example of README and docs runs, and prints what it says."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.docs.snippets import Block, blocks, commands, expected, matches, run_console, run_python, served
from tests.started.command import started_often

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "AGENTS.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
LANGUAGES = {"python", "console", "text", "json", "toml"}
LOCAL = re.compile(r"http://(?:localhost|127\.0\.0\.1):8000")


def clean_environment(home: Path) -> dict[str, str]:
    """The user's own environment without keys and addresses, with the console command and a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "TOOLKIT_"))}
    path = [os.path.dirname(started_often()), os.path.dirname(sys.executable), kept["PATH"]]
    return kept | {"PATH": os.pathsep.join(path), "XDG_DATA_HOME": str(home), "COLUMNS": "80"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
@pytest.mark.filterwarnings("default")
def test_examples_of(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    environment = clean_environment(tmp_path / "home")
    monkeypatch.setenv("PATH", environment["PATH"])
    names: dict[str, Any] = {"__name__": f"page_{path.stem}"}
    server: str | None = None
    with contextlib.ExitStack() as open_servers, warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks(path.read_text(encoding="utf-8")):
            where = f"{path.name}:{block.line}"
            assert block.language in LANGUAGES, f"{where}: a block of {block.language} is never run"
            if block.language == "python":
                text = LOCAL.sub(server, block.text) if server else block.text
                run_python(Block("python", text, block.line), names, path.name)
            elif block.language == "console":
                for command in commands(block.text):
                    if command.text.startswith("toolkit serve") and (command.prints or "").startswith("http"):
                        server = open_servers.enter_context(served(command, folder, environment))
                    else:
                        text = LOCAL.sub(server, command.text) if server else command.text
                        run_console(type(command)(text, command.prints), folder, environment, where)
        for value in names.values():  # engines that a page left open
            if type(value).__name__ == "Engine":
                value.close()


def test_links_lead_somewhere() -> None:
    for path in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("sandbox:"):  # files of a session, in what a model says
                assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_the_reader() -> None:
    page = "Text\n\n```python\nprint(1)\n#> 1\n```\n\n"
    page += "1. item\n\n   ```console\n   $ one \\\n     more\n   out\n   $ two\n   ```\n"
    first, second = blocks(page)
    assert (first.language, first.line, expected(first.text)) == ("python", 3, "1")
    assert [(command.text, command.prints) for command in commands(second.text)] == [
        ("one \\\n  more", "out"),
        ("two", None),
    ]


@pytest.mark.parametrize(
    ("said", "printed", "same"),
    [("run_... done", "run_abc done\n", True), ("a\nb", "a  \nb\n\n", True), ("a", "b", False), ("a.b", "axb", False)],
)
def test_the_comparison(said: str, printed: str, same: bool) -> None:
    assert matches(said, printed) is same


def test_a_wrong_page_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="says"):
        run_python(Block("python", "print(1)\n#> 2", 1), {}, "page")
    with pytest.raises(AssertionError):
        run_console(commands("$ false")[0], tmp_path, dict(os.environ), "page")
