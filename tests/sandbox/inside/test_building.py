"""What the program that builds a wall does when it cannot."""

from __future__ import annotations

import asyncio

import pytest

from tests.sandbox.sessions import LIMITS, bare, needs_wall, strongest
from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.namespaces import Namespaces
from toolkit.sandbox.root import Bind, Root
from toolkit.sandbox.walls import Walled

pytestmark = needs_wall


def test_what_cannot_be_mounted_is_named() -> None:
    root = Root((*bare().binds, Bind("/no/such/folder", "/python/x")), ())
    sandbox = Walled(Namespaces(own_uid=strongest().own_uid), root, own_uid=strongest().own_uid)
    with pytest.raises(SandboxUnavailable, match="mounting /new/python/x: No such file or directory"):
        asyncio.run(sandbox.open(LIMITS))
