"""A program that runs tools and dies: at any moment that it, its journal or its client come by."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.runs.journal import JournalStore

__all__ = ["Effects", "Mortal", "MortalStore"]


class Mortal:
    """Counts the moments of a life, and kills this process at the `point`-th (from 1; 0: never)."""

    def __init__(self, point: int = 0) -> None:
        self._point = point
        self.moments: list[str] = []

    def comes_by(self, moment: str) -> None:
        self.moments.append(moment)
        if len(self.moments) == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    async def acomes_by(self, moment: str) -> None:
        self.comes_by(moment)


class MortalStore:
    """A journal's store that comes by before and behind each write."""

    def __init__(self, inner: JournalStore, mortal: Mortal) -> None:
        self._inner, self._mortal = inner, mortal

    def add(self, run_id: str, key: str, data: str) -> bool:
        self._mortal.comes_by(f"before {key}")
        added = self._inner.add(run_id, key, data)
        self._mortal.comes_by(f"behind {key}")
        return added

    def read(self, run_id: str) -> Mapping[str, str]:
        return self._inner.read(run_id)

    def runs(self) -> Sequence[str]:
        return self._inner.runs()

    def forget(self, run_id: str) -> None:
        self._mortal.comes_by("before forgetting")
        self._inner.forget(run_id)
        self._mortal.comes_by("behind forgetting")


class Effects:
    """What the tools have done to the world: lines of a file, each on the disk when it is written."""

    def __init__(self, path: Path, mortal: Mortal | None = None) -> None:
        self._path, self._mortal = path, mortal or Mortal()

    def happen(self, tool: str, key: str) -> None:
        self._mortal.comes_by(f"before the effect of {tool}")
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{json.dumps([tool, key])}\n".encode())
        os.fsync(file)
        os.close(file)
        self._mortal.comes_by(f"behind the effect of {tool}")

    def read(self) -> list[list[Any]]:
        lines = self._path.read_text("utf-8").splitlines() if self._path.exists() else []
        return [json.loads(line) for line in lines]
