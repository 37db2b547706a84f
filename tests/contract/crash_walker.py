"""Kill runs at their writes, one point after the other: `python -m tests.contract.crash_walker`.

Reads a JSON object a line, {"kind", "folder", "most"}, and answers each with a line {"writes", "points", "problems",
"slowest_s"}. Points are pairs of a write and a side of its commit; `most` says how many are tried, 0 all.

Each trial is two forks. In the first an engine and a client run until the one kills both; in the second a new engine
opens the file, and the client goes on from its notes.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from tests.contract.crash_checks import follow_up, problems
from tests.contract.crash_client import Client, Notes
from tests.contract.crash_kinds import KINDS, Kind, Logged
from tests.contract.crash_store import Dying, Side
from tests.contract.inspection import Inspector
from toolkit.engine import Engine
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite

Object = dict[str, Any]
Point = tuple[int, Side]
Trial = Generator[Callable[[], None], int, Object]
"""Yields what to do in a fork, is sent how that ended, and returns what came of it."""

_AT_ONCE = 4
_HANGS_S = 60


def main() -> None:
    with TemporaryDirectory() as folder:  # once here, so that no fork has to import and to prepare anything
        kind = KINDS["with tools, streamed"]
        _drive(kind, Path(folder), (0, "before"))
        _recover(kind, Path(folder), (0, "before"), died=False)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(10)  # of a store that is closed; forks are made of one thread
    for line in sys.stdin:
        task = json.loads(line)
        print(json.dumps(walk(KINDS[task["kind"]], Path(task["folder"]), task["most"])), flush=True)


def walk(kind: Kind, folder: Path, most: int) -> Object:
    """Let a kind of run be undisturbed once, then die at its points."""
    [undisturbed] = _in_forks([_trial(kind, folder / "undisturbed", (0, "before"))])
    points = _points(undisturbed["writes"], most)
    trials = [_trial(kind, folder / f"{side}-{at}", (at, side)) for at, side in points]
    done = [undisturbed, *_in_forks(trials)]
    names = ["undisturbed", *(f"{side} commit {at}" for at, side in points)]
    told = [f"{name}: {problem}" for name, one in zip(names, done, strict=True) for problem in one["problems"]]
    return {
        "writes": undisturbed["writes"],
        "points": len(points),
        "problems": told,
        "slowest_s": max(one["seconds"] for one in done),
    }


def _points(writes: int, most: int) -> Sequence[Point]:
    """List both sides of every write; or so many points, evenly spread, the sides in turn."""
    sides = get_args(Side)
    if not most:
        return [(at, side) for at in range(1, writes + 1) for side in sides]
    return [(1 + (2 * number + 1) * writes // (2 * most), sides[number % 2]) for number in range(most)]


def _trial(kind: Kind, folder: Path, point: Point) -> Trial:
    folder.mkdir()
    status = yield lambda: _drive(kind, folder, point)
    died = status == -signal.SIGKILL
    if status and not died:
        return _failed(f"the engine or the client ended with {status}")
    if ended := (yield lambda: _recover(kind, folder, point, died=died)):
        return _failed(f"the recovery ended with {ended}")
    result: Object = json.loads((folder / "result.json").read_text("utf-8"))
    return result if died else {**result, "writes": int((folder / "writes").read_text("ascii"))}


def _failed(problem: str) -> Object:
    return {"writes": 0, "problems": [problem], "seconds": 0.0}


def _drive(kind: Kind, folder: Path, point: Point) -> None:
    """Be the engine and the client, to the end of the kind's talk or to the point of death."""
    store = Dying(SQLite(parse(f"sqlite:///{folder}/store.db")), *point)
    engine = Engine(store, model=Logged(folder / "model.jsonl", kind), **kind.settings)
    kind.drive(_client(engine, Inspector(), folder, keyed=True))
    (folder / "writes").write_text(str(store.writes), "ascii")
    engine.close()


def _recover(kind: Kind, folder: Path, point: Point, *, died: bool) -> None:
    """Be a new engine on the file, and the client that goes on; then look at everything."""
    inspector, errors = Inspector(), _Errors()
    logging.getLogger("toolkit").addHandler(errors)
    began = time.monotonic()
    found: list[str] = []
    try:
        _go_on(kind, folder, inspector, keyed=point[0] % 2 == 0)
        seconds = time.monotonic() - began
        found = _looked_at(kind, folder, inspector, died=died)
    except Exception:
        seconds = time.monotonic() - began
        found = [traceback.format_exc()]
    found += inspector.problems + errors.told
    if kind.waits:
        seconds = 0.0
    result = {"problems": found, "seconds": seconds}
    (folder / "result.json").write_text(json.dumps(result), "utf-8")


def _go_on(kind: Kind, folder: Path, inspector: Inspector, *, keyed: bool) -> None:
    model = Logged(folder / "model.jsonl", kind)
    with Engine(f"sqlite:///{folder}/store.db", model=model, **kind.settings) as engine:
        kind.drive(_client(engine, inspector, folder, keyed=keyed))


def _looked_at(kind: Kind, folder: Path, inspector: Inspector, *, died: bool) -> list[str]:
    log = folder / "model.jsonl"

    def asked() -> list[Any]:
        return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []

    with Engine(f"sqlite:///{folder}/store.db", model=Logged(log, kind)) as engine:
        client = _client(engine, inspector, folder, keyed=True)
        found = problems(client, kind, asked(), died=died)
        for thread in client.all("/threads"):
            found += follow_up(client, thread, client.notes.answers["assistant"], asked)
    return found


def _client(engine: Engine, inspector: Inspector, folder: Path, *, keyed: bool) -> Client:
    openai = engine.client(max_retries=0, timeout=30)
    openai._client.event_hooks = {"response": [inspector.hook]}  # the SDK has no public way to it
    return Client(openai, Notes(folder / "notes.jsonl"), keyed=keyed)


class _Errors(logging.Handler):
    """Collects what the engine logs as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))


def _in_forks(trials: list[Trial]) -> list[Object]:
    """Carry trials out, a few at once."""
    waiting, results = list(enumerate(trials)), dict[int, Object]()
    under_way: dict[int, tuple[int, Trial]] = {}
    while waiting or under_way:
        while waiting and len(under_way) < _AT_ONCE:
            number, trial = waiting.pop(0)
            under_way[_fork(next(trial))] = number, trial
        pid, status = os.wait()
        number, trial = under_way.pop(pid)
        try:
            under_way[_fork(trial.send(os.waitstatus_to_exitcode(status)))] = number, trial
        except StopIteration as ended:
            results[number] = ended.value
    return [results[number] for number in range(len(trials))]


def _fork(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    faulthandler.dump_traceback_later(_HANGS_S, exit=True)
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", ".*deprecated", DeprecationWarning)
    main()
