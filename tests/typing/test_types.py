"""The files beside this one say what type checkers see; mypy reads them here, pyright in `make check`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_mypy_agrees_with_every_assert_type() -> None:
    files = [str(each) for each in sorted(Path(__file__).parent.glob("*.py")) if each.name != "test_types.py"]
    command = [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    mine = [line for line in done.stdout.splitlines() if line.startswith(("tests", "Success"))]
    assert not [line for line in mine if "error:" in line], done.stdout
    assert done.returncode in (0, 1), done.stdout + done.stderr
