from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from toolkit import Call, Deny
from toolkit.cli.approving import QUESTION, Person, shown
from toolkit.cli.screen import Screen

TOOLS = '''
from toolkit import tool

@tool(approve=True)
def refund(order: int) -> str:
    """Refund an order.

    Args:
        order: Number of the order, such as 1234.
    """
    return f"refunded {order}"
'''
COMMAND = ("run", "shop.py", "Refund order 1234", "--store", "sqlite:///:memory:")


@pytest.fixture(autouse=True)
def shop(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(TOOLS, encoding="utf-8")


def at_a_terminal(*typed: str) -> str:
    """Run the command with a terminal as its input, at which somebody has typed lines."""
    ours, theirs = os.openpty()
    command = [str(Path(sys.executable).with_name("toolkit")), *COMMAND]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in typed:
        os.write(ours, line.encode())
    out, _ = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 0, out
    return out


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal of POSIX")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("y\n", "refunded 1234"),
        ("\x04", "was not approved, and was not made."),
        ("Not before Monday.\n", "was not made. Not before Monday."),
    ],
)
def test_a_person_at_a_terminal_is_asked(typed: str, told: str) -> None:
    out = at_a_terminal(typed)
    assert 'approve?   refund {"order":1234}' in out
    assert QUESTION in out
    assert told in out


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal of POSIX")
@pytest.mark.parametrize(
    ("typed", "decided"),
    [
        ("y\n", True),
        ("YES\n", True),
        (" yes \n", True),
        ("n\n", Deny("")),
        ("No\n", Deny("")),
        ("\n", Deny("")),
        ("\x04", Deny("")),
        ("yes, but later\n", Deny("yes, but later")),
    ],
)
def test_only_yes_is_yes(typed: str, decided: bool | Deny, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    with open(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        os.write(ours, typed.encode())
        assert Person(Screen(steps=False), says_yes=False)(Call("call_1", "refund", "{}")) == decided
    os.close(ours)


def test_without_a_terminal_nothing_is_made(cli: Cli) -> None:
    said = cli(*COMMAND)
    assert said.code == 0
    assert "denied     There is no terminal to ask at; --yes approves every call." in said.out
    assert "There is nobody to approve it." in said.out
    assert "refunded" not in said.out


def test_yes_approves_all_that_is_asked(cli: Cli) -> None:
    said = cli(*COMMAND, "--yes")
    assert 'approve?   refund {"order":1234}' in said.out
    assert "result     refund: refunded 1234" in said.out


def test_nothing_in_the_arguments_is_hidden() -> None:
    assert shown('{"to": "Zoë", "x": "a\\nb"}') == '{"to": "Zoë", "x": "a\\nb"}'
    assert shown("a\x1b[2Kb\n\u202ec\u200bd\ud800") == r"a\x1b[2Kb\n\u202ec\u200bd\ud800"
    long = "x" * 5000
    assert shown(long) == long
