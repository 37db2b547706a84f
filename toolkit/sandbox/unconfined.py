"""No wall: for who asks for it by name, on a machine where nothing of value is, or with code that they have read.

The worker and its limits are the same, and each session has a folder of its own; but the code is the user that the
engine is, with all files, the network and every other process of that user.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import weakref
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.packages import Part
from toolkit.sandbox.printed import MARK_BYTES
from toolkit.sandbox.root import environment, told
from toolkit.sandbox.sandbox import Limits
from toolkit.sandbox.session import WalledSession
from toolkit.sandbox.starting import start
from toolkit.sandbox.watch import usage

__all__ = ["Unconfined"]

_PYTHON: Final = os.path.realpath(sys.executable)
_OURS: Final = Path(__file__).resolve().parent.parent

_BEGIN: Final = (
    "import sys; packages, worker, said = sys.argv[1:]; sys.argv[:] = ['']; sys.path[:0] = [worker]; "
    "from toolkit.sandbox.inside.worker import main; "
    "sys.path.remove(worker); sys.path += [packages, worker]; main(said)"
)


class Unconfined:
    """A Sandbox whose sessions are plain processes; `parts` are what they can import beside the standard library."""

    name = "no wall at all"
    own_uid = own_kernel = False

    def __init__(self, parts: Iterable[Part]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="toolkit-unconfined-")).resolve()
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        linked = {f"packages/{part.name}": part.path for part in parts}
        linked |= {f"worker/toolkit/{name}": _OURS / name for name in ("kernel", "sandbox/inside")}
        for name, source in linked.items():
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / name).symlink_to(source)

    async def open(self, limits: Limits) -> WalledSession:
        """Start a session."""
        word = secrets.token_bytes(MARK_BYTES)
        folder = Path(tempfile.mkdtemp(prefix="session-", dir=self._folder))
        said = told(word, limits, folder=str(folder), processes=None)  # they are counted with all others of the user
        packages, worker = str(self._folder / "packages"), str(self._folder / "worker")
        command = (_PYTHON, "-I", "-S", "-B", "-c", _BEGIN, packages, worker, said)
        kept = {**environment(), "HOME": str(folder), "TMPDIR": str(folder), "PYTHONPATH": packages, "PATH": os.defpath}
        del kept["LD_LIBRARY_PATH"]
        try:
            return await start(
                command,
                word,
                limits,
                environment=kept,
                folder=str(folder),
                look=usage,
                leave=partial(_leave, folder),
            )
        except OSError as error:
            raise SandboxUnavailable(f"A session could not be started: {error}") from error


async def _leave(folder: Path) -> None:
    """End what went its own way, as far as it is found, and remove the session's folder."""
    await asyncio.to_thread(_end_all, folder)
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _end_all(folder: Path) -> None:
    """Kill the processes that began as the session's: they have its folder in their environment."""
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"HOME={folder}\0".encode() in (each / "environ").read_bytes():
                os.kill(int(each.name), signal.SIGKILL)
