"""Every layer is found where it is, and missed where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from tests.sandbox.sessions import LIMITS, bare, every_wall, needs_wall, sandboxes, strongest
from toolkit.sandbox.layers import layers
from toolkit.sandbox.root import Root
from toolkit.sandbox.sandbox import Limits
from toolkit.sandbox.walls import Walled

pytestmark = needs_wall

NAMES = [
    *("mnt namespace", "pid namespace", "net namespace", "ipc namespace", "uts namespace", "cgroup namespace"),
    *("user", "capabilities", "no new privileges", "seccomp", "root", "network", "processes", "environment"),
    *("disk", "limits", "Landlock", "memory watch"),
]


@every_wall
def test_all_are_there(sandbox: Walled) -> None:
    found = asyncio.run(layers(sandbox, LIMITS))
    assert {layer.name for layer in found} == {*NAMES, *(() if sandbox.own_uid else ("user namespace",))}
    assert [layer for layer in found if not layer.holds and layer.name != "Landlock"] == []
    assert all(layer.seen for layer in found)


class Without:
    """The strongest wall, without some of what bubblewrap is told."""

    name = "bubblewrap"

    def __init__(self, without: Mapping[bytes, bytes]) -> None:
        self._wall, self._without = strongest().wall, without

    def command(self, plan: int, worker: Sequence[str]) -> Sequence[str]:
        return self._wall.command(plan, worker)

    def plan(self, root: Root, limits: Limits) -> bytes:
        written = self._wall.plan(root, limits)
        for some, other in self._without.items():
            assert some in written
            written = written.replace(some, other)
        return written


@pytest.mark.skipif(strongest().wall.name != "bubblewrap" if sandboxes() else True, reason="bubblewrap is not here")
@pytest.mark.parametrize(
    ("without", "missed"),
    [
        ({b"--unshare-net\0": b""}, {"net namespace", "network"}),
        ({b"--unshare-ipc\0": b""}, {"ipc namespace"}),
        ({b"--unshare-cgroup-try\0": b""}, {"cgroup namespace"}),
        ({b"--setenv\0LANG\0C.UTF-8\0": b"--setenv\0SECRET\0x\0"}, {"environment"}),
        ({b"--tmpfs\0/mnt/data\0": b"--tmpfs\0/mnt/other\0--dir\0/mnt/data\0"}, {"disk"}),
    ],
)
def test_one_that_is_missing_is_missed(without: Mapping[bytes, bytes], missed: set[str]) -> None:
    found = asyncio.run(layers(Walled(Without(without), bare(), own_uid=strongest().own_uid), LIMITS))
    assert {layer.name for layer in found if not layer.holds} == missed
