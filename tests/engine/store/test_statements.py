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


def test_no_statement_walks_a_table(connection: sqlite3.Connection) -> None:
    """Every read is by an index; only the few workers there are may be walked over."""
    walking = []
    for name, sql in statements().items():
        if name == "worker.others":
            continue
        values = dict.fromkeys(re.findall(r":(\w+)", sql), 0)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        if any(re.match(r"SCAN (?!CONSTANT)", step) and "USING INDEX" not in step for step in plan):
            walking.append((name, plan))
        if any("TEMP B-TREE" in step for step in plan):
            walking.append((name, plan))
    assert walking == []


def test_migrations_are_numbered_from_one() -> None:
    assert [number for number, _ in migrations("sqlite")] == list(range(1, len(migrations("sqlite")) + 1))
