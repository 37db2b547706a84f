"""Which wall is taken, and what is said where none stands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.sandbox.sessions import LIMITS, bare, every_wall, label, needs_wall, opened, sandboxes
from toolkit.errors import EngineError, SandboxUnavailable
from toolkit.sandbox.root import Root
from toolkit.sandbox.sandbox import Limits
from toolkit.sandbox.walls import Walled, available, walls

pytestmark = needs_wall


class Broken:
    """A wall that does not stand."""

    name = "paper"

    def command(self, plan: int, worker: Sequence[str]) -> Sequence[str]:
        return ("/bin/sh", "-c", "echo it fell over >&2; exit 1")

    def plan(self, root: Root, limits: Limits) -> bytes:
        return b""


class Absent(Broken):
    def command(self, plan: int, worker: Sequence[str]) -> Sequence[str]:
        return ("/no/such/program",)


def test_the_strongest_that_stands_is_taken() -> None:
    sandbox = asyncio.run(available(()))
    assert label(sandbox) == label(sandboxes()[0])
    assert next(own for _, own in walls()) == sandbox.own_uid


@pytest.mark.parametrize(("wall", "said"), [(Broken(), "behind paper: it fell over"), (Absent(), "No such file")])
def test_a_wall_that_does_not_stand_is_an_error(wall: Broken, said: str) -> None:
    sandbox = Walled(wall, bare(), own_uid=False)
    with pytest.raises(SandboxUnavailable, match=said):
        asyncio.run(sandbox.open(LIMITS))
    assert issubclass(SandboxUnavailable, EngineError)


@every_wall
def test_the_kernels_layers_are_told(sandbox: Walled) -> None:
    with opened(sandbox) as desk:
        assert set(desk.session.layers) == {"landlock"}
        assert desk.session.layers["landlock"] >= 0
