"""What a session sees of this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath

import pytest

from tests.sandbox.sessions import LIMITS, bare, needs_wall
from toolkit.sandbox.packages import Part
from toolkit.sandbox.root import PYTHON, environment, root, sizes, worker

pytestmark = needs_wall


def test_everything_is_there_and_under_neutral_names() -> None:
    targets = [PurePosixPath(bind.target) for bind in bare().binds]
    assert len(set(targets)) == len(targets)
    assert all(os.path.exists(bind.source) for bind in bare().binds)
    assert {target.parts[1] for target in targets} <= {"python", "worker", "lib", "lib64", "usr", "etc"}
    assert PurePosixPath(PYTHON) in targets


def test_no_folder_of_the_machine_is_there_as_a_whole() -> None:
    folders = [Path(bind.source) for bind in bare().binds if os.path.isdir(bind.source)]
    assert {folder.name for folder in folders} == {
        f"python{sys.version_info[0]}.{sys.version_info[1]}",
        "zoneinfo",
        "inside",
        "kernel",
    } - ({"zoneinfo"} if not os.path.isdir("/usr/share/zoneinfo") else set())
    standard = Path(os.__file__).resolve().parent
    if (standard / "site-packages").is_dir():
        assert f"/python/lib/{standard.name}/site-packages" in bare().empty


def test_the_loader_finds_its_libraries() -> None:
    names = {PurePosixPath(bind.target).name for bind in bare().binds}
    assert any(name.startswith(("ld-", "ld64")) for name in names)
    assert any(name.startswith("libc.") for name in names)


def test_packages_are_where_they_can_be_imported(tmp_path: Path) -> None:
    seen = root([Part("odd", tmp_path)])
    assert (str(tmp_path), "/packages/odd") in [(bind.source, bind.target) for bind in seen.binds]
    assert {"/packages", "/python", "/python/lib"} <= set(seen.folders)
    assert list(seen.folders) == sorted(seen.folders)


def test_the_environment_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert "secret" not in environment().values()
    assert worker("said")[-1] == "said"
    assert sizes(LIMITS)["/mnt/data"] == LIMITS.disk_bytes
