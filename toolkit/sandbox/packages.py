"""Which installed packages a session can import: those of the `[sandbox]` extra and what they need, and no others.

The engine's own packages are beside them in the same folder, so the folder is never shown; only what a package's list
of files says is the package's.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["OURS", "Part", "extra", "parts"]

OURS: Final = "assistants-toolkit"
_EXTRA: Final = "sandbox"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_IMPORTED: Final = frozenset({"", "/", ".", "..", "bin", "__pycache__", "share", "etc"})
"""First parts of paths; the first four would be a folder that holds what is not the package's."""


class Part(NamedTuple):
    """A file or folder of a package, as it stands in site-packages."""

    name: str
    path: Path


def extra() -> Sequence[str]:
    """Name the packages of the `[sandbox]` extra, whether they are installed or not."""
    try:
        needed = distribution(OURS).requires or ()
    except PackageNotFoundError:
        return ()
    marked = re.compile(rf"extra\s*==\s*['\"]{_EXTRA}['\"]")
    return [name for each in needed if marked.search(each) for name in _NAME.findall(each)[:1]]


def parts(names: Iterable[str]) -> Sequence[Part]:
    """List what some packages and those they need consist of, as far as they are installed."""
    found: dict[str, Part] = {}
    for each in _closure(names):
        for name in _top(each):
            path = Path(str(each.locate_file(name)))
            if path.exists():
                found[name] = Part(name, path.resolve())
    return tuple(found.values())


def _closure(names: Iterable[str]) -> Iterator[Distribution]:
    """Give packages and all that they need without extras."""
    left, seen = list(names), set[str]()
    while left:
        name = re.sub(r"[-_.]+", "-", left.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another machine or Python, or not installed
        yield found
        left += [each for need in found.requires or () if "extra" not in need for each in _NAME.findall(need)[:1]]


def _top(package: Distribution) -> Sequence[str]:
    listed = package.read_text("RECORD")
    if listed is None:  # installed by something else than a wheel
        names = dict.fromkeys(file.parts[0] for file in package.files or ())
    else:  # read here, since `files` makes a path of each of thousands
        names = dict.fromkeys(row[0].partition("/")[0] for row in csv.reader(listed.splitlines()) if row)
    return [name for name in names if name not in _NOT_IMPORTED]
