"""The `toolkit` command for tests that start it often: it is forked where starting it would be the same.

Starting takes a second of work, nearly all of it imports, which say nothing new after the first time.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

__all__ = ["INSTALLED", "started_often"]

INSTALLED = str(Path(sys.executable).with_name("toolkit"))
"""The console command as it was installed."""


@cache
def started_often() -> str:
    """Give a program called `toolkit`, alone in its folder, that does what the installed one does, in less time.

    Its server is of this process, and ends with it; so does the folder.
    """
    python = f"#!{sys.executable} -IS\n"
    if not hasattr(os, "fork") or len(python) > 127 or python.count(" ") > 1:  # more than a first line can tell
        return INSTALLED
    here, folder = Path(__file__).parent, Path(tempfile.mkdtemp(prefix="toolkit-"))
    (folder / "bin").mkdir()
    program, address = folder / "bin" / "toolkit", str(folder / "socket")
    program.write_text(python + (here / "client.py").read_text(encoding="utf-8"), encoding="utf-8")
    program.chmod(0o755)
    (folder / "installed").symlink_to(INSTALLED)
    command = [sys.executable, str(here / "server.py"), address, INSTALLED]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(server.communicate, timeout=20)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return str(program)
