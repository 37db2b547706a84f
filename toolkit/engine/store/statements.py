"""The named SQL statements of `queries/*.sql`, and the numbered migrations of `migrations/<database>/`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

__all__ = ["migrations", "statements"]

_HERE = files("toolkit.engine.store")
_NAME = re.compile(r"^-- name: (\S+)[^\n]*$", re.MULTILINE)


@cache
def statements() -> dict[str, str]:
    """Every statement by its name (`thread.get`); a name stands once over all files."""
    found: dict[str, str] = {}
    for file in _HERE.joinpath("queries").iterdir():
        if not file.name.endswith(".sql"):
            continue
        parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, sql in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"statement {name} stands twice, again in {file.name}")
            found[name] = _bare(sql)
    return found


@cache
def migrations(database: str) -> tuple[tuple[int, str], ...]:
    """The migrations of one kind of database, (number, script) in order; numbers start at 1 and have no gap."""
    folder = _HERE.joinpath("migrations", database)
    scripts = sorted((int(file.name[:4]), file) for file in folder.iterdir() if file.name.endswith(".sql"))
    if [number for number, _ in scripts] != list(range(1, len(scripts) + 1)):
        raise ValueError(f"the migrations of {database} are not numbered 0001, 0002, ...")
    return tuple((number, file.read_text(encoding="utf-8")) for number, file in scripts)


def _bare(sql: str) -> str:
    """Strip comment lines, blank lines and the closing semicolon: what is left is prepared over and over."""
    lines = (line for line in sql.splitlines() if line.strip() and not line.lstrip().startswith("--"))
    return "\n".join(lines).strip().removesuffix(";")
