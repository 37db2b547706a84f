"""Which user a session becomes, and what is given up."""

from __future__ import annotations

import os

import pytest

from toolkit.kernel.calls import machine
from toolkit.kernel.privileges import become, drop_capabilities, gain_no_privileges, own_uid


@pytest.mark.parametrize(
    ("uid_map", "least", "most"),
    [
        ("         0          0 4294967295\n", 1_879_048_192, 2_013_265_919),  # no user namespace
        ("         0     100000      65536\n", 60_000, 65_535),  # root in a container without privileges
        ("         0       1000          1\n         1     100000      65536\n", 60_000, 65_536),
    ],
)
def test_it_is_one_that_nobody_else_has(uid_map: str, least: int, most: int) -> None:
    assert own_uid(uid_map, lambda _: 0) == least
    assert own_uid(uid_map, lambda many: many - 1) == most


@pytest.mark.parametrize("uid_map", ["", "         0       1000          1\n", "         0     100000      50000\n"])
def test_there_may_be_none(uid_map: str) -> None:
    assert own_uid(uid_map, lambda _: 0) is None


@pytest.mark.skipif(machine() is None or os.getuid() != 0, reason="who is nobody else cannot become somebody else")
def test_nothing_comes_back() -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            gain_no_privileges()
            become(1_900_000_000)
            drop_capabilities()
            with open("/proc/thread-self/status") as file:
                said = dict(line.split(":\t") for line in file if line.startswith(("Uid", "Groups", "CapE", "NoNew")))
            os.write(writing, repr({name: value.split() for name, value in said.items()}).encode())
            os.setuid(0)
        except PermissionError:
            os.write(writing, b"refused")
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as file:
        said = file.read()
    assert said.endswith("refused")
    assert "'Uid': ['1900000000', '1900000000', '1900000000', '1900000000']" in said
    assert "'Groups': []" in said
    assert "'CapEff': ['0000000000000000']" in said
    assert "'NoNewPrivs': ['1']" in said
