"""Import all that `toolkit` needs once, and fork for each command: `server.py SOCKET TOOLKIT`, until stdin ends.

A fork is what the started command would be: its arguments, environment, folder, umask and streams are those of the
client, it runs `main`, and leaves through the end of the interpreter. It dies when its client does. What is settled
while Python starts cannot be changed in a fork: where that differs, or a stream is a terminal, the client starts it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
from typing import Any

from toolkit.cli import main
from toolkit.cli.commands import COMMANDS, app_of

LATER = (
    "openai.resources.beta.threads.threads",
    "openai.resources.chat.completions",
    "openai.types.beta.threads.runs",
    "toolkit.engine.compose",
    "toolkit.server.app",
    "toolkit.server.connections",
    "toolkit.server.metrics",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.supervisors",
)
"""What commands import only when they need it. None of it may start a thread, which a fork would not have."""
SETTLED = ("PYTHON", "LC_", "LANG", "LD_", "DYLD_", "MALLOC_", "TZ")
"""How the variables begin that count while a process starts."""

Request = dict[str, Any]


def serve(listener: socket.socket) -> Request | None:
    """Answer clients until stdin ends, then give None; in a fork, give what its client asked for."""
    clients: dict[int, socket.socket] = {}
    news, of_ends = os.pipe()
    os.set_blocking(of_ends, False)
    signal.set_wakeup_fd(of_ends)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever runs the tests
    with selectors.DefaultSelector() as ready:
        for awaited in (0, news, listener.fileno()):
            ready.register(awaited, selectors.EVENT_READ)
        os.write(1, b"ready\n")
        while True:
            for key, _ in ready.select():
                if key.fd == 0:
                    for process in clients:
                        os.kill(process, signal.SIGKILL)
                    return None
                if key.fd == listener.fileno():
                    client, _ = listener.accept()
                    try:
                        asked, files = _received(client)
                    except (OSError, ValueError):  # it was killed before it had said it
                        client.close()
                        continue
                    process = None if _has_to_start(asked, files) else os.fork()
                    if process == 0:
                        for each in (client, *clients.values()):
                            each.close()
                        for file in (news, of_ends):
                            os.close(file)
                        _become(asked, files)
                        return asked
                    for file in files:
                        os.close(file)
                    _tell(client, process or 0)
                    if process:
                        clients[process] = client
                        ready.register(client, selectors.EVENT_READ, process)
                    else:
                        client.close()
                elif key.fd == news:
                    os.read(news, 4096)
                    for process in list(clients):
                        ended, status = os.waitpid(process, os.WNOHANG)
                        if ended:
                            ready.unregister(clients[process])
                            _tell(clients[process], os.waitstatus_to_exitcode(status))
                            clients.pop(process).close()
                elif key.data in clients:  # the client was killed, and the command is to die with it
                    os.kill(key.data, signal.SIGKILL)
                    os.waitpid(key.data, 0)
                    ready.unregister(clients[key.data])
                    clients.pop(key.data).close()


def _received(client: socket.socket) -> tuple[Request, list[int]]:
    """Read a request: what is asked, and stdin, stdout, stderr and the folder as files of this process."""
    size, files, _, _ = socket.recv_fds(client, 8, 4)
    with client.makefile("rb") as stream:
        return json.loads(stream.read(int.from_bytes(size, "big"))), files


def _has_to_start(asked: Request, files: list[int]) -> bool:
    def settled(environment: Any) -> dict[str, str]:
        return {name: value for name, value in environment.items() if name.startswith(SETTLED)}

    return settled(asked["environment"]) != settled(os.environ) or any(os.isatty(file) for file in files)


def _become(asked: Request, files: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    *streams, folder = files
    for number, file in enumerate(streams):
        os.dup2(file, number)
    os.fchdir(folder)
    for file in files:
        os.close(file)
    for name, mode, number in (("stdin", "r", 0), ("stdout", "w", 1), ("stderr", "w", 2)):
        old = getattr(sys, name)  # made for another kind of file, perhaps one without positions
        file = open(number, f"{mode}b", 0 if old.write_through and mode == "w" else -1, closefd=False)
        getattr(file, "raw", file).name = old.name
        how = {"line_buffering": old.line_buffering, "write_through": old.write_through, "newline": "\n"}
        made: Any = io.TextIOWrapper(file, old.encoding, old.errors, **how)
        made.mode = mode
        setattr(sys, name, made)
        setattr(sys, f"__{name}__", made)
    os.umask(asked["umask"])
    os.environ.clear()
    os.environ.update(asked["environment"])


def _tell(client: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # it may have gone meanwhile
        client.sendall(b"%d\n" % number)


if __name__ == "__main__":
    address, toolkit = sys.argv[1:]
    app_of(COMMANDS)
    for name in LATER:
        importlib.import_module(name)
    assert threading.active_count() == 1, threading.enumerate()
    sys.path[0] = os.path.dirname(toolkit)
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        asked = serve(listener)
    if asked is None:
        shutil.rmtree(os.path.dirname(address), ignore_errors=True)  # which whoever started this may not have lived to
    else:
        sys.argv = [toolkit, *asked["arguments"]]
        sys.exit(main())
