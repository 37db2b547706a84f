from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli

WELL = '''
from toolkit import tool

@tool
def rain(city: str) -> float:
    """Probability of rain.

    Args:
        city: City name, such as Seoul.
    """
    return 0.25
'''


@pytest.mark.usefixtures("tools")
def test_what_is_found_within_80_columns(cli: Cli) -> None:
    said = cli("tools", "lint", "sky.py")
    assert (said.code, said.err) == (1, "")
    assert said.out == (
        "weather: nothing is said of unit, days [parameters]\nrain: nothing is said of city [parameters]\n"
    )


def test_nothing_found(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "well.py").write_text(WELL)
    said = cli("tools", "lint", "well.py")
    assert (said.code, said.out, said.err) == (0, "1 tool, nothing to remark.\n", "")


@pytest.mark.usefixtures("tools")
def test_a_rule_is_left_out(cli: Cli) -> None:
    assert cli("tools", "lint", "sky.py", "--ignore", "parameters").code == 0
    wrong = cli("tools", "lint", "sky.py", "--ignore", "params")
    assert (wrong.code, wrong.err) == (
        2,
        "There is no rule 'params'. The rules are description, parameters, length, strict, null, names, alike.\n",
    )


def test_long_findings_are_broken(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(
        "from toolkit import tool\n@tool\ndef tag(labels: dict, "
        + ", ".join(f"p{n}: int" for n in range(40))
        + ") -> str:\n"
        '    "Tag."\n    return ""\n'
    )
    said = cli("tools", "lint", "long.py")
    assert max(map(len, said.out.splitlines())) <= 80
    assert "[strict]" in said.out
