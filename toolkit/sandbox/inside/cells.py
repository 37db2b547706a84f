"""One piece of code as a notebook runs it: its last expression is shown, and its errors are told without our frames."""

from __future__ import annotations

import ast
import linecache
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, cast

__all__ = ["FILES", "TimeUp", "png_of", "run_cell", "told"]

FILES: Final = "/mnt/data"
_LONGEST: Final = 20_000
_CELL: Final = "<cell "


class TimeUp(BaseException):
    """The code ran for longer than it may. No `except Exception` of the code's keeps it."""

    __module__ = "builtins"  # so that tracebacks name it without our folders


class _Moved(ast.NodeTransformer):
    """Says another folder in texts, wherever they say /mnt/data."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str) and FILES in node.value:
            return ast.copy_location(ast.Constant(node.value.replace(FILES, self._folder)), node)
        return node


def run_cell(code: str, number: int, names: dict[str, Any], show: Callable[[Any], None], folder: str = FILES) -> None:
    """Run code among names; `show` gets the value of a last expression that is not None. Raises what it does.

    Where /mnt/data is another folder, texts in the code that say the one mean the other.
    """
    name = f"{_CELL}{number}>"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    tree = ast.parse(code, name)
    if folder != FILES:
        _Moved(folder).visit(tree)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) and not _is_quiet(code) else None
    exec(compile(tree, name, "exec", dont_inherit=True), names)  # noqa: S102 - it is what this is for
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), names)  # noqa: S307
        if value is not None:
            names["_"] = value
            show(value)


def _is_quiet(code: str) -> bool:
    """Whether code ends in a semicolon, which in notebooks says that its value is not to be shown."""
    return code.rstrip().endswith(";")


def told(error: BaseException) -> str:
    """Tell of an error as Python does, from the first frame of the code's own on."""
    try:
        shown = traceback.TracebackException(type(error), error, _own(error.__traceback__), compact=True)
        text = "".join(shown.format())
    except Exception:  # an exception whose text raises
        text = f"{type(error).__name__}\n"
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}\n...\n{text[-_LONGEST // 2 :]}"
    return text.rstrip("\n")


def _own(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and not frames.tb_frame.f_code.co_filename.startswith(_CELL):
        frames = frames.tb_next
    return frames


def png_of(value: Any) -> bytes | None:
    """Give the picture that a value says it is, if it does (`_repr_png_`, as in notebooks)."""
    make = getattr(cast("object", type(value)), "_repr_png_", None)
    if make is None:
        return None
    png = make(value)
    return png if isinstance(png, bytes) else None
