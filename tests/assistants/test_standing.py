"""Every cell of the table: what we want, what is there, what we put there last."""

from __future__ import annotations

import pytest

from toolkit.assistants.standing import Kind, settled, standing, who_did

ONE, TWO, THREE = "one", "two", "three"


@pytest.mark.parametrize(
    ("ours", "theirs", "recorded", "kind"),
    [
        (None, None, None, None),
        (None, None, ONE, None),  # gone on both sides
        (None, ONE, None, None),  # others'
        (None, ONE, ONE, "remove"),
        (None, ONE, TWO, "conflict"),
        (ONE, None, None, "add"),
        (ONE, None, ONE, "conflict"),
        (ONE, None, TWO, "conflict"),
        (ONE, ONE, ONE, None),
        (ONE, ONE, None, "adopt"),
        (ONE, ONE, TWO, "adopt"),
        (ONE, TWO, TWO, "change"),
        (ONE, TWO, None, "conflict"),
        (ONE, TWO, ONE, "conflict"),
        (ONE, TWO, THREE, "conflict"),
    ],
)
def test_each_cell(ours: str | None, theirs: str | None, recorded: str | None, kind: Kind | None) -> None:
    assert standing(ours, theirs, recorded) == kind


def test_what_makes_theirs_ours() -> None:
    assert [settled(ONE, None), settled(None, ONE), settled(ONE, TWO)] == ["add", "remove", "change"]


def test_what_others_did() -> None:
    assert who_did(None, ONE) == "somebody else took it off"
    assert who_did(TWO, ONE) == "somebody else changed it"
    assert who_did(TWO, None) == "somebody else's function has this name"
