"""Kill runs, and work on files, at their writes, one point after the other: `python -m tests.contract.crash_walker`.

Reads a JSON object a line, {"kinds", "folder", "most", "how"}, and answers each with a line, {KIND: {"writes",
"points", "problems", "recovered_s"}}. Points are pairs of a write and a side of its commit; `most` says how many are
tried of each kind, 0 all. `recovered_s` is the median time from the last engine's start until everything was done.

A trial takes some forks. In the first an engine and a client run until the one kills both; in the last a new engine
opens the file, and the client goes on from its notes. Where `how` is "once" that is all; with "twice" an engine in
between goes on and dies as well; with "beside" the last engine was there before the first one died.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

from tests.contract.crash_checks import follow_up, problems
from tests.contract.crash_client import Client, Notes
from tests.contract.crash_files import KINDS as OF_FILES
from tests.contract.crash_files import file_problems
from tests.contract.crash_kinds import KINDS as OF_RUNS
from tests.contract.crash_kinds import Kind, Logged
from tests.contract.crash_store import Dying, Side
from tests.contract.forks import Object, Trial, fork, in_forks
from tests.contract.inspection import Inspector
from toolkit.engine import Engine
from toolkit.engine.code import sessions
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite

Point = tuple[int, Side]
How = Literal["once", "twice", "beside"]

KINDS: Mapping[str, Kind] = {**OF_RUNS, **OF_FILES}

_SIDES: Sequence[Side] = get_args(Side)


def main() -> None:
    sessions.PRELUDE = ""
    with TemporaryDirectory() as folder:  # once here, so that no fork has to import and to prepare anything
        kind = KINDS["with tools, streamed"]
        _drive(kind, Path(folder), (0, "before"), keyed=True)
        _recover(kind, Path(folder), died=0, keyed=True)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(10)  # of a store that is closed; forks are made of one thread
    for line in sys.stdin:
        task = json.loads(line)
        walked = walk(task["kinds"], Path(task["folder"]), task["most"], task["how"])
        print(json.dumps(walked), flush=True)


def walk(kinds: Sequence[str], folder: Path, most: int, how: How) -> Mapping[str, Object]:
    """Let each kind of run be undisturbed once, then die at its points."""
    undisturbed = in_forks({kind: _trial(kind, folder / kind, (), keyed=True, beside=False) for kind in kinds})
    trials: dict[tuple[str, str], Trial] = {}
    for kind in kinds:
        for number, point in enumerate(_points(undisturbed[kind]["writes"], most)):
            after = (1 + number % 5, _SIDES[number // 5 % 2])  # writes of the engine that goes on
            deaths = [point, after] if how == "twice" else [point]
            name = ", then ".join(f"{side} commit {at}" for at, side in deaths)
            place = folder / f"{kind}, {name}"
            trials[kind, name] = _trial(
                kind, place, deaths, keyed=(number % 4 in (0, 3)) != (how == "twice"), beside=how == "beside"
            )
    done = in_forks(trials)
    return {
        kind: _summed(undisturbed[kind], {name: done[of, name] for of, name in done if of == kind}) for kind in kinds
    }


def _summed(undisturbed: Object, done: Mapping[str, Object]) -> Object:
    named = {"undisturbed": undisturbed, **done}
    return {
        "writes": undisturbed["writes"],
        "points": len(done),
        "problems": [f"{name}: {problem}" for name, one in named.items() for problem in one["problems"]],
        "recovered_s": median(one["seconds"] for one in named.values()),
    }


def _points(writes: int, most: int) -> Sequence[Point]:
    """List both sides of every write; or so many points, evenly spread, the sides in turn."""
    if not most:
        return [(at, side) for at in range(1, writes + 1) for side in _SIDES]
    return [(1 + (2 * number + 1) * writes // (2 * most), _SIDES[number % 2]) for number in range(most)]


def _trial(name: str, folder: Path, deaths: Sequence[Point], *, keyed: bool, beside: bool) -> Trial:
    folder.mkdir()
    kind = KINDS[name]
    died = 0
    never: Point = (0, "before")
    for number, point in enumerate([] if beside else deaths or [never]):
        status = yield partial(_drive, kind, folder, point, keyed=keyed or not number)
        if status and status != -signal.SIGKILL:
            return _failed(f"the engine or the client ended with {status}")
        died += status != 0
    last = partial(_outlive, kind, folder, deaths[0]) if beside else partial(_recover, kind, folder, died=died)
    if ended := (yield partial(last, keyed=keyed)):
        return _failed(f"the recovery ended with {ended}")
    result: Object = json.loads((folder / "result.json").read_text("utf-8"))
    if not deaths:
        result["writes"] = int((folder / "writes").read_text("ascii"))
    if not result["problems"]:
        shutil.rmtree(folder)  # hundreds of databases
    return result


def _failed(problem: str) -> Object:
    return {"writes": 0, "problems": [problem], "seconds": 0.0}


def _drive(kind: Kind, folder: Path, point: Point, *, keyed: bool) -> None:
    """Be the engine and the client, to the end of the kind's talk or to the point of death."""
    store = Dying(SQLite(parse(f"sqlite:///{folder}/store.db")), *point)
    engine = Engine(store, model=Logged(folder / "model.jsonl", kind), **kind.settings)
    kind.drive(_client(engine, Inspector(), folder, keyed=keyed))
    (folder / "writes").write_text(str(store.writes), "ascii")
    engine.close()


