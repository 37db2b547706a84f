"""Which sandbox is used: a wall unless something else is asked for, by name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.sandbox.sessions import label, needs_wall, sandboxes
from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.choice import chosen
from toolkit.sandbox.unconfined import Unconfined
from toolkit.sandbox.walls import Walled


@needs_wall
def test_a_wall_when_nothing_is_said() -> None:
    sandbox = asyncio.run(chosen(packages=()))
    assert isinstance(sandbox, Walled)
    assert label(sandbox) == label(sandboxes()[0])


def test_none_at_all_for_who_asks_for_it() -> None:
    sandbox = asyncio.run(chosen(unsafe=True, packages=()))
    assert isinstance(sandbox, Unconfined)
    assert sandbox.name == "no wall at all"


def test_not_both() -> None:
    with pytest.raises(SandboxUnavailable, match="--unsafe-code-interpreter"):
        asyncio.run(chosen(unsafe=True, image="image"))


def test_containers_are_never_replaced_by_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="Docker or Podman"):
        asyncio.run(chosen(image="image"))


def test_no_wall_is_no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(SandboxUnavailable) as raised:
        asyncio.run(chosen())
    assert "--sandbox-image" in str(raised.value)
    assert "--unsafe-code-interpreter" in str(raised.value)
