"""Attacks from inside a session: each is shown to have run, and to have got nothing.

Those that leave the session as it is are made one after the other in the same session, which is looked after at the
end; what ends a session is in `test_sandbox_endings.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sessions import Desk, label, needs_wall, opened, sandboxes
from tests.security.attacks import ATTACKS, BOMBS, PRELUDE, Attack
from tests.security.hosts import MARK, attacked
from toolkit.sandbox.walls import Walled

pytestmark = needs_wall


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What there is outside to be reached, and whether it was."""
    with attacked(tmp_path_factory.mktemp("host")) as host:
        yield host


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
