from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.environments import NotInstalled, node_modules, python

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder / "assistants-toolkit" / "clients"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A package that is installed without a network."""
    file = tmp_path_factory.mktemp("wheel") / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tiny.py", "SIZE = 1\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return str(file)


def said(interpreter: Path, program: str) -> str:
    done = subprocess.run([interpreter, "-c", program], capture_output=True, text=True, cwd=ROOT / "tests")
    return done.stdout + done.stderr


def test_processes_wait_for_each_other(wheel: str) -> None:
    program = (
        "import subprocess, sys\n"
        "from tests.clients.environments import python\n"
        "sys.exit(subprocess.call([python(sys.argv[1:]), '-c', 'import tiny']))\n"
    )
    started = [subprocess.Popen([sys.executable, "-c", program, wheel], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]


def test_it_is_installed_once_and_knows_nothing_of_this_project(wheel: str, cache: Path) -> None:
    interpreter = python([wheel])
    assert interpreter.is_relative_to(cache)
    assert said(interpreter, "import tiny; print(tiny.SIZE)") == "1\n"
    assert "No module named 'openai'" in said(interpreter, "import openai")
    assert "No module named 'toolkit'" in said(interpreter, "import toolkit")
    made = interpreter.parents[1].stat().st_ino
    assert python([wheel]).parents[1].stat().st_ino == made


def test_what_was_left_half_made_is_made_anew(wheel: str) -> None:
    folder = python([wheel]).parents[1]
    (folder / "installed.json").unlink()
    shutil.rmtree(folder / "lib")
    assert said(python([wheel]), "import tiny") == ""


def test_what_cannot_be_had_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = str(tmp_path / "missing-1.0-py3-none-any.whl")
    with pytest.raises(NotInstalled, match=r"^ERROR: .*missing-1\.0") as error:
        python([missing])
    assert "\n" not in str(error.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match=r"^node and npm are not here$"):
        node_modules(["openai@7.59.0"])
