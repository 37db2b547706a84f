"""The processes of a soak: the model, and `toolkit serve` once or twice on one file, killed and started again."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.benchmarks.servers import ROOT, environment

__all__ = ["Model", "Server"]

_TOOLKIT = [sys.executable, "-c", "import sys; from toolkit.cli import main; sys.exit(main())"]


class _Process:
    """A program whose first line is its URL."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start it. Returns when it listens. Raises RuntimeError when it ends instead."""
        process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment())
        self._process = process
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"{' '.join(self._command)} ended with {process.wait()}")

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


class Model(_Process):
    """The model that tells what it was sent."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "tests.soak.model"])


class Server(_Process):
    """`toolkit serve` on a port of its own that it keeps, and the memory it takes (Linux only)."""

    def __init__(self, folder: Path, model: Model) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = ["--store", f"sqlite:///{folder}/soak.db", "--model-url", model.url, "--no-check-model"]
        super().__init__([*_TOOLKIT, "serve", "--port", str(port), *options])

    def mebibytes(self) -> float:
        """Resident memory; 0 where there is no such figure."""
        status = Path(f"/proc/{self.pid}/status")
        if not status.exists():
            return 0.0
        line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
