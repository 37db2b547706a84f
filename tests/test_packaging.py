"""What a clone and a wheel hold, and what set-up says when the machine is not ready for it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def built_wheel(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_a_wheel_holds_every_module_and_statement(tmp_path: Path) -> None:
    with zipfile.ZipFile(built_wheel(tmp_path)) as wheel:
        held = set(wheel.namelist())
    kinds = ("*.py", "*.sql", "py.typed")
    wanted = {path.relative_to(ROOT).as_posix() for kind in kinds for path in (ROOT / "toolkit").rglob(kind)}
    assert wanted <= held
    assert any(name.endswith("licenses/LICENSE") for name in held)
    assert not any(name.startswith(("tests/", "examples/", "docs/")) for name in held)


@pytest.mark.slow
def test_the_base_install_in_a_clean_environment(tmp_path: Path) -> None:
    wheel = built_wheel(tmp_path)
    venv.create(tmp_path / "clean", with_pip=True)
    python = tmp_path / "clean" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True, capture_output=True)
    listed = subprocess.run([python, "-m", "pip", "list"], check=True, capture_output=True, text=True).stdout
    installed = [line.split()[0] for line in listed.splitlines()[2:]]
    assert len(set(installed) - {"pip", "setuptools"}) <= 20, installed

    program = (
        "from toolkit import Toolset, run, tool\nfrom toolkit.engine import Engine\n"
        "@tool\ndef rain(city: str) -> float:\n    'Probability of rain in a city.'\n    return 0.25\n"
        "tools = Toolset(rain)\nclient = Engine('sqlite:///a.db').client()\n"
        "made = client.beta.assistants.create(model='offline', tools=tools.definitions)\n"
        "result = run(client, tools, assistant_id=made.id, input='Probability of rain in Seoul?')\n"
        "print(result.calls[0].output.content)\n"
    )
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0.25\n", "")

    command = tmp_path / "clean" / "bin" / "toolkit"
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        'The toolkit command needs: pip install "assistants-toolkit[standard]"\n',
    )


def make(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml"):
        (folder / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "PYTHON")
    }
    command = ["make", "--no-print-directory", "demo", f"PYTHON={python}"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def stand_in(folder: Path, script: str) -> str:
    """A python that lacks something, as machines have it."""
    file = folder / "their-python"
    file.write_text(f'#!/bin/sh\n{script}\nexec {sys.executable} "$@"\n')
    file.chmod(0o755)
    return str(file)


def first_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2
    return done.stdout.splitlines()[0]


def test_a_machine_without_python(tmp_path: Path) -> None:
    assert first_line(make(tmp_path, "no-such-python")).startswith("no-such-python is not here. Install Python 3.11")


def test_a_python_that_is_too_old(tmp_path: Path) -> None:
    script = 'case "$*" in *version_info*) exit 1;; -V) echo Python 3.9.2; exit;; esac'
    assert first_line(make(tmp_path, stand_in(tmp_path, script))).startswith(
        "Python 3.9.2 is too old. Install Python 3.11"
    )


def test_debians_python_without_venv(tmp_path: Path) -> None:
    script = 'case "$*" in *ensurepip*) echo No module named ensurepip >&2; exit 1;; esac'
    said = first_line(make(tmp_path, stand_in(tmp_path, script)))
    assert said == "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"


def test_an_install_that_fails_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("pip", "python"):
        (tmp_path / ".venv" / "bin" / name).write_text("#!/bin/sh\necho no network here; exit 1\n")
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    done = make(tmp_path, sys.executable)
    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        "Setting up .venv (once)...",
        "no network here",
        "The set-up failed: see .venv/setup.log, then try again.",
    ]


def test_ci_runs_what_make_test_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert script.rstrip().endswith("make --no-print-directory test")


def test_nothing_in_the_project_says_another_license() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
