from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from toolkit.cli.logs import Json, Text
from toolkit.engine.logs import about
from toolkit.errors import StoreUnavailable

SAID = "".join(["sec", "ret"])  # so that no line of this file quotes it


class Asked(BaseModel):
    number: int


def line(formatter: logging.Formatter, message: str, *values: Any, name: str = "toolkit.server", **more: str) -> str:
    """Write a line in a context of its own, with the exception that is being handled."""
    caught = sys.exc_info() if sys.exc_info()[0] else None
    record = logging.LogRecord(name, logging.INFO, "here.py", 1, message, values, caught)

    def write() -> str:
        about(**more)
        return formatter.format(record)

    return contextvars.Context().run(write)


def test_an_object_a_line_with_each_id_as_a_member() -> None:
    said = line(Json(), "%s %d", "GET /v1/é", 200, request_id="req_a", thread_id="a\nb", project="p")
    assert "\n" not in said
    told = json.loads(said)
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "info",
        "logger": "toolkit.server",
        "message": "GET /v1/é 200",
        "request_id": "req_a",
        "thread_id": "a\nb",
        "project": "p",
    }


def test_text_shows_the_ids_that_are_not_in_the_message() -> None:
    said = line(Text(), "req_a GET /v1/threads/t", request_id="req_a", thread_id="t", project="my shop\n")
    assert said.endswith(" INFO toolkit.server: req_a GET /v1/threads/t [project=my%20shop%0A]")
    assert line(Text(), "hello").endswith(": hello")


def told(fail: Callable[[], object]) -> list[str]:
    """Write down, both ways, that something failed, and that something else failed over it."""
    try:
        try:
            fail()
        except Exception as inner:
            raise RuntimeError(SAID) from inner
    except RuntimeError:
        return [line(Text(), "it failed"), json.loads(line(Json(), "it failed"))["exception"]]
    raise AssertionError


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (lambda: Asked.model_validate({"number": SAID}), "pydantic_core._pydantic_core.ValidationError"),
        (lambda: {}[SAID], "builtins.KeyError"),
        (lambda: json.loads(SAID), "json.decoder.JSONDecodeError"),
        (lambda: int(SAID), "builtins.ValueError"),
    ],
)
def test_texts_of_exceptions_that_may_quote_content_are_left_out(fail: Callable[[], object], kind: str) -> None:
    with pytest.raises(Exception, match=SAID if kind != "json.decoder.JSONDecodeError" else "value"):
        fail()
    for said in told(fail):
        assert SAID not in said
        assert f"{kind}\n" in said
        assert "which led to" in said
        assert said.endswith("builtins.RuntimeError")
        assert "test_logs.py" in said


@pytest.mark.parametrize(
    "error", [StoreUnavailable("The disk is full."), OSError(28, "No space left"), sqlite3.OperationalError("locked")]
)
def test_texts_of_files_and_stores_are_told(error: Exception) -> None:
    def fail() -> None:
        raise error

    for said in told(fail):
        assert f"{type(error).__qualname__}: {error}\n" in said


def test_a_task_whose_exception_nobody_took_quotes_nothing() -> None:
    """Asyncio writes the repr of the exception into its message."""

    async def leave() -> None:
        async def fail() -> None:
            raise ValueError(SAID)

        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task

    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.extend(formatter.format(record) for formatter in (Json(), Text()))

    handler = Kept()
    logging.getLogger("asyncio").addHandler(handler)
    try:
        asyncio.run(leave())
    finally:
        logging.getLogger("asyncio").removeHandler(handler)
    assert len(lines) == 2
    for said in lines:
        assert "never retrieved" in said
        assert "ValueError" in said
        assert SAID not in said
