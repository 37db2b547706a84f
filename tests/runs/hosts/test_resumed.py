from __future__ import annotations

import pytest

from toolkit.runs.hosts.assistants import Assistants
from toolkit.runs.hosts.chat import Completions
from toolkit.runs.hosts.responses import Chain
from toolkit.runs.hosts.resumed import resumed
from toolkit.runs.hosts.sessions import Turns
from toolkit.runs.pending import Pending


def test_what_a_run_left_says_where_it_lives() -> None:
    assert resumed("resume", "k", Pending("run_1", "thread_1"), "new_run") == Assistants(
        "k", "thread_1", "run_1", on_expiry="new_run"
    )
    for kind, host in (("chat.run", Completions), ("responses.run", Chain), ("sessions.run", Turns)):
        found = resumed("resume", "k", Pending("run_1", "", state={"object": kind, "id": "run_1"}), "raise")
        assert type(found) is host
        assert found.picked_up and found.run == {"object": kind, "id": "run_1"}


def test_streams_stay_streams() -> None:
    pending = Pending("run_1", "", state={"object": "chat.run"})
    assert resumed("resume_stream", "k", pending, "raise") == Completions({"object": "chat.run"}, True, True)
    assert resumed("resume", "k", pending, "raise") == Completions({"object": "chat.run"}, False, True)


def test_what_is_not_known() -> None:
    with pytest.raises(ValueError, match="of the kind 'other'"):
        resumed("resume", "k", Pending("run_1", "", state={"object": "other"}), "raise")
