from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from toolkit import tool
from toolkit.cli.call import arguments_of, json_types


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["city=Seoul"], "'Seoul' c 1"),
        (["city=02139", "days=3"], "'02139' c 3"),
        (["city=null"], "'null' c 1"),
        (['city="Seoul"'], "'Seoul' c 1"),
        (["city=a=b", "unit=f"], "'a=b' f 1"),
        (["city=", "unit=f"], "'' f 1"),
        (["--json", '{"city": "Oslo", "days": null}'], "'Oslo' c 1"),
    ],
)
def test_a_call(cli: Cli, arguments: list[str], out: str) -> None:
    said = cli("call", "sky.py:weather", *arguments)
    assert (said.code, said.out, said.err) == (0, out + "\n", "")


@pytest.mark.usefixtures("tools")
def test_an_async_tool(cli: Cli) -> None:
    assert cli("call", "sky.py:rain", "city=Oslo").out == "0.25\n"


@pytest.mark.usefixtures("tools")
def test_what_the_tool_tells_the_model(cli: Cli) -> None:
    said = cli("call", "sky.py:weather", "city=Atlantis")
    assert (said.code, said.out, said.err) == (1, "No such city.\n", "")


@pytest.mark.usefixtures("tools")
def test_what_the_model_is_not_told(cli: Cli) -> None:
    said = cli("call", "sky.py:weather", "city=Hades")
    assert said.code == 1
    assert said.out == "The tool weather failed.\n"
    assert said.err == "What the model is not told: ValueError: secret of the application\n"


@pytest.mark.usefixtures("tools")
def test_wrong_arguments_are_told_as_to_a_model(cli: Cli) -> None:
    said = cli("call", "sky.py:weather", "town=Seoul", "days=many")
    assert said.code == 1
    assert said.out.splitlines()[0] == "city: missing"
    assert "Known arguments: city, unit, days" in said.out
    assert cli("call", "sky.py:weather", "--json", "{").code == 1


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Seoul"], "'Seoul' is not understood. Write NAME=VALUE, such as city=...\n"),
        (["city=a", "city=b"], 'city is given twice. A list is written as JSON: city=\'["a", "b"]\'\n'),
        (["city=a", "--json", "{}"], "Give the arguments either as NAME=VALUE or as --json, not both.\n"),
    ],
)
def test_mistakes(cli: Cli, arguments: list[str], said: str) -> None:
    left = cli("call", "sky.py:weather", *arguments)
    assert (left.code, left.out, left.err) == (2, "", said)


def test_a_context_is_handed_in(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "deps.py").write_text(
        "from toolkit import RunContext, tool\n"
        "@tool\ndef f(ctx: RunContext[None], a: int) -> str:\n    'Do.'\n    return f'{ctx.tool} {a}'\n"
    )
    assert cli("call", "deps.py", "a=1").out == "f 1\n"


def test_values_follow_the_types() -> None:
    @tool
    def every(a: list[int], b: dict[str, int], c: bool, d: float, e: int | str, f: bool | None = None) -> str:
        """Do it."""
        return ""

    given = ["a=[1, 2]", 'b=[{"key": "x", "value": 1}]', "c=true", "d=2", "e=12", "f=null"]
    arguments = arguments_of(every, given)
    assert arguments["a"] == [1, 2]
    assert (arguments["c"], arguments["d"], arguments["e"], arguments["f"]) == (True, 2, 12, None)
    assert every.call(json.dumps(arguments)).ok


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({}, set()),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"enum": [1, "a", None]}, {"integer", "string", "null"}),
        ({"const": True}, {"boolean"}),
        ({"$ref": "#/$defs/A"}, {"object"}),
        ({"anyOf": [{"type": "string"}, {"oneOf": [{"type": "number"}]}]}, {"string", "number"}),
    ],
)
def test_json_types(schema: dict[str, object], types: set[str]) -> None:
    assert json_types(schema, {"A": {"type": "object"}}) == types