def _outlive(kind: Kind, folder: Path, point: Point, *, keyed: bool) -> None:
    """Let an engine die beside another one that is open already, and to which the client then goes."""
    faulthandler.cancel_dump_traceback_later()  # its thread is not to be forked; each fork gets one of its own
    told, held = os.pipe()  # `held` is shut by the death of who has it

    def outlive() -> None:
        os.close(held)
        _recover(kind, folder, died=1, keyed=keyed, after=told)

    other = fork(outlive)
    first = fork(partial(_drive, kind, folder, point, keyed=True))
    os.close(held)
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in (first, other)]
    assert ends[0] in (0, -signal.SIGKILL), ends
    assert ends[1] == 0, ends


def _recover(kind: Kind, folder: Path, *, died: int, keyed: bool, after: int | None = None) -> None:
    """Be a new engine on the file, and the client that goes on; then look at everything.

    With `after` the engine is there before, and the client comes when that pipe is shut.
    """
    inspector, errors = Inspector(), _Errors()
    logging.getLogger("toolkit").addHandler(errors)
    seconds, found = 0.0, list[str]()
    try:
        seconds = _go_on(kind, folder, inspector, keyed=keyed, after=after)
        found = _looked_at(kind, folder, inspector, died=died)
    except Exception:
        found = [traceback.format_exc()]
    found += inspector.problems + errors.told
    result = {"problems": found, "seconds": 0.0 if kind.waits else seconds}
    (folder / "result.json").write_text(json.dumps(result), "utf-8")


def _go_on(kind: Kind, folder: Path, inspector: Inspector, *, keyed: bool, after: int | None) -> float:
    """Do what the client has not done yet; how many seconds that took."""
    model, began = Logged(folder / "model.jsonl", kind), time.monotonic()
    with Engine(f"sqlite:///{folder}/store.db", model=model, **kind.settings) as engine:
        if after is not None:
            engine.client().models.list()
            os.read(after, 1)
            began = time.monotonic()
        kind.drive(_client(engine, inspector, folder, keyed=keyed))
        return time.monotonic() - began


def _looked_at(kind: Kind, folder: Path, inspector: Inspector, *, died: int) -> list[str]:
    log = folder / "model.jsonl"

    def asked() -> list[Any]:
        return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []

    with Engine(f"sqlite:///{folder}/store.db", model=Logged(log, kind)) as engine:
        client = _client(engine, inspector, folder, keyed=True)
        found = problems(client, kind, asked(), died=died)
        for thread in client.all("/threads"):
            found += follow_up(client, thread, client.notes.answers["assistant"], asked)
        found += file_problems(client, kind, folder)
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


if __name__ == "__main__":
    warnings.filterwarnings("ignore", ".*deprecated", DeprecationWarning)
    main()
