from __future__ import annotations

from typing import Any

import pytest

from toolkit import DefinitionError, Limits, Retry
from toolkit.runs.effects import Call, FinishedCall
from toolkit.tools.output import Output


@pytest.mark.parametrize(
    "values",
    [
        {"turns": 0},
        {"turns": -1},
        {"turns": 1.5},
        {"turns": True},
        {"turns": "3"},
        {"calls": 0},
        {"seconds": 0},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": "10"},
        {"seconds": True},
        {"retries": -1},
        {"retries": None},
    ],
)
def test_what_cannot_be_a_limit(values: dict[str, Any]) -> None:
    [name] = values
    with pytest.raises(DefinitionError, match=name):
        Limits(**values)


def test_none_lifts_a_limit() -> None:
    limits = Limits(turns=None, calls=None, seconds=None, retries=0)
    assert limits.reached(10**9, 10**9) is None


def test_which_limit_is_reached() -> None:
    limits = Limits(turns=2, calls=3)
    assert limits.reached(2, 3) is None
    assert limits.reached(3, 3) == "turns"
    assert limits.reached(2, 4) == "calls"


def test_each_retry_takes_one_from_its_own_tool() -> None:
    again = FinishedCall(Call("c", "a", "{}"), Output("again", ok=False), Retry("again"))
    fine = FinishedCall(Call("c", "b", "{}"), Output("ok"))
    asked = [Call("d", "a", "{}"), Call("e", "b", "{}")]
    assert Limits(retries=2).retries_left(asked, [again, fine, fine]) == {"a": 1, "b": 2}
    assert Limits(retries=2).retries_left(asked, [again] * 5) == {"a": 0, "b": 2}
