"""docs/compatibility.md, held to what the engine does and to what the checks of these tests let pass."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from tests.contract.compatibility import CONCERNS, written
from tests.contract.inspection import OBJECTS
from tests.contract.official import (
    ANY_VALUE,
    BESIDES,
    MORE_ITEMS,
    MORE_LISTS,
    MORE_QUERY,
    MORE_VALUES,
    NEEDED,
    NULL_IS_NONE,
    NULLABLE,
    REFUSED,
    TAKEN,
    events,
)
from tests.contract.operations import OFFICIAL
from tests.contract.talk import Talk
from tests.engine.scripted import answer

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "compatibility.md").read_text()


def table(heading: str) -> list[list[str]]:
    """Read the rows of the table below a heading of the page, without its head."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_tells_of_every_difference_that_the_checks_let_pass() -> None:
    told = {name for name, *_ in table("Deliberate differences")}
    answers = {*BESIDES, *MORE_ITEMS, *MORE_LISTS, *MORE_VALUES, *NULLABLE, *REFUSED}
    assert answers | {*ANY_VALUE, *MORE_QUERY, *NEEDED, NULL_IS_NONE, *TAKEN} <= told


def test_every_difference_is_shown_by_a_test() -> None:
    tests = {
        node.name
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    shown = [re.fullmatch(r"`(\w+)`", by) for *_, by in table("Deliberate differences")]
    assert [by.group(1) for by in shown if by and by.group(1) not in tests] == []
    assert all(shown)


def test_every_operation_object_and_event_is_on_the_page() -> None:
    assert written(PAGE) == PAGE, "python -m tests.contract.compatibility"
    assert len(table("Every operation")) == len(OFFICIAL)
    assert len(table("Every event")) == len(events())


def test_every_difference_says_what_it_is_about() -> None:
    assert {name for name, *_ in table("Deliberate differences")} == CONCERNS.keys()
    known = {*OFFICIAL, *OBJECTS, *events()}
    assert {name for names in CONCERNS.values() for name in names} <= known


def test_what_the_page_says_of_paths_is_what_they_take(begin: Any) -> None:
    talk: Talk = begin()
    by_path: dict[str, set[str]] = {}
    for operation, *_ in table("Every operation"):
        method, path = operation.strip("`").split(" ")
        by_path.setdefault(path, set()).add(method)
    for path, methods in by_path.items():
        options = talk.http.options(f"/v1{path}")
        allowed = set(options.headers["allow"].split(", ")) - {"HEAD", "OPTIONS"}
        more = {"GET"} if path == "/threads" else set()
        assert (options.status_code, allowed) == (204, methods | more), path


def test_a_request_sent_twice_with_one_key_happens_once(start: Any) -> None:
    talk = start(answer("Hi"))
    headers = {"Idempotency-Key": "once"}
    first = talk.create(extra_headers=headers)
    assert talk.create(extra_headers=headers).to_dict() == first.to_dict()
    assert talk.wait(first).status == "completed"
    assert len(list(talk.runs.list(talk.thread_id))) == 1
