"""How lines of the log are written: for people, or as a JSON object each; with ids, never with content or keys.

Texts of exceptions are left out, but for those of kinds that hold none: a validation error quotes what was sent, a
server's error what the model was asked. Where it went wrong, and in what kind of error, is always told.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal
from urllib.parse import quote

from toolkit.engine.logs import ids
from toolkit.errors import EngineError

__all__ = ["Json", "Text", "log_to_stderr"]

_Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_TELLING: Final = (EngineError, OSError, sqlite3.Error)
"""Exceptions whose texts are about files, sockets and settings."""


def log_to_stderr(level: str, form: Literal["text", "json"]) -> None:
    """Write the log of this process to stderr, from a level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx2", "httpcore2"):  # a line for each model call, with the whole URL; more on debug
        logging.getLogger(chatty).setLevel(logging.WARNING)


class Text(logging.Formatter):
    """A line for people: time, level, logger, message, and the ids that the message does not name."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Append the ids."""
        record.message = message = _message(record)
        more = [f"{name}={quote(value)}" for name, value in ids().items() if quote(value) not in message]
        return super().formatMessage(record) + (f" [{' '.join(more)}]" if more else "")

    def formatException(self, ei: _Caught) -> str:  # noqa: N802 - logging's name
        """Say where and what, without texts that may quote content."""
        return _told(ei)


class Json(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and each id as a member."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **ids(),
        }
        if record.exc_info:
            line["exception"] = _told(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """Give a line's message; of asyncio's only the first line, since the others quote the exception."""
    message = record.getMessage()
    return message.partition("\n")[0] if record.name == "asyncio" else message


def _told(caught: _Caught) -> str:
    return "".join(_lines(caught[1])).rstrip("\n") if caught[1] is not None else ""


def _lines(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _lines(before)
        yield "\nwhich led to\n\n"
    yield from traceback.format_tb(error.__traceback__)
    kind = type(error)
    yield f"{kind.__module__}.{kind.__qualname__}{f': {error}' if isinstance(error, _TELLING) else ''}\n"
