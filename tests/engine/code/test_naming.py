from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.code.naming import names_of


def test_names_are_kept_and_clashes_get_a_number() -> None:
    files = [("f1", "a.csv"), ("f2", "a.csv"), ("f3", "a-2.csv"), ("f4", "b"), ("f1", "again")]
    assert names_of(files, {"b"}) == {"f1": "a.csv", "f2": "a-2.csv", "f3": "a-2-2.csv", "f4": "b-2"}


def test_no_name_is_the_id_of_another_file() -> None:
    assert names_of([("file-1", "x"), ("file-2", "file-1")]) == {"file-1": "x", "file-2": "file-1-2"}


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=8))
def test_names_are_safe_and_different(files: list[tuple[str, str]]) -> None:
    names = names_of(files)
    assert names.keys() == {file_id for file_id, _ in files}
    assert len(set(names.values())) == len(names)
    for name in names.values():
        assert name not in ("", ".", "..")
        assert "/" not in name
        assert "\\" not in name
        assert name.isprintable()
        assert not name.startswith(".")
        assert len(name.encode()) <= 220
