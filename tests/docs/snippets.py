"""Read the examples out of a page, run them, and compare what they print with what the page says.

`python` blocks of a page share their names, in order; lines that begin with `#> ` are what the block prints. `console`
blocks hold `$ commands`, each with what it prints below it, `...` standing for anything. Commands run in one folder
that holds the examples; a `toolkit serve` keeps running until the page ends. Where a page says http://localhost:8000,
a server of its own answers.
"""

from __future__ import annotations

import contextlib
import io
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.started.command import started_often

__all__ = ["Block", "blocks", "commands", "expected", "matches", "run_console", "run_python", "served"]

FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SET_UP = ("pip install ", "make ", "git ", "cd ", "sudo ", "python3 -m venv")
"""Commands of the set-up, which no example in a test may repeat; test_packaging looks after them."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    """One `$ command` and what the page says it prints; None when it says nothing."""

    text: str
    prints: str | None


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, indentation taken off."""
    found: list[Block] = []
    for match in FENCE.finditer(page):
        indent, language, body = match.groups()
        text = "\n".join(line.removeprefix(indent) for line in body.splitlines())
        found.append(Block(language, text, page.count("\n", 0, match.start()) + 1))
    return found


def expected(source: str) -> str | None:
    """What a python block says it prints, or None when it says nothing."""
    lines = [line.removeprefix("#>").removeprefix(" ") for line in source.splitlines() if line.startswith("#>")]
    return "\n".join(lines) if lines else None


def matches(said: str, printed: str) -> bool:
    """Compare, with `...` on the page for anything, and blanks at the ends of lines left out."""
    pattern = re.escape(_trimmed(said)).replace(re.escape("..."), ".*?")
    return re.fullmatch(pattern, _trimmed(printed), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def run_python(block: Block, names: dict[str, Any], page: str) -> None:
    """Run a block; AssertionError when it prints anything else than it says."""
    printed = io.StringIO()
    code = compile("\n" * block.line + block.text, page, "exec", dont_inherit=True)
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    said = expected(block.text)
    if said is not None:
        assert matches(said, printed.getvalue()), f"{page}:{block.line} prints\n{printed.getvalue()}\nand says\n{said}"


def commands(text: str) -> list[Command]:
    """The commands of a console block; a line that ends in a backslash goes on."""
    found: list[Command] = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.rstrip("\n").split("\n")
        end = next(i for i, line in enumerate(lines) if not line.endswith("\\")) + 1
        found.append(Command("\n".join(lines[:end]), "\n".join(lines[end:]).strip() or None))
    return found


def run_console(command: Command, folder: Path, environment: dict[str, str], where: str) -> None:
    """Run a command in bash; AssertionError when it prints something else, or ends badly without saying so."""
    if command.text.startswith(SET_UP):
        return
    done = subprocess.run(
        ["bash", "-c", command.text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    printed = done.stdout + done.stderr
    if command.prints is not None:
        assert matches(command.prints, printed), (
            f"{where} $ {command.text}\nprints\n{printed}\nand says\n{command.prints}"
        )
    else:
        assert done.returncode == 0, f"{where} $ {command.text}\n{printed}"


@contextlib.contextmanager
def served(command: Command, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Keep a `toolkit serve` running on a free port, and give its address without /v1."""
    words = [started_often(), *command.text.split()[1:], "--port", "0"]
    with subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip().removesuffix("/v1")
        try:
            shown = address + "/v1"
            for line in (command.prints or "").splitlines()[1:]:
                shown += "\n" + server.stdout.readline().rstrip("\n")
            if command.prints:
                here = shown.replace(address, "http://127.0.0.1:8000")
                assert matches(command.prints, here), f"$ {command.text}\nprints\n{here}"
            yield address
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=20) == 0
