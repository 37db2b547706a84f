from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.mark.usefixtures("tools")
def test_what_a_model_sees(cli: Cli) -> None:
    assert cli("tools", "show", "sky.py").out == (
        "weather\n"
        "  Current weather in a city.\n"
        "  - city: string\n"
        "      City name, such as Seoul.\n"
        '  - unit: "c" | "f" | null\n'
        "  - days: integer | null\n"
        "\n"
        "rain\n"
        "  Probability of rain.\n"
        "  - city: string\n"
    )


@pytest.mark.usefixtures("tools")
def test_the_definitions_as_they_are_sent(cli: Cli) -> None:
    sent = json.loads(cli("tools", "show", "sky.py:rain", "--json").out)
    assert [tool["function"]["name"] for tool in sent] == ["rain"]
    assert sent[0]["type"] == "function"


MODELS = """
from __future__ import annotations
from enum import Enum
from typing import Annotated
from pydantic import BaseModel, Field
from toolkit import tool

class Colour(Enum):
    RED = "red"
    BLUE = "blue"

class Box(BaseModel):
    colour: Colour
    inner: list[Box] = Field(default=[], description="Boxes inside, " + "which may hold boxes of their own. " * 3)

@tool
def pack(box: Box, count: Annotated[int, Field(ge=1, lt=9)], anything: dict, turn: complex) -> str:
    return ""
"""


def test_models_bounds_and_why_not_strict_within_80_columns(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "boxes.py").write_text(MODELS)
    lines = cli("tools", "show", "boxes.py").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:5] == [
        "pack",
        "  (no description: give the function a docstring)",
        "  - box: Box",
        '      - colour: "red" | "blue"',
        "      - inner: list of Box, may be left out",
    ]
    assert "  - count: integer (>= 1, < 9)" in lines
    assert lines[-1] == "  Checked, though the schema cannot say it: turn: a complex number, such as 1+2j"
    assert any(line.startswith("  Not strict: ") and "is open to any members" in line for line in lines)
