from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from toolkit.engine.store.space import reclaim
from toolkit.errors import StoreUnavailable


def emptied(path: Path, *, incremental: bool) -> int:
    """A file that held 4 MB and holds a few rows; its size."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if incremental:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, x BLOB)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO t (x) VALUES (?)", [(b"x" * 4000,)] * 1000)
        connection.execute("COMMIT")
        connection.execute("DELETE FROM t WHERE n > 5")
    return path.stat().st_size


def test_what_a_file_can_give_back_while_others_have_it_open(tmp_path: Path) -> None:
    size = emptied(tmp_path / "t.db", incremental=True)
    with closing(sqlite3.connect(tmp_path / "t.db")) as other:
        other.execute("INSERT INTO t (x) VALUES ('one more')")
        other.commit()
        space = reclaim(tmp_path / "t.db")
        assert space.freed > 3_500_000
        assert space.spare == 0
        assert (tmp_path / "t.db").stat().st_size == space.size < size / 5
        assert other.execute("SELECT count(*) FROM t").fetchone() == (6,)


def test_a_file_that_was_not_made_for_it_keeps_the_room_for_new_data(tmp_path: Path) -> None:
    size = emptied(tmp_path / "t.db", incremental=False)
    space = reclaim(tmp_path / "t.db")
    assert (space.size, space.freed) == (size, 0)
    assert space.spare > 3_500_000


def test_the_whole_shrinks_it_and_makes_it_so(tmp_path: Path) -> None:
    size = emptied(tmp_path / "t.db", incremental=False)
    space = reclaim(tmp_path / "t.db", full=True)
    assert space.freed > 3_500_000
    assert (space.spare, (tmp_path / "t.db").stat().st_size) == (0, space.size)
    assert space.size < size / 5
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)


def test_what_does_not_work_is_said(tmp_path: Path) -> None:
    (tmp_path / "t.db").write_text("not a database, but long enough to be read as one" * 50)
    with pytest.raises(StoreUnavailable, match="could not be given back") as error:
        reclaim(tmp_path / "t.db")
    assert "try again" in str(error.value)
