"""docs/cli.md names every option and variable of the commands, and no other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.started.command import started_often

PAGE = (Path(__file__).parent.parent.parent / "docs" / "cli.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
VARIABLE = re.compile(r"TOOLKIT_[A-Z_]+")


def help_of(*command: str) -> str:
    text = subprocess.run([started_often(), *command, "--help"], capture_output=True, text=True, check=True).stdout
    return text.replace("--check-model / ", "")  # what is the default needs no line


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}")[2].partition("\n## ")[0]


COMMANDS = [
    "run",
    "call",
    "mcp",
    "serve",
    "runs list",
    "runs show",
    "runs unlock",
    "backup",
    "export",
    "import",
    "prune",
]
COMMANDS += ["files add", "tools lint", "tools plan", "tools apply", "tools check"]
COMMANDS += ["keys create", "keys list", "keys revoke"]


@pytest.mark.parametrize("command", COMMANDS)
def test_options(command: str) -> None:
    there = set(OPTION.findall(help_of(*command.split()))) - {"--help"}
    said = set(OPTION.findall(re.sub(r"```.*?```", "", section(f"toolkit {command}"), flags=re.DOTALL)))
    assert said == there


def test_variables_of_serve() -> None:
    said = set(VARIABLE.findall(section("toolkit serve")))
    assert set(VARIABLE.findall(help_of("serve"))) - {"TOOLKIT_PORT"} <= said
    # The help names one variable an option; the page also says which other name counts.
    assert said - set(VARIABLE.findall(help_of("serve"))) == {"TOOLKIT_API_KEY"}
