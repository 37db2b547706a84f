"""Where a store is: `sqlite:///relative.db`, `sqlite:////absolute.db` or `sqlite:///:memory:`, options behind `?`.

A path is written as it is, but for `?` (`%3F`) and `%` (`%25`).
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote

from toolkit.errors import EngineError

__all__ = ["SQLiteAddress", "default_url", "parse", "url_of"]

_BUSY_S: Final = 10.0
_SECONDS: Final = re.compile(r"\d{1,5}(\.\d+)?")


@dataclass(frozen=True, slots=True)
class SQLiteAddress:
    """A SQLite file; `path` None is a store in memory, gone at close."""

    path: Path | None
    synchronous: Literal["normal", "full"] = "normal"
    """`normal`: kill -9 loses nothing, a power cut may lose the last moments; `full`: neither does, slower."""
    busy_s: float = _BUSY_S
    """How long to wait for another program that holds the file's lock."""


def parse(url: str) -> SQLiteAddress:
    """Read a store's URL. Raises EngineError, naming the forms that are understood."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme != "sqlite":
        raise EngineError(
            f"Store {url!r} is not understood. Write sqlite:///file.db (relative), sqlite:////path/file.db or sqlite:///:memory:."
        )
    place, _, query = rest.partition("?")
    synchronous, busy_s = _options(url, query)
    if place in ("", "/", "/:memory:", ":memory:"):
        return SQLiteAddress(None, synchronous, busy_s)
    if not place.startswith("/"):
        raise EngineError(f"Store {url!r} needs three slashes before a relative path: sqlite:///{place}")
    return SQLiteAddress(Path(unquote(place[1:])), synchronous, busy_s)


def url_of(path: Path) -> str:
    """Write the URL of a file, whatever characters are in its name."""
    return f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}"


def default_url() -> str:
    """Give the one default place, in the user's data directory, for `Engine()` and the commands alike."""
    return url_of(_data_folder() / "assistants-toolkit" / "assistants.db")


def _options(url: str, query: str) -> tuple[Literal["normal", "full"], float]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    synchronous, busy_s = options.pop("synchronous", "normal"), options.pop("busy_s", str(_BUSY_S))
    if options or synchronous not in ("normal", "full") or not _SECONDS.fullmatch(busy_s):
        raise EngineError(
            f"Store {url!r}: the only options are ?synchronous=normal, ?synchronous=full and ?busy_s=SECONDS. "
            "A ? in a file's name is written %3F, a % is %25."
        )
    return "full" if synchronous == "full" else "normal", float(busy_s)


def _data_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
