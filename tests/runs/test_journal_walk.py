"""kill -9 at every moment of a program that runs tools, moment by moment; see `journal_walker`.

In the CI tier a few moments of each kind, chosen evenly; all of them, and two deaths each, in the slow one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runs.journal_walker import KINDS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each life is a fork")

ROOT = Path(__file__).parents[2]
Walk = Callable[..., Any]
FEW, ALL = 3, 0


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Walk the moments of some kinds, so many at most, in a process that has imported everything once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.runs.journal_walker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def walk(*kinds: str, most: int = ALL, twice: bool = False) -> Any:
        task = {"kinds": kinds, "folder": str(tmp_path_factory.mktemp("walk")), "most": most, "twice": twice}
        print(json.dumps(task), file=stdin, flush=True)
        return json.loads(stdout.readline())

    yield walk
    stdin.close()
    assert process.wait(30) == 0
    stdout.close()


def test_no_effect_is_doubled_and_no_output_lost_at_some_moments(walk: Walk) -> None:
    """All kinds in one test: those that have to wait do so beside those that have to work."""
    walked = walk(*KINDS, most=FEW)
    assert {kind: one["problems"] for kind, one in walked.items() if one["problems"]} == {}
    assert {one["points"] for one in walked.values()} == {FEW}
    for one in walked.values():
        for moment in ("effect of send Ada", "started.0 call_send", "finished call_send", "submitted call_again"):
            assert any(each.endswith(moment) for each in one["moments"]), f"the walk does not come by {moment}"


@pytest.mark.slow
@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_effect_is_doubled_and_no_output_lost(walk: Walk, kind: str, twice: bool) -> None:
    walked = walk(kind, twice=twice)[kind]
    assert walked["problems"] == []
    assert walked["points"] == len(walked["moments"]) > 60
