"""One container from outside: what it takes, and its end. What holds it is in `containers.py`."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from pathlib import Path
from typing import Final

from toolkit.sandbox.watch import Usage, usage

__all__ = ["Contained", "bytes_of", "run"]

_ASKED_S: Final = 20.0
_LOOK_S: Final = 10.0
_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE: Final = re.compile(r"([\d.]+)\s*([kmg]?i?)b", re.IGNORECASE)
_STATS: Final = "{{.MemUsage}};{{.CPUPerc}}"


class Contained:
    """A container by its name, and the program that runs it."""

    def __init__(self, program: str, name: str) -> None:
        self._program, self._name = program, name
        self._pid: int | None = None
        self._seen = Usage(0, 0, 0)
        self._seen_at = time.monotonic() - _LOOK_S

    def usage(self, _: int, enough_bytes: int) -> Usage:
        """Look at what it takes: as at any process where those of containers are seen, else by asking."""
        if self._pid is None:
            self._pid = self._first()
        if self._pid:
            return usage(self._pid, enough_bytes)
        now = time.monotonic()
        if now - self._seen_at >= _LOOK_S:
            self._seen = self._asked(now - self._seen_at)
            self._seen_at = now
        return self._seen

    async def remove(self) -> None:
        """End it, whatever it does, and leave nothing of it."""
        await run(self._program, "kill", self._name)  # Podman's `rm` would let it take its time
        await run(self._program, "rm", "--force", self._name)

    def _first(self) -> int:
        """Give its first process; 0 when that is on another machine, or in a virtual one."""
        said = self._ask("inspect", "--format", "{{.State.Pid}}", self._name)
        try:
            pid = int(said)
            return pid if b"toolkit.sandbox.inside.first" in Path(f"/proc/{pid}/cmdline").read_bytes() else 0
        except (OSError, ValueError):
            return 0

    def _asked(self, since_s: float) -> Usage:
        memory, _, processor = self._ask("stats", "--no-stream", "--format", _STATS, self._name).partition(";")
        share = re.match(r"[\d.]+", processor)
        used_s = float(share[0]) / 100 * since_s if share else 0
        return Usage(bytes_of(memory), 0, self._seen.cpu_s + used_s)

    def _ask(self, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - names of ours
                [self._program, *arguments], capture_output=True, timeout=_ASKED_S, text=True, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip()


def bytes_of(said: str) -> int:
    """Read the first size in what an engine says, as "12.3MiB / 2GiB"; 0 without one."""
    found = _SIZE.search(said)
    return int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0


async def run(*command: str) -> str:
    """Run a command, and give what it says; nothing when it fails or takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(_ASKED_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return said.decode("utf-8", "replace")
