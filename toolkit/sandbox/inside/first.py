"""The first process of a container: it starts the worker, takes in orphans, and ends when nobody asks any more.

When it ends the kernel ends all that is in the container. So the end of the engine, which closes the requests, is the
end of what its sessions run, whatever that is doing.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys

from toolkit.kernel.calls import call
from toolkit.sandbox.inside.worker import main

__all__ = ["begin"]

_DUMPABLE = 4
_OF_THE_IMAGE = ("PATH", "LD_LIBRARY_PATH")


def begin(said: str) -> None:
    """Serve a session; `said` is what the worker is told, and has its `environment`."""
    kept = {name: os.environ[name] for name in _OF_THE_IMAGE if name in os.environ}
    os.environ.clear()
    os.environ.update(json.loads(said)["environment"] | kept)
    os.chdir("/mnt/data")
    worker = os.fork()
    if worker:
        _wait(worker)
    os.setsid()
    sys.path.remove("/worker")
    sys.path.append("/worker")  # after whatever the code imports
    main(said)
    os._exit(0)


def _wait(worker: int) -> None:
    """Wait until the worker has ended, or nobody is there who could ask. Does not return."""
    requests = select.poll()
    requests.register(os.dup(0), 0)  # tells of nothing but the end
    for descriptor in (0, 1, 2):
        os.close(descriptor)  # who listens is to hear of the worker's end
    signal.signal(signal.SIGCHLD, lambda _number, _frame: _reap(worker))
    call("prctl", _DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0)))
    _reap(worker)  # it may have ended already
    while True:
        if requests.poll():
            os._exit(1)


def _reap(worker: int) -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            os._exit(1)
        if pid == worker:
            os._exit(0)
        if not pid:
            return
