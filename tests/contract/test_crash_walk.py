"""kill -9 at every commit of every kind of run and of work on files, point by point; see `crash_walker`.

In the CI tier a few points of each kind, chosen evenly; all of them in the slow one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.crash_walker import KINDS
from tests.contract.servers import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each trial is a fork")

Walk = Callable[..., Any]

FEW, ALL = 2, 0
RECOVERED_S = 5.0
"""From the start of the new engine until everything is done: a second when the machine is quiet."""


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Walk a kind's points, so many at most, in a process that has imported everything once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.crash_walker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def walk(*kinds: str, most: int = ALL, how: str = "once") -> Any:
        task = {"kinds": kinds, "folder": str(tmp_path_factory.mktemp("walk")), "most": most, "how": how}
        print(json.dumps(task), file=stdin, flush=True)
        return json.loads(stdout.readline())

    yield walk
    stdin.close()
    assert process.wait(30) == 0
    stdout.close()


def test_nothing_is_lost_or_doubled_at_some_points(walk: Walk) -> None:
    """All kinds in one test: those that have to wait do so beside those that have to work."""
    walked = walk(*KINDS, most=FEW)
    assert {kind: one["problems"] for kind, one in walked.items() if one["problems"]} == {}
    assert {one["points"] for one in walked.values()} == {FEW}
    assert min(one["writes"] for one in walked.values()) >= 5
    assert max(one["recovered_s"] for one in walked.values()) < RECOVERED_S


@pytest.mark.slow
@pytest.mark.parametrize("how", ["once", "twice", "beside"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_or_doubled(walk: Walk, kind: str, how: str) -> None:
    walked = walk(kind, how=how)[kind]
    assert walked["problems"] == []
    assert walked["points"] == 2 * walked["writes"]
    assert walked["recovered_s"] < RECOVERED_S
