"""A container from outside, as its engine tells of it. The engine here is a program that answers as Docker does."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from toolkit.sandbox.contained import Contained, bytes_of, run


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("12.5MiB / 2GiB", 13_107_200),
        ("12.3MB / 2.1GB", 12_300_000),
        ("1.5kB / 0B", 1500),
        ("800B / 0B", 800),
        ("-- / --", 0),
        ("", 0),
    ],
)
def test_sizes_are_read(said: str, size: int) -> None:
    assert bytes_of(said) == size


def engine(folder: Path, pid: int) -> Path:
    program = folder / "docker"
    program.write_text(
        f"""#!/bin/sh
echo "$@" >> {folder}/asked
case $1 in
    inspect) echo {pid} ;;
    stats) echo "64MiB / 2GiB;50.0%" ;;
esac
"""
    )
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("pid", [0, os.getpid(), 2**30], ids=["none", "of another program", "nobody"])
def test_where_its_processes_are_not_seen_its_engine_is_asked(tmp_path: Path, pid: int) -> None:
    around = Contained(str(engine(tmp_path, pid)), "name")
    seen = around.usage(1, 2**40)
    assert seen.memory_bytes == 64 * 2**20
    assert 4 < seen.cpu_s < 60
    assert around.usage(1, 2**40) == seen  # for some time, without asking
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["inspect", "stats"]


def test_it_is_killed_and_removed(tmp_path: Path) -> None:
    asyncio.run(Contained(str(engine(tmp_path, 0)), "name").remove())
    assert (tmp_path / "asked").read_text().splitlines() == ["kill name", "rm --force name"]


def test_what_does_not_run_says_nothing() -> None:
    assert asyncio.run(run("/no/such/program")) == ""
    assert Contained("/no/such/program", "name").usage(1, 1) == (0, 0, 0)
