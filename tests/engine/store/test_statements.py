from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

import pytest

from toolkit.engine.store.statements import migrations, statements


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    for _, script in migrations("sqlite"):
        connection.executescript(script)
    yield connection
    connection.close()


def test_every_statement_is_understood_by_the_newest_schema(connection: sqlite3.Connection) -> None:
    assert len(statements()) > 30
    for name, sql in statements().items():
        values = dict.fromkeys(re.findall(r":(\w+)", sql), 0)
        try:
            connection.execute(f"EXPLAIN {sql}", values)
        except sqlite3.Error as error:  # pragma: no cover - only when it fails
            pytest.fail(f"{name}: {error}")


def test_migrations_are_numbered_from_one() -> None:
    assert [number for number, _ in migrations("sqlite")] == list(range(1, len(migrations("sqlite")) + 1))
