"""Containers for tests: an image of this machine's own Python, made without fetching anything."""

from __future__ import annotations

import asyncio
import io
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.sandbox.sessions import LIMITS, bare
from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.containers import Containers, Runner, runners
from toolkit.sandbox.root import PYTHON, Root

__all__ = ["IMAGE", "RUNNERS", "container"]

IMAGE = "toolkit-sandbox-test"
RUNNERS = ("docker", "docker with runsc", "podman")
_LEFT_OUT = ("__pycache__", "site-packages", "/test/", "/config-", "idlelib", "ensurepip")
_NEEDED = ("PATH=/python/bin", "LD_LIBRARY_PATH=/python/lib")


@cache
def container(name: str) -> tuple[Containers | None, str]:
    """Give containers of a kind, or why there are none here."""
    runner = {each.name: each for each in runners()}.get(name)
    if runner is None:
        return None, f"{name} is not here"
    try:
        if not _said(runner, "images", "--quiet", IMAGE):
            _make(runner, bare())
        sandbox = Containers(runner, IMAGE)
        asyncio.run(_tried(sandbox))
    except (OSError, subprocess.SubprocessError, SandboxUnavailable) as error:
        return None, f"{name} does not run here: {error}"
    return sandbox, ""


async def _tried(sandbox: Containers) -> None:
    await (await sandbox.open(LIMITS)).aclose()


def _said(runner: Runner, *arguments: str, given: bytes = b"") -> bytes:
    command = [runner.program, *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True, timeout=300).stdout


def _make(runner: Runner, root: Root) -> None:
    changes: Sequence[str] = [each for need in _NEEDED for each in ("--change", f"ENV {need}")]
    _said(runner, "import", *changes, "-", IMAGE, given=_tar(root))


def _tar(root: Root) -> bytes:
    made = io.BytesIO()
    links: Mapping[str, str] = {f"{PYTHON.removeprefix('/')}3": Path(PYTHON).name}
    with tarfile.open(fileobj=made, mode="w", dereference=True) as tar:
        for bind in root.binds:
            if not bind.target.startswith("/worker"):
                tar.add(bind.source, bind.target, filter=_wanted)
        for name, target in links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return made.getvalue()


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if any(each in f"{member.name}/" for each in _LEFT_OUT) else member
