"""The packages whose documentation is searched, and what the rankings need: of PyPI, pinned, kept beside other caches.

Those of `wheels.txt` are installed in an environment of their own; of those of `sdists.txt`, whose wheels have no
documentation, the source is unpacked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.clients import environments

__all__ = ["CACHE", "installed", "unpacked"]

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assistants-toolkit" / "search"
_HERE: Final = Path(__file__).parent
_DOWNLOAD_S: Final = 600


def installed() -> Path:
    """Give the folder that holds what is installed, for this interpreter. Raises NotInstalled."""
    interpreter = environments.python([*_pinned("wheels.txt"), "--no-deps"])
    return next(interpreter.parent.parent.glob("lib/python*/site-packages"))


def unpacked(name: str) -> Path:
    """Give the folder that holds the source of a package."""
    pinned = next(line for line in _pinned("sdists.txt") if line.startswith(f"{name}=="))
    folder = CACHE / pinned.replace("==", "-")
    if not folder.exists():
        half = CACHE / f"{folder.name}.half"
        shutil.rmtree(half, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        command = [*pip, "--no-deps", "--no-binary", ":all:", "--dest", str(half), pinned]
        subprocess.run(command, check=True, timeout=_DOWNLOAD_S)
        with tarfile.open(next(half.glob("*.tar.gz"))) as archive:
            archive.extractall(half, filter="data")
        half.rename(folder)
    return next(path for path in folder.iterdir() if path.is_dir())


def _pinned(name: str) -> Sequence[str]:
    return [line for line in (_HERE / name).read_text().splitlines() if line]
