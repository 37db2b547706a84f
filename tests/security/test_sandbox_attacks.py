"""Attacks from inside a session: each is shown to have run, and to have got nothing.

Those that leave the session as it is are made one after the other in the same session, which is looked after at the
end; what ends a session is in `test_sandbox_endings.py`.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.sandbox.sessions import Desk, label, needs_wall, opened, sandboxes
from tests.security.attacks import ATTACKS, BOMBS, PRELUDE, Attack
from toolkit.sandbox.walls import Walled

pytestmark = needs_wall

MARK = "the-secret-of-the-host"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What there is outside to be reached, and whether it was."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "secret").write_text(MARK)
    (folder / "secret").chmod(0o644)
    victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={"SECRET": MARK})
    os.environ["A_SECRET_OF_TESTS"] = MARK
    path, abstract = str(folder / "unix"), f"\0{folder}"
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as by_path,
        socket.socket(socket.AF_UNIX) as by_name,
    ):
        udp.bind(("127.0.0.1", 0))
        by_path.bind(path)
        by_name.bind(abstract)
        for listening in (tcp, by_path, by_name):
            listening.listen()
        for each in (tcp, udp, by_path, by_name):
            each.setblocking(False)
        packages = Path(toolkit.__file__).parent.parent
        yield {
            "secret": str(folder / "secret"),
            "mark": MARK,
            "victim": victim.pid,
            "engine": os.getpid(),
            "code": toolkit.__file__,
            "packages": str(packages),
            "tcp": tcp.getsockname(),
            "udp": udp.getsockname(),
            "unix": path,
            "abstract": abstract,
        }
        assert victim.poll() is None
        for listening in (tcp, by_path, by_name):
            with pytest.raises(BlockingIOError):
                listening.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(10)
    del os.environ["A_SECRET_OF_TESTS"]
    victim.communicate(b"\n")


@pytest.fixture(scope="module", params=sandboxes(), ids=label)
def desk(request: pytest.FixtureRequest, host: dict[str, Any]) -> Iterator[Desk]:
    """A session that attackers have taken over."""
    sandbox: Walled = request.param
    with opened(sandbox) as desk:
        assert desk.run(f"{PRELUDE}\nHOST = {host!r}") == []
        yield desk
        assert desk.said("6 * 7") == "42"
    assert not os.path.exists(f"/proc/{desk.session.pid}")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_it_was_made_and_got_nothing(desk: Desk, attack: Attack) -> None:
    if attack in BOMBS and os.getuid() == 0 and not desk.own_uid:
        pytest.skip("no limit on processes holds for the machine's root: no sandbox that is used maps to it")
    said = desk.said(attack.code)
    assert re.search(attack.answer, said), said
    assert "ESCAPED" not in said
    assert MARK not in said


def test_there_are_many() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) > 100
