"""What bubblewrap is told. That it holds is shown in tests/security."""

from __future__ import annotations

from tests.sandbox.sessions import LIMITS
from toolkit.sandbox.bubblewrap import Bubblewrap
from toolkit.sandbox.root import Bind, Root

ROOT = Root((Bind("/host/lib", "/python/lib"), Bind("/host/p", "/packages/p")), ("/python/lib/site-packages",))


def plan(*, own_uid: bool) -> list[str]:
    *arguments, end = Bubblewrap("/usr/bin/bwrap", own_uid=own_uid).plan(ROOT, LIMITS).decode().split("\0")
    assert end == ""
    return arguments


def test_the_command_says_nothing_of_what_it_is_told() -> None:
    command = Bubblewrap("/usr/bin/bwrap", own_uid=True).command(7, ("/python/bin/python", "-c", "x"))
    assert command == ("/usr/bin/bwrap", "--args", "7", "--", "/python/bin/python", "-c", "x")


def test_what_is_seen_is_read_only_and_what_is_written_has_a_size() -> None:
    said = plan(own_uid=True)
    at = said.index("/host/lib")
    assert said[at - 1 : at + 2] == ["--ro-bind", "/host/lib", "/python/lib"]
    assert "--bind" not in said
    for place, argument in enumerate(said):
        if argument == "--tmpfs":
            assert said[place - 2] == "--size"
    assert said[-6:] == ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/mnt/data"]
    assert said.index("/python/lib/site-packages") > at  # it covers what is in there


def test_a_user_of_its_own_or_a_user_namespace() -> None:
    own, mapped = plan(own_uid=True), plan(own_uid=False)
    assert "--unshare-user" not in own
    assert [own[place + 1] for place, argument in enumerate(own) if argument == "--cap-add"] == [
        "CAP_SETUID",
        "CAP_SETGID",
    ]
    assert "--unshare-user" in mapped
    assert "--cap-add" not in mapped
    for said in (own, mapped):
        assert said[said.index("--cap-drop") + 1] == "ALL"
        assert {"--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent"} <= set(said)
        assert not any(argument.startswith("--share") for argument in said)
