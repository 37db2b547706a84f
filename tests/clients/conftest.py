"""Programs of other people's clients, run against `toolkit serve` as they are: only the address and the key are new."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_serve import serve
from tests.clients.catalogue import Client
from tests.clients.environments import NotInstalled, node_modules, python
from tests.clients.model import serving_model

PROGRAMS = Path(__file__).parent / "programs"
KEY = "sk-of-clients"
_RUN_S = 180

Facts = dict[str, Any]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("OPENAI_", "AZURE_", "TOOLKIT_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serve a store that asks for a key, with a model whose answers are known; give the address without /v1."""
    store = f"sqlite:///{tmp_path}/store.db"
    with serving_model() as model, serve("--store", store, "--model-url", model, TOOLKIT_API_KEYS=KEY) as serving:
        yield serving.url.removesuffix("/v1")


@pytest.fixture
def tell(tmp_path: Path) -> Callable[..., Facts]:
    """Run the program of a client to its end, and give the facts it told: `tell(client, NAME="of its environment")`."""

    def run(client: Client, **environment: str) -> Facts:
        done = subprocess.run(
            _command(client, tmp_path),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=_RUN_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
        facts = dict(told)
        assert len(facts) == len(told), "each fact is told once"
        return facts

    return run


def _command(client: Client, folder: Path) -> list[str]:
    """Say how the program of a client is run; modules of Node.js are looked for beside the program."""
    program = PROGRAMS / client.program
    try:
        if not client.is_node:
            return [str(python(client.requirements)), str(program)]
        (folder / "node_modules").symlink_to(node_modules(client.requirements))
    except NotInstalled as error:
        if not client.slow and not client.is_node:  # CI has PyPI
            raise
        pytest.skip(f"{client} cannot be installed here: {error}")
    return ["node", str(shutil.copy(program, folder))]
