"""What the program that builds the wall is told. That it holds is shown in tests/security."""

from __future__ import annotations

import json
import os
import sys

from tests.sandbox.sessions import LIMITS
from toolkit.sandbox.namespaces import Namespaces
from toolkit.sandbox.root import Bind, Root

ROOT = Root((Bind("/host/lib", "/python/lib"),), ("/python/lib/site-packages",))


def test_the_plan_has_all_that_is_to_be_built() -> None:
    said = json.loads(Namespaces(own_uid=False).plan(ROOT, LIMITS))
    assert said["binds"] == [["/host/lib", "/python/lib"]]
    assert said["folders"] == ["/mnt", "/python"]
    assert said["empty"] == ["/python/lib/site-packages"]
    assert said["writable"]["/mnt/data"] == LIMITS.disk_bytes
    assert said["files"] == LIMITS.files
    assert said["own_uid"] is False
    assert "null" in said["devices"]


def test_the_command_runs_this_python_alone() -> None:
    program, *options = Namespaces(own_uid=True).command(7, ("/python/bin/python", "x"))
    assert program == os.path.realpath(sys.executable)
    assert options[:3] == ["-I", "-S", "-B"]
    assert options[-3:] == ["7", "/python/bin/python", "x"]
