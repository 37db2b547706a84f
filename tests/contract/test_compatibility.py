"""docs/compatibility.md, held to what the engine does and to what the checks of these tests let pass."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

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
)
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


def test_the_page_lists_what_is_served(begin: Any) -> None:
    talk: Talk = begin()
    for path, methods in table("Served"):
        options = talk.http.options("/v1" + path.strip("`"))
        allowed = set(options.headers["allow"].split(", ")) - {"HEAD", "OPTIONS"}
        assert (options.status_code, ", ".join(sorted(allowed))) == (204, methods), path


def test_a_request_sent_twice_with_one_key_happens_once(start: Any) -> None:
    talk = start(answer("Hi"))
    headers = {"Idempotency-Key": "once"}
    first = talk.create(extra_headers=headers)
    assert talk.create(extra_headers=headers).to_dict() == first.to_dict()
    assert talk.wait(first).status == "completed"
    assert len(list(talk.runs.list(talk.thread_id))) == 1
