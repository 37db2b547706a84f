"""What the user's files are called in a session: by their names, made safe and different from each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

__all__ = ["names_of"]

_LONGEST_BYTES: Final = 200


def names_of(files: Sequence[tuple[str, str]], taken: Collection[str] = ()) -> Mapping[str, str]:
    """Give each file, as (id, file name), a name that is not taken: `sales.csv`, then `sales-2.csv`. Id -> name."""
    used = {*taken, *(file_id for file_id, _ in files)}
    names: dict[str, str] = {}
    for file_id, filename in files:
        if file_id not in names:
            names[file_id] = _free(_safe(filename), used)
            used.add(names[file_id])
    return names


def _safe(filename: str) -> str:
    shown = "".join(each if each.isprintable() and each not in "/\\" else "_" for each in filename).strip()
    path = PurePosixPath(shown.lstrip(".") or "file")
    suffix = path.suffix if len(path.suffix.encode()) <= _LONGEST_BYTES // 4 else ""
    stem = path.name[: len(path.name) - len(suffix)].encode()[: _LONGEST_BYTES - len(suffix.encode())]
    return f"{stem.decode(errors='ignore')}{suffix}" or "file"


def _free(name: str, used: Collection[str]) -> str:
    path = PurePosixPath(name)
    found, number = name, 2
    while found in used:
        found, number = f"{path.stem}-{number}{path.suffix}", number + 1
    return found
