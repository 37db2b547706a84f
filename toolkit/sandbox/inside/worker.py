"""The process behind the wall: it puts up the inner layers, then runs what it is sent, and keeps its variables.

Requests come on standard input and answers leave on standard output (`wire.py`). What the code prints goes to standard
error, from wherever it is printed: Python, libraries in C, other programs. So it stays in the order in which it was
written; a mark among it says where each answer belongs.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import json
import os
import resource
import signal
import stat
import sys
import types
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final

from toolkit.sandbox.inside.cells import FILES, TimeUp, png_of, run_cell, told
from toolkit.sandbox.inside.confine import bound, confine
from toolkit.sandbox.inside.showing import send_with
from toolkit.sandbox.inside.wire import LONGEST_LINE, packed

__all__ = ["Worker", "main"]

_PYPLOT: Final = "matplotlib.pyplot"
_BACKEND: Final = "toolkit.sandbox.inside.figures"
_MOST_CHANGED: Final = 100
_MOST_LOOKED_AT: Final = 20_000
_LONGEST_VALUE: Final = 200_000
_MOST_SHOWN: Final = 500

_State = tuple[int, int, int]


def main(said: str) -> None:
    """Serve until there are no more requests; `said` is what `confine` is told, as JSON.

    With a `folder` there is no wall: files are there instead of under /mnt/data, and only limits are set.
    """
    requests = os.fdopen(_moved(0), "rb")
    answers = _moved(1)
    _point(0, os.open(os.devnull, os.O_RDONLY))
    printing = _moved(2)
    os.dup2(2, 1)
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    told = json.loads(said)
    folder = told.get("folder")
    there: Mapping[str, Any] = {}
    if folder is None:
        there = confine(told)
    else:
        bound(told)
    worker = Worker(module.__dict__, answers, printing, bytes.fromhex(told["word"]), folder or FILES)
    send_with(worker.picture)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - as long as the process
    sys.stdout = sys.stderr = io.TextIOWrapper(
        open(1, "wb", closefd=False),  # noqa: SIM115
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
    builtins.display = worker.display  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    signal.signal(signal.SIGALRM, _time_is_up)
    signal.signal(signal.SIGXCPU, _time_is_up)
    worker.answer("ready", **there)
    while line := requests.readline(LONGEST_LINE):
        asked = json.loads(line)
        worker.serve(asked, requests.read(asked["size"]))


class Worker:
    """What is done for each request; `answers` and `printing` are the descriptors that answers and text leave by.

    `word` begins the marks that are printed where answers belong, `folder` has the files.
    """

    def __init__(self, names: dict[str, Any], answers: int, printing: int, word: bytes, folder: str) -> None:
        self._names, self._answers, self._printing, self._word = names, answers, printing, word
        self._folder = folder
        self._pid = os.getpid()
        self._call = self._shown = 0

    def serve(self, asked: dict[str, Any], body: bytes) -> None:
        """Do what is asked, and say that it is done."""
        self._call, self._shown = asked["call"], 0
        try:
            match asked["do"]:
                case "run":
                    self._run(body.decode(), asked["seconds"])
                case "put":
                    _put(self._folder, asked["names"], body)
                case "get":
                    self.answer("file", _got(self._folder, asked["path"], asked["most"]))
                case _:
                    pass
        except OSError as error:
            self.answer("refused", str(error).encode())
        self.answer("done")

    def answer(self, kind: str, body: bytes = b"", **more: Any) -> None:
        """Send an answer, after all that has been printed."""
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        number = os.urandom(8)
        os.write(self._printing, self._word + number)
        left = memoryview(packed({"call": self._call, "kind": kind, "mark": number.hex(), **more}, body))
        while left:
            left = left[os.write(self._answers, left) :]

    def display(self, *values: Any) -> None:
        """Show values as the last expression of a cell is shown."""
        for value in values:
            self._shown += 1
            if self._shown > _MOST_SHOWN:
                raise ValueError(f"more than {_MOST_SHOWN} values cannot be displayed at once")
            png = png_of(value)
            if png is not None:
                self.picture(png)
            else:
                text = repr(value)
                self.answer("result", text[:_LONGEST_VALUE].encode("utf-8", "backslashreplace"))

    def picture(self, png: bytes) -> None:
        """Show a picture."""
        self.answer("image", png)

    def _run(self, code: str, seconds: float) -> None:
        before = dict(_files(self._folder))
        try:
            with _time(seconds):
                run_cell(code, self._call, self._names, self.display, self._folder)
        except SystemExit as error:
            if error.code not in (None, 0):
                self._failed(error)
        except BaseException as error:  # whatever the code raises
            self._failed(error)
        if os.getpid() != self._pid:  # a fork of the code's that came back
            os._exit(0)
        try:
            with _time(seconds):
                self._show_figures()
        except BaseException as error:  # whatever drawing what the code left raises
            self._failed(error)
        self._tell_changed(before)

    def _failed(self, error: BaseException) -> None:
        self.answer("failure", told(error).encode("utf-8", "backslashreplace"))

    def _show_figures(self) -> None:
        pyplot: Any = sys.modules.get(_PYPLOT)
        figures: Any = sys.modules.get(_BACKEND)
        if figures is None and pyplot is not None and pyplot.get_fignums():
            import toolkit.sandbox.inside.figures as figures  # the code has chosen another backend
        if figures is not None and pyplot is not None:
            figures.FigureManager.pyplot_show()

    def _tell_changed(self, before: dict[str, _State]) -> None:
        changed = [(path, state[1]) for path, state in _files(self._folder) if before.get(path) != state]
        for path, size in sorted(changed)[:_MOST_CHANGED]:
            if len(path.encode("utf-8", "surrogateescape")) < LONGEST_LINE // 8:
                self.answer("changed", path=path, bytes=size, of=len(changed))


def _files(root: str) -> Iterator[tuple[str, _State]]:
    """List the regular files of a folder, by their paths there, with what changes when they are written."""
    looked_at = 0
    for folder, _, names in os.walk(root):
        for name in names:
            looked_at += 1
            if looked_at > _MOST_LOOKED_AT:
                return
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                found = os.lstat(path)
                if stat.S_ISREG(found.st_mode):
                    yield os.path.relpath(path, root), (found.st_mtime_ns, found.st_size, found.st_ino)


def _put(folder: str, names: list[str], body: bytes) -> None:
    """Write a file under its first name, and link it to the others; nobody is meant to write to it."""
    first, *others = (os.path.join(folder, name) for name in names)
    _remove(first)
    descriptor = os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
    except OSError:
        _remove(first)  # rather none than half of it
        raise
    for other in others:
        _remove(other)
        os.link(first, other)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _got(folder: str, path: str, most: int) -> bytes:
    path = os.path.join(folder, path)
    if not os.path.realpath(path).startswith(f"{folder}/"):
        raise OSError(f"{path} is not below {folder}")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise OSError(f"{path} is no file, or larger than {most} bytes")
        return file.read(most)


@contextlib.contextmanager
def _time(seconds: float) -> Generator[None]:
    """Bound the time of what runs here, by the clock and by the processor."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = int(used.ru_utime + used.ru_stime + seconds) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (min(cpu_s, hard), hard))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


def _time_is_up(_number: int, _frame: object) -> None:
    raise TimeUp("the code ran for longer than it may, and was stopped; variables are as it left them")


def _moved(descriptor: int) -> int:
    """Give what a descriptor is under another number, that no program which the code starts will have."""
    moved = os.dup(descriptor)
    os.set_inheritable(moved, False)
    return moved


def _point(descriptor: int, to: int) -> None:
    os.dup2(to, descriptor)
    if to != descriptor:
        os.close(to)
