"""What the seam says: names of files that are safe, whatever was made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.sandbox.sandbox import FileChanged


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.csv", "a.csv"),
        ("folder/a b.csv", "a b.csv"),
        ("..", "file"),
        ("a/", "file"),
        (" ", "file"),
        ("new\nline", "new_line"),
        ("\u202etxt.exe", "_txt.exe"),
        ("\udcff.bin", "?.bin"),
        ("ä€.txt", "ä€.txt"),
    ],
)
def test_names_are_safe(path: str, name: str) -> None:
    assert FileChanged(path, 1).name == name


@given(st.text(st.characters()))
def test_every_name_can_be_stored(path: str) -> None:
    name = FileChanged(path, 1).name
    assert name.strip(". ")
    assert len(name) <= 200
    assert "/" not in name
    assert name.isprintable()
    assert name.encode()
