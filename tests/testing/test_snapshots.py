from __future__ import annotations

from pathlib import Path

import pytest

from toolkit import Toolset, tool
from toolkit.testing import snapshots
from toolkit.testing.snapshots import assert_schema


@tool
def weather(city: str) -> str:
    """Weather in a city."""
    return ""


@tool(name="weather")
def weather_by_day(city: str, day: int) -> str:
    """Weather in a city."""
    return ""


@tool
def flights(to: str) -> str:
    """Find flights."""
    return ""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "schemas" / "tools.json"


def test_what_was_written_holds(file: Path) -> None:
    assert_schema(Toolset(weather, flights), file, update=True)
    assert_schema(Toolset(weather, flights), file)
    assert file.read_text().startswith('[\n  {\n    "type": "function"')


def test_each_change_is_told(file: Path) -> None:
    assert_schema(Toolset(weather, flights), file, update=True)
    with pytest.raises(AssertionError) as failed:
        assert_schema(Toolset(weather_by_day), file)
    said = str(failed.value)
    assert "flights is gone." in said
    assert "weather has changed:\n--- before\n+++ now" in said
    assert '+        "day": {\n+          "type": "integer"' in said
    assert said.endswith(f"If that is meant, write {file} anew: pytest --toolkit-update")


def test_a_new_tool_and_another_order_are_told(file: Path) -> None:
    assert_schema(Toolset(weather), file, update=True)
    with pytest.raises(AssertionError, match=r"flights is new: Find flights\."):
        assert_schema(Toolset(weather, flights), file)
    assert_schema(Toolset(flights, weather), file, update=True)
    with pytest.raises(AssertionError, match="The order has changed: flights, weather -> weather, flights"):
        assert_schema(Toolset(weather, flights), file)


@pytest.mark.parametrize("text", ["{", "{}", "[1]", '{"a": 1}'])
def test_a_file_of_something_else_is_told(file: Path, text: str) -> None:
    assert_schema(Toolset(weather), file, update=True)
    file.write_text(text)
    if text == "{}":
        with pytest.raises(AssertionError, match="weather is new"):
            assert_schema(Toolset(weather), file)
        return
    with pytest.raises(AssertionError, match="holds no definitions of tools"):
        assert_schema(Toolset(weather), file)


def test_nothing_is_written_unless_somebody_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match=r"There is no .*tools.json yet. Write it: pytest --toolkit-update"):
        assert_schema(Toolset(weather), file)
    assert not file.exists()
    monkeypatch.setattr(snapshots, "updates", True)
    assert_schema(Toolset(weather), file)
    assert_schema(Toolset(weather), file, update=False)
