"""Journal: what must survive a crash of the program that runs the tools, in a SQLite file or a store of your own."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cache
from importlib.resources import files
from os import PathLike, fspath
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from toolkit.errors import JournalError
from toolkit.runs.kept import state_of, thread_of
from toolkit.runs.pending import Pending

__all__ = ["Journal", "JournalStore"]

T = TypeVar("T")


class JournalStore(Protocol):
    """Where a journal's entries are kept: under a run's id and a key, JSON text of a few hundred bytes, an output, or a
    turn of a conversation.

    Called from any thread, also from several at once. What it raises leaves the run as it is.
    """

    def add(self, run_id: str, key: str, data: str) -> bool:
        """Keep an entry, durably, unless there is one of that key already; say whether it was kept now."""
        ...

    def read(self, run_id: str) -> Mapping[str, str]:
        """Give the entries of a run by their keys."""
        ...

    def runs(self) -> Sequence[str]:
        """Give the ids of the runs that were not forgotten, oldest first."""
        ...

    def forget(self, run_id: str) -> None:
        """Drop the entries of a run. Their keys are best held for some hours, so that `add` goes on refusing them."""
        ...


class Journal:
    """What has been called in runs that are not over: `run(..., journal=Journal("calls.db"))`, or the path alone.

    A file holds arguments and outputs, and on chat completions the conversation, until their run is over: protect it as
    you protect those. It may be shared by runs, threads and processes of one machine; on a network drive its locks may
    not work.
    """

    def __init__(self, place: str | PathLike[str] | JournalStore) -> None:
        """Take a path of a SQLite file, which is made when it is first needed, or a store of your own."""
        self._store = SQLiteStore(fspath(place)) if isinstance(place, str | PathLike) else place

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def unfinished(self) -> list[Pending]:
        """Give the runs that a crash has left, oldest first, for `resume`. Raises JournalError.

        Those that other processes are at, or that wait for an approval, are among them: ask when a program starts.
        """
        return [
            Pending(run_id, thread_id, state=state_of(entries))
            for run_id in self._safely(self._store.runs)
            if (thread_id := thread_of(entries := self.read(run_id))) is not None
        ]

    def forget(self, run_id: str) -> None:
        """Drop what there is of a run that nobody will resume. Raises JournalError."""
        self._safely(self._store.forget, run_id)

    def add(self, run_id: str, key: str, data: str) -> bool:
        """Keep an entry unless there is one of that key already; whether it was kept now. Raises JournalError."""
        return self._safely(self._store.add, run_id, key, data)

    def read(self, run_id: str) -> Mapping[str, str]:
        """Give the entries of a run. Raises JournalError."""
        return self._safely(self._store.read, run_id)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed again."""
        if isinstance(self._store, SQLiteStore):
            self._store.close()

    def _safely(self, work: Callable[..., T], *arguments: str) -> T:
        try:
            return work(*arguments)
        except JournalError:
            raise
        except Exception as error:
            raise JournalError(f"The journal failed: {type(error).__name__}: {error}") from error


class SQLiteStore:
    """A `JournalStore` in a SQLite file; each entry is on the disk, and not only in its cache, when `add` returns."""

    _OURS = 0x746B6A31  # "tkj1", in the header of the file: which program it belongs to
    _HELD_S = 86_400.0
    _BUSY_S = 10.0

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, run_id: str, key: str, data: str) -> bool:
        return self._do("add", run_id=run_id, key=key, data=data, now=time.time())[1] == 1

    def read(self, run_id: str) -> Mapping[str, str]:
        return dict(self._do("read", run_id=run_id)[0])

    def runs(self) -> Sequence[str]:
        return [run_id for (run_id,) in self._do("runs")[0]]

    def forget(self, run_id: str) -> None:
        self._do("forget", run_id=run_id, now=time.time())
        self._do("sweep", before=time.time() - self._HELD_S)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _do(self, name: str, **values: object) -> tuple[list[Any], int]:
        """Execute a statement; its rows, and how many it changed. Each is a transaction of its own."""
        with self._lock:
            if self._connection is None:
                self._connection = self._opened()
            with closing(self._connection.execute(_statements()[name], values)) as cursor:
                return cursor.fetchall(), cursor.rowcount

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=16
        )
        try:
            [owner] = connection.execute("PRAGMA application_id").fetchone()
            [tables] = connection.execute(_statements()["find_table"]).fetchone()
            if owner != self._OURS and tables:
                raise JournalError(f"{self._path} is a database of another kind: give the journal a file of its own.")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what was forgotten is not to be found in the file
            connection.execute(f"PRAGMA application_id = {self._OURS}")
            connection.execute(_statements()["create"])
        except BaseException:
            connection.close()
            raise
        weakref.finalize(self, connection.close)  # with the last run or tool that knows of it
        return connection


@cache
def _statements() -> Mapping[str, str]:
    text = files("toolkit.runs").joinpath("journal.sql").read_text(encoding="utf-8")
    return dict(re.findall(r"^-- name: (\S+)\n(.*?);$", text, re.MULTILINE | re.DOTALL))
