from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.engine.store.presence import Presence

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")

PROGRAM = """
import sys, time
from pathlib import Path
from toolkit.engine.store.presence import Presence
presence = Presence(Path(sys.argv[1]))
presence.appear("there")
print("here", flush=True)
time.sleep(60)
"""


def test_a_worker_is_gone_when_its_process_is_killed(tmp_path: Path) -> None:
    database = tmp_path / "a b?#%.db"
    presence = Presence(database)
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(database)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"here\n"
        assert not presence.is_gone("there")
        other.send_signal(signal.SIGSTOP)
        assert not presence.is_gone("there"), "it stands still, which is another matter"
        other.kill()
        other.wait()
        assert presence.is_gone("there")
        presence.disappear("there")
    assert list(tmp_path.iterdir()) == []


def test_a_worker_of_this_process_is_not_gone_until_it_says_so(tmp_path: Path) -> None:
    one, other = Presence(tmp_path / "store.db"), Presence(tmp_path / "store.db")
    one.appear("here")
    assert not one.is_gone("here")
    assert not other.is_gone("here")
    one.disappear("here")
    assert not other.is_gone("here"), "nothing is known of it any more"
    assert list(tmp_path.iterdir()) == []


def test_a_worker_without_a_sign_is_not_known_to_be_gone(tmp_path: Path) -> None:
    presence = Presence(tmp_path / "nowhere" / "store.db")
    presence.appear("here")
    assert not presence.is_gone("here")
    presence.disappear("here")
    presence.disappear("never there")


def test_a_fork_does_not_keep_its_parents_workers_alive(tmp_path: Path) -> None:
    here = Presence(tmp_path / "store.db")
    alive, said = os.pipe()
    parent = os.fork()
    if parent == 0:  # pragma: no cover - a process of its own, killed below
        Presence(tmp_path / "store.db")
        there = Presence(tmp_path / "store.db")
        there.appear("there")
        child = multiprocessing.get_context("fork").Process(target=signal.pause)
        child.start()
        os.write(said, b"%d\n" % (child.pid or 0))
        signal.pause()
    child_pid = int(os.read(alive, 20))
    assert not here.is_gone("there")
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert here.is_gone("there"), "though the child it forked goes on"
    os.kill(child_pid, signal.SIGKILL)
    os.close(alive)
    os.close(said)
