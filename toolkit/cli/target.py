"""Find the user's tools: TARGET is `path.py` or `package.module`, with `:name` where needed."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, cast

import typer

from toolkit import Tool, Toolset
from toolkit.cli.mistakes import Mistake
from toolkit.errors import DefinitionError

__all__ = ["AnyTool", "TargetArgument", "one_tool", "toolset_of"]

TargetArgument = Annotated[
    str, typer.Argument(metavar="TARGET", help="path.py or package.module, with :name where there are several.")
]

AnyTool = Tool[..., Any]

NAME = re.compile(r"[A-Za-z0-9_-]+")
"""Variables, and names of tools, which may hold dashes."""


def toolset_of(target: str) -> Toolset:
    """Give the toolset that TARGET names: the one it says, the module's only one, or all the module's tools.

    Raises Mistake, listing what there is.
    """
    place, name = _split(target)
    module = _load(place)
    return _named(module, place, name) if name else _only(module, place)


def one_tool(target: str) -> AnyTool:
    """Give the tool that TARGET names, by variable or by tool name, or the only one. Raises Mistake, listing them."""
    place, name = _split(target)
    module = _load(place)
    found: object = getattr(module, name, None) if name else None
    if isinstance(found, Tool):
        return cast("AnyTool", found)
    tools = found if isinstance(found, Toolset) else _only(module, place)
    if name is not None and name in tools:
        return tools[name]
    if len(tools) == 1 and (name is None or tools is found):
        return next(iter(tools.values()))
    what = f"no tool {name}" if name and tools is not found else f"{len(tools)} tools"
    raise Mistake(f"{place} has {what}. {_choices(place, list(tools))}")


def _split(target: str) -> tuple[str, str | None]:
    place, _, name = target.rpartition(":")
    if len(place) > 1 and NAME.fullmatch(name):  # not the colon of C:\\tools.py
        return place, name
    return target, None


def _load(place: str) -> ModuleType:
    is_path = place.endswith(".py") or Path(place).is_file()
    try:
        return _from_path(Path(place)) if is_path else _from_name(place)
    except Mistake:
        raise
    except DefinitionError as error:
        raise Mistake(f"{place}: {error}") from error
    except SystemExit as error:
        raise Mistake(
            f'{place} ends the program when it is imported. Put what runs under: if __name__ == "__main__":'
        ) from error
    except Exception as error:
        raise Mistake(f"{place} cannot be imported: {type(error).__name__}: {error}{_where(error)}") from error


def _from_path(path: Path) -> ModuleType:
    if not path.is_file():
        raise Mistake(f"There is no file {path}. TARGET is a file or a module: examples/notes.py, my_app.tools")
    sys.path.insert(0, str(path.parent.resolve()))  # as `python path.py` would find the files beside it
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_of_the_command"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Mistake(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look their module up
    spec.loader.exec_module(module)
    return module


def _from_name(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise Mistake(
                f"There is no module {name} here. TARGET is a file or a module: examples/notes.py, my_app.tools"
            ) from error
        raise


def _where(error: Exception) -> str:
    if isinstance(error, SyntaxError):  # it says so itself, and its last frame is the compiler's
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


def _named(module: ModuleType, place: str, name: str) -> Toolset:
    found: object = getattr(module, name, None)
    if isinstance(found, Toolset):
        return found
    if isinstance(found, Tool):
        return Toolset(cast("AnyTool", found))
    if found is None:
        known = [*_every(module, Toolset), *_every(module, Tool)]
        raise Mistake(f"{place} has no {name}. {_choices(place, known)}")
    raise Mistake(f"{place}:{name} is neither a Toolset nor a tool: mark the function with @tool.")


def _only(module: ModuleType, place: str) -> Toolset:
    toolsets: Mapping[str, Toolset] = _every(module, Toolset)
    if len(toolsets) > 1:
        raise Mistake(f"{place} has {len(toolsets)} toolsets. {_choices(place, list(toolsets))}")
    if toolsets:
        return next(iter(toolsets.values()))
    tools: Mapping[str, AnyTool] = _every(module, Tool)
    if not tools:
        raise Mistake(f"{place} has no tools: mark functions with @tool (from toolkit import tool).")
    try:
        return Toolset(*tools.values())
    except DefinitionError as error:
        raise Mistake(f"{place}: {error}") from error


def _every(module: ModuleType, kind: type[Any]) -> dict[str, Any]:
    """The module's objects of a kind, each once, under its first public name."""
    found: dict[int, tuple[str, Any]] = {}
    for name, value in vars(module).items():
        if isinstance(value, kind) and not name.startswith("_"):
            found.setdefault(id(value), (name, value))
    return dict(found.values())


def _choices(place: str, names: list[str]) -> str:
    return f"Say which: {', '.join(f'{place}:{name}' for name in names)}" if names else "It has no tools at all."
