from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.cli.mistakes import Mistake
from toolkit.cli.target import one_tool, toolset_of


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("target", ["sky.py", "./sky.py", "sky"])
def test_the_tools_of_a_file_or_module(target: str) -> None:
    assert list(toolset_of(target)) == ["weather", "rain"]


@pytest.mark.usefixtures("tools")
def test_a_name_chooses() -> None:
    assert list(toolset_of("sky.py:rain")) == ["rain"]
    assert one_tool("sky.py:weather").name == "weather"


def test_the_only_toolset_wins_over_single_tools(tools: Path) -> None:
    tools.write_text(tools.read_text() + "\nfrom toolkit import Toolset\nall_tools = Toolset(rain)\nalso = all_tools\n")
    assert list(toolset_of("sky.py")) == ["rain"]
    assert one_tool("sky.py").name == "rain"


def test_two_toolsets_must_be_told_apart(tools: Path) -> None:
    tools.write_text(tools.read_text() + "\nfrom toolkit import Toolset\na = Toolset(rain)\nb = Toolset(weather)\n")
    with pytest.raises(Mistake, match=r"^sky.py has 2 toolsets. Say which: sky.py:a, sky.py:b$"):
        toolset_of("sky.py")
    assert list(toolset_of("sky.py:b")) == ["weather"]
    assert one_tool("sky.py:b").name == "weather"


def test_a_tool_is_found_by_the_name_the_model_uses(tools: Path) -> None:
    tools.write_text('from toolkit import tool\n@tool(name="sky-rain")\ndef f() -> int:\n    "Do."\n    return 1\n')
    assert one_tool("sky.py:sky-rain").name == "sky-rain"


@pytest.mark.usefixtures("tools")
def test_which_tool() -> None:
    with pytest.raises(Mistake, match=r"^sky.py has 2 tools. Say which: sky.py:weather, sky.py:rain$"):
        one_tool("sky.py")
    with pytest.raises(Mistake, match=r"^sky.py has no tool snow. Say which: sky.py:weather, sky.py:rain$"):
        one_tool("sky.py:snow")
    with pytest.raises(Mistake, match=r"^sky.py has no snow. Say which: sky.py:weather, sky.py:rain$"):
        toolset_of("sky.py:snow")
    with pytest.raises(Mistake, match="neither a Toolset nor a tool"):
        toolset_of("sky.py:Literal")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "bad.py has no tools: mark functions with @tool"),
        ("import nothing_of_this_name", r"bad.py cannot be imported: ModuleNotFoundError: .* \(bad.py, line 1\)"),
        ("x =", r"bad.py cannot be imported: SyntaxError: invalid syntax \(bad.py, line 1\)$"),
        ("1 / 0", r"bad.py cannot be imported: ZeroDivisionError: division by zero \(bad.py, line 1\)"),
        ("raise SystemExit(3)", "bad.py ends the program when it is imported"),
        ("from toolkit import tool\n@tool\ndef f(x): pass", "bad.py: f: parameter `x` has no type"),
    ],
)
def test_a_module_that_cannot_be_used(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(Mistake, match=said):
        toolset_of("bad.py")


def test_no_such_place(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"There is no file nowhere\.py"):
        toolset_of("nowhere.py")
    with pytest.raises(Mistake, match=r"There is no module no\.where here"):
        toolset_of("no.where")
    (tmp_path / "half.py").write_text("import not_installed")
    with pytest.raises(Mistake, match="half cannot be imported: ModuleNotFoundError"):
        toolset_of("half")


def test_a_file_that_is_named_like_a_module_in_use(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("from toolkit import tool\n@tool\ndef f() -> int:\n    'Do.'\n    return 1\n")
    assert list(toolset_of("json.py")) == ["f"]


def test_the_files_beside_it_are_found(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "beside_it.py").write_text("def f() -> int:\n    'Do.'\n    return 1\n")
    (tmp_path / "deep" / "main_tools.py").write_text(
        "from toolkit import Toolset\nfrom beside_it import f\ntools = Toolset(f)\n"
    )
    assert list(toolset_of("deep/main_tools.py")) == ["f"]
