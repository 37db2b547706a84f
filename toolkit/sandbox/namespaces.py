"""The wall by the kernel's own calls, for machines without bubblewrap: a program of ours builds it (`building.py`)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from toolkit.sandbox.root import DEVICES, Root, environment, sizes
from toolkit.sandbox.sandbox import Limits

__all__ = ["Namespaces"]

_BUILD: Final = (
    "import json, os, sys; file = os.fdopen(int(sys.argv[1])); plan = json.load(file); file.close(); "
    "sys.path.insert(0, plan['ours']); from toolkit.sandbox.inside.building import build; build(plan, sys.argv[2:])"
)
_OURS: Final = str(Path(__file__).resolve().parent.parent.parent)


class Namespaces:
    """Writes the plan of the wall; `own_uid` as bubblewrap's."""

    name = "namespaces"

    def __init__(self, *, own_uid: bool) -> None:
        self._own_uid = own_uid

    def command(self, plan: int, worker: Sequence[str]) -> Sequence[str]:
        """Give the command; `plan` is the descriptor to read the plan from, which no list of processes shows."""
        return (os.path.realpath(sys.executable), "-I", "-S", "-B", "-c", _BUILD, str(plan), *worker)

    def plan(self, root: Root, limits: Limits) -> bytes:
        """Write the plan."""
        said = {
            "ours": _OURS,
            "own_uid": self._own_uid,
            "binds": [[bind.source, bind.target] for bind in root.binds],
            "folders": root.folders,
            "empty": root.empty,
            "hidden": root.hidden,
            "devices": DEVICES,
            "writable": sizes(limits),
            "files": limits.files,
            "environment": environment(),
        }
        return json.dumps(said).encode()
