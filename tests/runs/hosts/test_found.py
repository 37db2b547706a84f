from __future__ import annotations

from email.utils import formatdate

import pytest

from toolkit.runs.effects import Reply
from toolkit.runs.hosts.found import made_since_start


@pytest.mark.parametrize(("created_at", "is_ours"), [(1_000, True), (998, True), (997, False)])
def test_by_the_clock_of_the_server(created_at: int, is_ours: bool) -> None:
    reply = Reply(200, headers={"date": formatdate(1_000, usegmt=True)}, elapsed_s=1.5)
    assert made_since_start(created_at, reply) is is_ours


def test_without_a_clock_it_is_taken_for_an_older_one() -> None:
    for headers in ({}, {"date": "yesterday"}):
        assert not made_since_start(1_000, Reply(200, headers=headers))
