from __future__ import annotations

from typing import Any

import pytest

from toolkit.runs.decisions import Approve, Deny, decided
from toolkit.tools.calls import Call

CALL = Call("call_1", "pay", '{"amount": 5}')


@pytest.mark.parametrize(
    ("said", "decision"),
    [
        (True, Approve()),
        (False, Deny()),
        (Approve({"amount": 1}), Approve({"amount": 1})),
        (Deny("too much"), Deny("too much")),
    ],
)
def test_what_decides(said: Any, decision: object) -> None:
    assert decided(said, CALL) == decision


@pytest.mark.parametrize("said", [None, 1, 0, "yes", "", {}, Approve, Deny, object()])
def test_what_decides_nothing_never_lets_a_call_be_made(said: Any) -> None:
    with pytest.raises(TypeError, match=r"decides nothing on the call of pay \(call_1\)"):
        decided(said, CALL)


def test_the_call_as_it_is_made() -> None:
    assert Approve().made(CALL) is CALL
    assert Approve({"amount": 1, "to": "Zoë"}).made(CALL) == Call("call_1", "pay", '{"amount": 1, "to": "Zoë"}')
    assert Approve('{"amount":1}').made(CALL).arguments == '{"amount":1}'
