"""The public names: complete, sorted, lazy, and all there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import toolkit


def test_the_names_are_sorted_and_all_there() -> None:
    assert toolkit.__all__ == sorted(toolkit.__all__)
    for name in toolkit.__all__:
        assert getattr(toolkit, name) is not None
        assert name in dir(toolkit)


def test_every_exception_that_an_app_catches_is_public() -> None:
    from toolkit import errors

    assert set(errors.__all__) - set(toolkit.__all__) == {
        "ApprovalMismatch",  # both are caught as RunKept
        "JournalError",
        "ArgumentsInvalid",
        "CallSignal",
        "Refused",
        "SandboxUnavailable",
        "StoreUnavailable",
    }


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Manager'"):
        toolkit.Manager  # type: ignore[attr-defined]


def test_defining_a_tool_does_not_import_openai() -> None:
    program = """
import sys
from toolkit import Limits, RunContext, Toolset, tool

@tool
def add(a: int, b: int = 1) -> int:
    "Add two numbers."
    return a + b

Toolset(add).definitions
assert not {"openai", "httpx2"} & sys.modules.keys()
import toolkit
assert callable(toolkit.run) and "openai" in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_the_engine_exports_what_one_is_made_of() -> None:
    from toolkit import engine

    assert engine.__all__ == ["Endpoint", "Engine"]
    assert all(callable(getattr(engine, name)) for name in engine.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Manager'"):
        engine.Manager
