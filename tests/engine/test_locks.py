"""Locks between threads of one process, and between processes that end as they like."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolkit.engine.locks import Hold, age_s, locked

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "bytes"
    place.write_bytes(b"x")
    return place


def test_a_lock_is_shared_or_alone(place: Path) -> None:
    first, second, alone = Hold(place), Hold(place), Hold(place)
    assert first.take(alone=False)
    assert second.take(alone=False)
    assert not alone.take(alone=True)
    first.let_go()
    assert not alone.take(alone=True)
    second.let_go()
    assert alone.take(alone=True)
    assert not Hold(place).take(alone=False)
    alone.let_go()
    last = Hold(place)
    assert last.take(alone=False)
    last.let_go()


def test_what_was_let_go_takes_no_lock_any_more(place: Path) -> None:
    hold = Hold(place)
    hold.let_go()
    assert not hold.take(alone=False)
    last = Hold(place)
    assert last.take(alone=True)
    last.let_go()
    last.let_go()


def test_there_is_nothing_to_hold_alone_where_nothing_is(place: Path) -> None:
    missing = Hold(place.with_name("missing"))
    assert not missing.take(alone=True)
    assert missing.take(alone=False), "something may be put there"
    missing.let_go()


def test_a_lock_ends_with_its_process(place: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from toolkit.engine.locks import Hold\n"
        "hold = Hold(Path(sys.argv[1])); print(hold.take(alone=False), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(place)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        hold = Hold(place)
        assert not hold.take(alone=True)
        process.kill()
        process.wait(30)
    assert hold.take(alone=True)
    hold.let_go()


def test_an_open_file_is_locked_once(place: Path) -> None:
    with place.open("rb") as one, place.open("rb") as other:
        assert locked(one.fileno(), alone=True)
        assert not locked(other.fileno(), alone=True)


def test_the_age_of_a_file(place: Path) -> None:
    assert age_s(place) < 60
    old = time.time() - 1000
    os.utime(place, (old, old))
    assert 900 < age_s(place) < 1100
