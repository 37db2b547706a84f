"""The command run in this process, with nothing of the developer's own environment."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolkit.cli.commands import go


@dataclass(frozen=True)
class Said:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Cli = Callable[..., Said]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in os.environ:
        if name.startswith(("OPENAI_", "TOOLKIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    path, modules, handlers, level = list(sys.path), set(sys.modules), list(logging.root.handlers), logging.root.level
    yield
    sys.path[:] = path
    logging.root.handlers[:] = handlers  # `serve` logs to stderr from then on
    logging.root.setLevel(level)
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: str) -> Said:
        code = go(arguments)
        sys.stdout.flush()
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return run


TOOLS = '''
from typing import Literal
from toolkit import ToolError, tool

@tool
def weather(city: str, unit: Literal["c", "f"] = "c", days: int = 1) -> str:
    """Current weather in a city.

    Args:
        city: City name, such as Seoul.
    """
    if city == "Atlantis":
        raise ToolError("No such city.")
    if city == "Hades":
        raise ValueError("secret of the application")
    return f"{city!r} {unit} {days!r}"

@tool
async def rain(city: str) -> float:
    """Probability of rain."""
    return 0.25
'''


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    file = tmp_path / "sky.py"
    file.write_text(TOOLS)
    return file
