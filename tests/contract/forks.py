"""Trials of several lives: each life is a fork, and its end decides what the next one does."""

from __future__ import annotations

import faulthandler
import os
import traceback
from collections.abc import Callable, Generator, Hashable, Mapping
from typing import Any, TypeVar

__all__ = ["HANGS_S", "Object", "Trial", "fork", "in_forks"]

Name = TypeVar("Name", bound=Hashable)
Object = dict[str, Any]
Trial = Generator[Callable[[], None], int, Object]
"""Yields what to do in a fork, is sent how that ended, and returns what came of it."""

HANGS_S = 60
_AT_ONCE = 4


def in_forks(trials: Mapping[Name, Trial]) -> dict[Name, Object]:
    """Carry trials out, a few at once."""
    waiting, results = list(trials.items()), dict[Name, Object]()
    under_way: dict[int, tuple[Name, Trial]] = {}
    while waiting or under_way:
        while waiting and len(under_way) < _AT_ONCE:
            name, trial = waiting.pop(0)
            under_way[fork(next(trial))] = name, trial
        pid, status = os.wait()
        name, trial = under_way.pop(pid)
        try:
            under_way[fork(trial.send(os.waitstatus_to_exitcode(status)))] = name, trial
        except StopIteration as ended:
            results[name] = ended.value
    return results


def fork(work: Callable[[], None]) -> int:
    """Do something in a fork, which ends with it, or when it hangs; its process."""
    pid = os.fork()
    if pid:
        return pid
    faulthandler.dump_traceback_later(HANGS_S, exit=True)
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
