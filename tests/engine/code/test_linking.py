from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.code.linking import Link, Linking, annotation

FILES = {"a.csv": "1", "a.csv.gz": "2", "my file.csv": "3", "out/x.png": "4", "매출.xlsx": "5"}
P = "sandbox:/mnt/data/"


def read(pieces: Iterable[str], files: dict[str, str] = FILES) -> list[str | Link]:
    linking = Linking(files)
    return [*(part for piece in pieces for part in linking.feed(piece)), *linking.end()]


def text_of(parts: Iterable[str | Link]) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in parts)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"[x]({P}a.csv)", [("a.csv", "1")]),
        (f"{P}a.csv.gz and {P}a.csv.", [("a.csv.gz", "2"), ("a.csv", "1")]),
        (f"{P}my file.csv {P}my%20file.csv", [("my file.csv", "3"), ("my%20file.csv", "3")]),
        (f"![]({P}out/x.png)", [("out/x.png", "4")]),
        (f"{P}매출.xlsx를 {P}%EB%A7%A4%EC%B6%9C.xlsx", [("매출.xlsx", "5"), ("%EB%A7%A4%EC%B6%9C.xlsx", "5")]),
        (f"{P}a.csv2 {P}a.csv_old {P}a.csv.b {P}none {P} sandbox:/mnt/data", []),
        (f"sandbox:{P}a.csv", [("a.csv", "1")]),
        ("/mnt/data/a.csv", []),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_links_in_pieces_of_any_size(text: str, found: list[tuple[str, str]], size: int) -> None:
    parts = read(text[at : at + size] for at in range(0, len(text), size))
    assert text_of(parts) == text
    assert [(part.text, part.file_id) for part in parts if isinstance(part, Link)] == [(P + a, b) for a, b in found]


@given(st.lists(st.sampled_from([P, "sandbox:", "/mnt/data/", *FILES, ".", " ", "x", ")", "sand"])))
def test_nothing_is_lost_and_pieces_do_not_matter(pieces: list[str]) -> None:
    parts, whole = read(pieces), read(["".join(pieces)])
    assert text_of(parts) == text_of(whole) == "".join(pieces)
    assert [each for each in parts if isinstance(each, Link)] == [each for each in whole if isinstance(each, Link)]


def test_without_files_nothing_is_held_back() -> None:
    linking = Linking({})
    assert list(linking.feed("see sandbox:/mnt")) == ["see sandbox:/mnt"]


def test_an_annotation_stands_where_the_link_does() -> None:
    assert annotation(Link(f"{P}a.csv", "1"), 7) == {
        "type": "file_path",
        "text": f"{P}a.csv",
        "start_index": 7,
        "end_index": 30,
        "file_path": {"file_id": "1"},
    }


def test_many_names_and_many_beginnings_are_no_work() -> None:
    linking = Linking({f"{number}.csv": f"{number}" for number in range(5000)})
    text = P * 50_000
    assert "".join(map(str, [*linking.feed(text), *linking.end()])) == text
