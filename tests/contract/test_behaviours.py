from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.contract.behaviours import CLIENTS, PROGRAMS, Behaviours

TESTS = Path(__file__).parents[1]


def functions(*files: Path) -> dict[str, str]:
    """The tests of files, with their docstrings."""
    return {
        node.name: ast.get_docstring(node) or ""
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("behaviours", "most"), [(PROGRAMS, 38), (CLIENTS, 35)])
def test_each_is_shown_by_tests_that_are_there(behaviours: Behaviours, most: int) -> None:
    assert list(behaviours) == list(range(1, most + 1))
    assert [number for number, (_, tests) in behaviours.items() if not tests] == []
    there = functions(*TESTS.rglob("test_*.py"))
    assert [test for _, tests in behaviours.values() for test in tests if test not in there] == []


@pytest.mark.parametrize(
    ("behaviours", "files"),
    [(PROGRAMS, ["test_programs.py"]), (CLIENTS, ["test_clients.py", "test_azure.py"])],
    ids=["programs", "clients"],
)
def test_tests_stand_below_the_numbers_that_they_begin_with(behaviours: Behaviours, files: list[str]) -> None:
    for test, words in functions(*(TESTS / "contract" / file for file in files)).items():
        numbers = re.match(r"(\d+)(?:, (\d+))*[.,]", words)
        assert numbers, test
        for number in re.findall(r"\d+", numbers[0]):
            assert test in behaviours[int(number)][1], (number, test)
