"""Environments of other people's clients: installed once, by version, beside the user's other caches.

Nothing of this project is in them, and nothing of them in this project's own environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

__all__ = ["NotInstalled", "node_modules", "python"]

_INSTALL_S = 1200


class NotInstalled(Exception):
    """A client cannot be had on this machine; the text says why, in a line."""


def python(requirements: Sequence[str]) -> Path:
    """Give the interpreter of an environment that has these packages of PyPI.

    Raises:
        NotInstalled: They cannot be had here.
    """

    def make(folder: Path) -> None:
        venv.create(folder, symlinks=True)
        interpreter = str(_interpreter(folder))
        pip = [sys.executable, "-m", "pip", "--python", interpreter, "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", "--no-compile", *requirements], folder)

    return _interpreter(_made(requirements, [sys.version, sys.base_prefix], make))


def node_modules(packages: Sequence[str]) -> Path:
    """Give a folder `node_modules` that has these packages of npm.

    Raises:
        NotInstalled: They cannot be had here, or Node.js is not.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotInstalled("node and npm are not here")

    def make(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}')
        _run([npm, "install", "--no-audit", "--no-fund", "--no-package-lock", *packages], folder)

    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    return _made(packages, [version], make) / "node_modules"


def _made(names: Sequence[str], on: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Give the folder that holds `names` as installed `on` this interpreter, and make it if it is not there.

    One process makes it and the others wait. What a process that died left half made is made anew.
    """
    digest = hashlib.sha256(json.dumps([*names, *on]).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assistants-toolkit" / "clients"
    folder = cache / f"{re.sub(r'[^A-Za-z0-9.]+', '-', names[0]).strip('-')}-{digest}"
    stamp = folder / "installed.json"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            stamp.write_text(json.dumps([*names]))
    return folder


def _interpreter(folder: Path) -> Path:
    return folder / "bin" / "python"


def _run(command: Sequence[str], folder: Path) -> None:
    run = partial(subprocess.run, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    try:
        done = run(command, timeout=_INSTALL_S)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"not within {_INSTALL_S} s") from None
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower() and "complete log" not in line]
        raise NotInstalled(said[-1] if said else f"{command[0]} ended with {done.returncode}")
