"""A forked command is what a started one is."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.started.command import INSTALLED, started_often

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked")

SELF = '''
import json, logging, os, signal, sys, threading, warnings
from toolkit import tool

@tool
def itself() -> str:
    """Tell what this process is."""
    umask = os.umask(0)
    files = sorted(os.listdir("/dev/fd"))[:3] + [str(max(map(int, os.listdir("/dev/fd"))) < 20)]
    streams = [
        (str(stream), stream.errors, stream.line_buffering, stream.write_through)
        for stream in (sys.stdin, sys.stdout, sys.stderr)
    ]
    signals = {number.name: str(signal.getsignal(number)).partition(" at ")[0] for number in signal.Signals}
    return json.dumps(
        {
            "argv": sys.argv, "path": sys.path, "cwd": os.getcwd(), "environ": dict(os.environ), "umask": umask,
            "files": files, "streams": streams, "signals": signals, "wakeup": signal.set_wakeup_fd(-1),
            "flags": str(sys.flags), "warnings": str(warnings.filters), "handlers": str(logging.root.handlers),
            "threads": [thread.name for thread in threading.enumerate()], "stdin": sys.stdin.read(),
            "main": sys.modules["__main__"].__name__,
        }
    )

@tool
def leave(how: int) -> str:
    """End at once."""
    print("before", flush=True)
    if how < 0:
        os.kill(os.getpid(), -how)
    os._exit(how)

@tool
def wait() -> str:
    """Wait for what comes on stdin."""
    print(os.getpid(), flush=True)
    return sys.stdin.read()
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "itself.py").write_text(SELF)
    return tmp_path


def both(folder: Path, *arguments: str, **options: object) -> list[tuple[int, str, str]]:
    return [
        (done.returncode, done.stdout, done.stderr)
        for program in (INSTALLED, started_often())
        for done in [
            subprocess.run(
                [program, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False, **options
            )  # type: ignore[call-overload] - any options
        ]
    ]


def test_it_is_the_same_process(folder: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name.startswith(("PATH", "PYTHON", "LC_", "LANG"))
    }
    environment |= {"A": "é\n", "COLUMNS": "50"}
    ends = both(folder, "call", "itself.py:itself", input="said\n", env=environment, umask=0o27)
    started, forked = ({**json.loads(out), "code": code, "err": err} for code, out, err in ends)
    assert started["stdin"] == "said\n"
    assert forked == started


@pytest.mark.parametrize(
    "arguments",
    [("call", "itself.py:leave", "how=7"), ("call", "itself.py:leave", f"how=-{int(signal.SIGTERM)}"), ("srve",)],
)
def test_it_ends_the_same_way(folder: Path, arguments: tuple[str, ...]) -> None:
    started, forked = both(folder, *arguments)
    assert forked == started
    assert started[0] in (7, -signal.SIGTERM, 2)


def test_each_command_reads_its_modules_anew(folder: Path) -> None:
    for said in ("one", "another"):
        code = f"from toolkit import tool\n@tool\ndef say() -> str:\n    'Say.'\n    return '{said}'\n"
        (folder / "say.py").write_text(code)
        done = subprocess.run([started_often(), "call", "say.py"], cwd=folder, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, f"{said}\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_it(folder: Path, number: signal.Signals) -> None:
    ends = []
    for program in (INSTALLED, started_often()):
        with subprocess.Popen(
            [program, "call", "itself.py:wait"], cwd=folder, stdin=-1, stdout=-1, stderr=-1, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.send_signal(number)
            ends.append((process.wait(20), process.stderr.read()))
    assert ends[0] == ends[1]


def test_it_dies_with_its_client(folder: Path) -> None:
    with subprocess.Popen([started_often(), "call", "itself.py:wait"], cwd=folder, stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        forked = int(process.stdout.readline())
        assert forked != process.pid
        process.kill()
        assert process.stdout.read() == b"", "the command held it open, until it was gone"


def test_what_counts_at_the_start_is_started(folder: Path) -> None:
    (done,) = both(folder, "--version", env=os.environ | {"PYTHONVERBOSE": "1"})[1:]
    assert re.search(r"^import 'toolkit.cli' ", done[2], re.MULTILINE)


def test_without_a_server_it_is_started(folder: Path) -> None:
    (folder / "bin").mkdir()
    program = shutil.copy(started_often(), folder / "bin")
    (folder / "installed").symlink_to(INSTALLED)
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("assistants-toolkit ")
