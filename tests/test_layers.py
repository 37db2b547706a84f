"""Imports point down only, and every module can be imported first.

The rooms and what each may import are the rule of docs/design.md. Imports for type checkers alone (`if TYPE_CHECKING:`)
may point up: they are not there when the program runs.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "toolkit"

MAY_IMPORT: dict[str, set[str]] = {
    "toolkit": {"errors", "assistants", "tools", "runs"},
    "errors": set(),
    "kernel": set(),
    "sandbox": {"errors", "kernel", "inside"},
    "inside": {"kernel"},
    "assistants": {"errors"},
    "tools": {"errors", "assistants"},
    "runs": {"errors", "tools"},
    "mcp": {"toolkit", "errors", "assistants", "tools"},
    "openapi": {"toolkit", "errors", "assistants", "tools"},
    "engine": {"errors", "kernel", "sandbox"},
    "server": {"errors", "engine"},
    "compose": {"errors", "engine", "sandbox", "server"},
    "face": {"compose", "engine"},
    "telemetry": {"errors", "tools", "runs", "engine"},
    "testing": {"errors", "tools", "runs", "engine", "face", "compose"},
    "cli": {
        *("toolkit", "errors", "assistants", "tools", "runs", "mcp", "telemetry"),
        *("engine", "sandbox", "server", "compose", "face"),
    },
}
"""Room -> the rooms below it.

`compose` is engine/compose.py, `face` engine/__init__.py, `toolkit` the top __init__, `inside` what of sandbox/ runs
behind its wall, where nothing else of ours is.
"""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def room(module: str) -> str:
    special = {"toolkit": "toolkit", "toolkit.engine": "face", "toolkit.engine.compose": "compose"}
    if module.startswith("toolkit.sandbox.inside"):
        return "inside"
    return special.get(module) or module.split(".")[1]


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def is_for_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imported(tree: ast.AST, *, later: bool = True) -> Iterator[str]:
    """Our own modules that run-time import statements name; those inside functions, too, unless not `later`."""
    for node in ast.iter_child_nodes(tree):
        if is_for_checkers(node) or (isinstance(node, FUNCTIONS) and not later):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "toolkit")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative imports hide where they point"
            yield from from_import(node)
        yield from imported(node, later=later)


def from_import(node: ast.ImportFrom) -> Iterator[str]:
    source = node.module or ""
    if source.split(".")[0] != "toolkit":
        return
    for alias in node.names:
        inner = f"{source}.{alias.name}"
        yield inner if inner in MODULES else source


def offences(module: str, source: str) -> list[str]:
    own = room(module)
    allowed = MAY_IMPORT[own] | {own}
    return [f"{module} imports {other}" for other in imported(ast.parse(source)) if room(other) not in allowed]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    assert offences(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("toolkit.tools.tool", "from toolkit.runs.effects import Sleep", 1),
        ("toolkit.tools.tool", "def f():\n    import toolkit.engine.model", 1),
        ("toolkit.assistants.plan", "from toolkit.tools.toolset import Toolset", 1),
        ("toolkit.engine.execute", "from toolkit.server import app", 1),
        ("toolkit.engine.execute", "from toolkit.engine.compose import Engine", 1),
        ("toolkit.server.app", "from toolkit.tools import tool", 1),
        ("toolkit.errors", "if TYPE_CHECKING:\n    from toolkit.runs.result import Result", 0),
        (
            "toolkit.engine.compose",
            "from toolkit.server.app import app\nfrom toolkit.engine.execute import Execution",
            0,
        ),
    ],
)
def test_the_check_itself(module: str, source: str, found: int) -> None:
    assert len(offences(module, source)) == found


IMPORT_EACH_ALONE = """
import importlib, os, sys, traceback
import openai, pydantic, typer, rich.console, uvicorn  # paid only once
broken = 0
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, file=sys.stderr)
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    broken += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
sys.exit(broken)
"""


def test_no_imports_go_in_circles() -> None:
    """Where none do, it makes no difference which module is imported first."""
    needed: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        named = set(imported(ast.parse(path.read_text(encoding="utf-8")), later=False))
        packages = {each for each in MODULES for other in named if other.startswith(f"{each}.")}
        needed[module] = {each for each in named | packages if not f"{module}.".startswith(f"{each}.")}
    TopologicalSorter(needed).prepare()  # raises CycleError
    with pytest.raises(CycleError):
        TopologicalSorter({**needed, "toolkit.errors": {"toolkit.tools.tool"}}).prepare()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each module is imported in a fork of one fresh interpreter")
@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_every_module_can_be_imported_first(every: int) -> None:
    command = [sys.executable, "-W", "error", "-c", IMPORT_EACH_ALONE, *list(MODULES)[::every]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def modules_after(source: str) -> set[str]:
    program = f"{source}\nimport sys\nprint(*sys.modules)"
    command = [sys.executable, "-W", "error", "-c", program]
    return set(subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.split())


def test_defining_a_tool_imports_neither_the_client_nor_the_engine() -> None:
    source = "from toolkit import Toolset, tool\n@tool\ndef f(a: int) -> int:\n    'Do it.'\n    return a\nToolset(f)"
    assert modules_after(source).isdisjoint({"openai", "httpx2", "toolkit.engine", "toolkit.runs.drivers", "typer"})
    assert modules_after(source).isdisjoint({"mcp", "toolkit.mcp", "toolkit.openapi", "toolkit.tools.described"})


def test_what_connects_imports_its_package_when_it_does() -> None:
    assert modules_after("import toolkit.mcp, toolkit.cli.mcp").isdisjoint({"mcp", "mcp_types", "starlette"})


@pytest.mark.parametrize("module", ["toolkit.engine.compose", "toolkit.cli.doctor", "toolkit.cli.serve"])
def test_what_only_posix_has_is_imported_where_it_is_used(module: str) -> None:
    hidden = "import sys\nsys.modules.update(dict.fromkeys(['resource', 'pwd', 'grp', 'termios', 'pty'], None))"
    assert module in modules_after(f"import asyncio, subprocess\n{hidden}\nimport {module}")


def test_the_engine_needs_no_extra() -> None:
    assert modules_after("import toolkit.engine.compose").isdisjoint({"uvicorn", "typer", "rich"})
