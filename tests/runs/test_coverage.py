from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import ToolsMissing
from toolkit.runs.coverage import Coverage, Missing
from toolkit.runs.hosts.assistants import Assistants
from toolkit.tools.toolset import Toolset


def look() -> str:
    """Look."""
    return ""


def run(*functions: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in functions]
    return {"id": "run_1", "tools": [{"type": "file_search"}, *tools]}


def coverage(missing: Missing) -> Coverage:
    return Coverage(Assistants("k", "thread_1"), Toolset(look), missing)


def test_what_is_lacking_is_named() -> None:
    with pytest.raises(ToolsMissing, match=r'lacks: find, go\. Add them to the toolset, .* missing="tell"') as error:
        coverage("raise").look(run("find", "look", "go"))
    assert (error.value.names, error.value.run) == (("find", "go"), None)


@pytest.mark.parametrize("covered", [run(), run("look"), {"id": "run_1"}, {"id": "run_1", "tools": None}])
def test_what_is_covered(covered: dict[str, Any]) -> None:
    coverage("raise").look(covered)


def test_a_run_is_looked_at_once() -> None:
    watching = coverage("raise")
    assert watching.is_due
    watching.look(run("look"))
    assert not watching.is_due
    watching.look(run("find"))


def test_by_choice_nothing_is_raised() -> None:
    watching = coverage("tell")
    assert not watching.is_due
    watching.look(run("find"))
