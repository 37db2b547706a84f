"""Calls are plain frozen data."""

import dataclasses

import pytest

from toolkit.errors import Retry, ToolError
from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.output import Output


def test_only_a_retry_asks_again() -> None:
    call = Call("call_1", "look_up", "{}")
    assert FinishedCall(call, Output("x"), Retry("say which")).asked_again
    assert not FinishedCall(call, Output("x"), ToolError("no")).asked_again
    assert not FinishedCall(call, Output("x")).asked_again


def test_a_call_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Call("call_1", "look_up", "{}").name = "other"  # type: ignore[misc]  # the point of the test
