"""The servers that benchmarks talk to, each a process of its own: the fake model, and the engine on a file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Served", "engine_and_model", "environment", "fake_model"]

ROOT = Path(__file__).parents[2]
_ENGINE = "import sys; from toolkit.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Served:
    """Where the two listen, and the engine's process."""

    engine_url: str
    model_url: str
    pid: int


@contextmanager
def fake_model() -> Iterator[str]:
    """Serve the fake model alone."""
    with _process([str(Path(__file__).with_name("fake_model.py"))]) as (url, _):
        yield url


@contextmanager
def engine_and_model(*options: str) -> Iterator[Served]:
    """Serve the engine, with `toolkit serve` and these options, on a new SQLite file and the fake model."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fake_model() as model_url,
    ):
        serve = ["serve", "--port", "0", "--store", f"sqlite:///{folder}/store.db", "--model-url", model_url]
        with _process(["-c", _ENGINE, *serve, "--no-check-model", *options]) as (engine_url, pid):
            yield Served(engine_url, model_url, pid)


@contextmanager
def _process(arguments: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Start a Python program whose first line is its URL; end it afterwards."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"{arguments[0]} did not start (exit code {process.wait()})")
        yield url, process.pid
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()
        process.stdout.close()


def environment() -> dict[str, str]:
    """Give our own environment without keys and addresses of other work, and with this checkout to import from."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOOLKIT_", "OPENAI_"))}
    path = [str(ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(path)}
