from __future__ import annotations

import logging

import pytest

from toolkit.mcp.stderr import Stderr


def test_the_last_line_that_says_something(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "toolkit.mcp")
    stderr = Stderr("server")
    stderr.end.write("Traceback\nValueError: no key\n----\n\n")
    assert stderr.last() == "ValueError: no key"
    assert "MCP server server: ValueError: no key" in caplog.messages
    assert {record.levelname for record in caplog.records} == {"DEBUG"}


def test_nothing_said() -> None:
    assert Stderr("server").last() == ""
