"""Programs of API v1 with the clients they were written for, unmodified, against `toolkit serve`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.cli.test_serve import serve

PROGRAMS = Path(__file__).parent / "programs"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assistants-toolkit" / "clients"

Tour = Callable[[str, str], Any]


def python_with(version: str) -> Path:
    """Give the interpreter of an environment with a version of openai, which is made once and kept."""
    folder = CACHE / f"openai-{version}-python{sys.version_info.major}.{sys.version_info.minor}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=CACHE) as making:
            new = Path(making) / "venv"
            venv.create(new)
            pip = [sys.executable, "-m", "pip", "--python", str(new / "bin" / "python"), "install", "--quiet"]
            packages = [f"openai=={version}", "httpx<0.28"]  # it did not bound what it needs, and newer ones lack it
            done = subprocess.run([*pip, *packages], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"openai {version} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
            try:
                new.rename(folder)
            except OSError:  # another worker was faster
                assert folder.exists()
    return folder / "bin" / "python"


@pytest.fixture
def tour(tmp_path: Path) -> Tour:
    """Run a program with a version of openai against a server of its own, and give what it saw."""

    def run(program: str, version: str) -> Any:
        python = python_with(version)
        with serve("--store", f"sqlite:///{tmp_path / 'a.db'}", "--model", "offline") as server:
            environment = {**os.environ, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"}
            command = [str(python), str(PROGRAMS / program)]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
            )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize("version", ["1.11.1", "1.17.1"])
def test_the_overview(tour: Tour, version: str) -> None:
    saw = tour("v1_overview.py", version)
    refused = saw.pop("refused")
    assert saw == {
        "tutor": [[], []],
        "statuses": ["completed"] * 3,
        "said": [["user", "assistant"]] * 3,
        "run": [[], []],
        "code": [["code_interpreter"], ["first"], "processed"],
        "retrieval": [["code_interpreter", "retrieval"], ["first", "second"]],
        "files": ["first", "second"],
        "file": ["assistant.file", True, True],
        "gone": ["assistant.file.deleted", True, ["second"]],
        "back": ["assistant.file", ["second", "first"]],
        "listed": [["second", "first"]],
        "messages": [["second"], ["first", "second"]],
        "message files": ["second", "first"],
        "message file": ["thread.message.file", True, True],
        "search": ["completed", ["retrieval"]],
        "searched": ["retrieval"],
        "cited": ["second", "The tutor likes primes.", True],
        "quiz": ["requires_action", ["display_quiz"], True],
        "steps": ["completed", ["tool_calls", "message_creation"]],
        "at once": ["completed", 1],
        "deleted": [True, True],
    }
    assert "does not run the 'code_interpreter' tool yet" in refused


def test_a_program_that_streams(tour: Tour) -> None:
    saw = tour("v1_streamed.py", "1.17.1")
    assert (saw["calls"], saw["file_ids"]) == (["get_temperature"], [])
    assert saw["ends"] == ["completed", [], "completed"]
    assert any("21 degrees" in text for text in saw["texts"])
    assert [event for event in saw["events"] if event.startswith("thread.run.") and "step" not in event] == [
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.requires_action",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.completed",
    ]
