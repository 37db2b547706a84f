"""Where a store is: `sqlite:///relative.db`, `sqlite:////absolute.db` or `sqlite:///:memory:`, options behind `?`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl

from toolkit.errors import EngineError

__all__ = ["SQLiteAddress", "default_url", "parse"]


@dataclass(frozen=True, slots=True)
class SQLiteAddress:
    """A SQLite file; `path` None is a store in memory, gone at close."""

    path: Path | None
    synchronous: Literal["normal", "full"] = "normal"
    """`normal`: kill -9 loses nothing, a power cut may lose the last moments; `full`: neither does, slower."""


def parse(url: str) -> SQLiteAddress:
    """Read a store's URL. Raises EngineError, naming the forms that are understood."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme != "sqlite":
        raise EngineError(
            f"Store {url!r} is not understood. Write sqlite:///file.db (relative), sqlite:////path/file.db or sqlite:///:memory:."
        )
    place, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    synchronous = options.pop("synchronous", "normal")
    if options or synchronous not in ("normal", "full"):
        raise EngineError(f"Store {url!r}: the only option is ?synchronous=normal or ?synchronous=full.")
    if place in ("", "/", "/:memory:", ":memory:"):
        return SQLiteAddress(None)
    if not place.startswith("/"):
        raise EngineError(f"Store {url!r} needs three slashes before a relative path: sqlite:///{place}")
    return SQLiteAddress(Path(place[1:]), "full" if synchronous == "full" else "normal")


def default_url() -> str:
    """Give the one default place, in the user's data directory, for `Engine()` and the commands alike."""
    return f"sqlite:///{_data_folder() / 'assistants-toolkit' / 'assistants.db'}"


def _data_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
