from __future__ import annotations

import io
import json
from typing import Any

import pytest

from toolkit.engine.transfer.documents import Document, Unreadable, documents


def read(data: str | bytes) -> list[Document | Unreadable]:
    return list(documents(io.BytesIO(data.encode() if isinstance(data, str) else data)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("\n \n", []),
        ('{"a":1}', [(1, {"a": 1})]),
        ('{"a":1}\n\n{"b":2}\n', [(1, {"a": 1}), (3, {"b": 2})]),
        ('\n{"a":1}\r\n{"b":2}\r\n', [(2, {"a": 1}), (3, {"b": 2})]),
        ('[\n{"a":1},\n{"b":2}\n]\n', [(1, [{"a": 1}, {"b": 2}])]),
        ('{\n "a": 1\n}\n{\n "b": 2\n}\n', [(1, {"a": 1}), (4, {"b": 2})]),
        ('[\n{"a":1}\n]', [(1, [{"a": 1}])]),
        ('{"a":1} {"b":2}', [(1, {"a": 1}), (1, {"b": 2})]),
    ],
)
def test_forms(text: str, found: list[tuple[int, Any]]) -> None:
    assert read(text) == [Document(line, value) for line, value in found]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings(encoding: str) -> None:
    assert read('{"a":"é"}\n{"a":"☀"}\n'.encode(encoding)) == [Document(1, {"a": "é"}), Document(2, {"a": "☀"})]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{broken}", "is no JSON: Expecting property name enclosed in double quotes (column 2)"),
        ('{"a":NaN}', "NaN is no JSON"),
        ("[" * 100_000, "is nested too deeply"),
        (b'{"a":"\xff"}', "is no text in UTF-8"),
        (b"\x1f\x8b\x08\x00\x00", "is no text in UTF-8"),
    ],
)
def test_what_is_no_json_is_named_and_the_rest_is_read(text: str | bytes, why: str) -> None:
    line = text if isinstance(text, bytes) else text.encode()
    assert read(b'{"a":1}\n' + line + b'\n{"b":2}\n') == [
        Document(1, {"a": 1}),
        Unreadable(2, why),
        Document(3, {"b": 2}),
    ]
    if line.startswith(b"{"):
        assert read(line + b'\n{"b":2}\n') == [Unreadable(1, why), Document(2, {"b": 2})]
    else:
        [unreadable] = read(line)
        assert isinstance(unreadable, Unreadable)


def test_a_document_that_is_cut_off_names_the_line() -> None:
    text = json.dumps([{"a": number} for number in range(3)], indent=1)
    assert read(text[:20]) == [
        Unreadable(5, "is no JSON: Expecting property name enclosed in double quotes (column 3)")
    ]
    assert read('{\n "a": 1\n}\n{\n "b":') == [
        Document(1, {"a": 1}),
        Unreadable(5, "is no JSON: Expecting value (column 6)"),
    ]


def test_halves_of_surrogate_pairs() -> None:
    assert read('{"a":"\\ud83d\\ude00 \\ud83d!"}\n{"a":"\\uD83D"}') == [
        Document(1, {"a": "😀 \ufffd!"}),
        Document(2, {"a": "\ufffd"}),
    ]


def test_lines_are_read_one_at_a_time() -> None:
    """Nothing is read ahead but the second line, which tells lines from a document."""

    class File(io.BytesIO):
        lines = 0

        def readline(self, size: int | None = -1) -> bytes:
            self.lines += 1
            return super().readline(size)

        def __next__(self) -> bytes:
            self.lines += 1
            return super().__next__()

        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("read as a whole")

    file = File(b'{"a":1}\n' * 10)
    values = documents(file)
    next(values)
    next(values)
    assert file.lines == 2
    assert len(list(values)) == 8
