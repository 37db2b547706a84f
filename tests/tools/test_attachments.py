from __future__ import annotations

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.attachments import File, Image, has_attachments, read_part, written_part
from toolkit.tools.output import Output, output_of

PNG, PDF = Image(b"png"), File(b"pdf", "report.pdf", "application/pdf")


def test_text_stands_for_what_cannot_be_seen() -> None:
    output = output_of(["The plot:", {"n": 1}, PNG, PDF])
    assert output.content.splitlines() == [
        "The plot:",
        '{"n":1}',
        "[An image (image/png, 3 bytes). Functions can only answer with text here: you cannot see it.]",
        "[A file, report.pdf (application/pdf, 3 bytes). Functions can only answer with text here: you cannot see it.]",
    ]
    assert output.parts == ("The plot:", '{"n":1}', PNG, PDF)
    assert output.images == (PNG,)
    assert [written_part(part) for part in output.parts] == [
        {"type": "input_text", "text": "The plot:"},
        {"type": "input_text", "text": '{"n":1}'},
        {"type": "input_image", "image_url": "data:image/png;base64,cG5n"},
        {"type": "input_file", "filename": "report.pdf", "file_data": "data:application/pdf;base64,cGRm"},
    ]


def test_one_alone_and_by_its_address() -> None:
    there = Image(url="https://example.org/a.png")
    assert output_of(there).parts == (there,)
    assert written_part(there) == {"type": "input_image", "image_url": "https://example.org/a.png"}
    assert [read_part(written_part(part)) for part in (there, PNG, PDF, "text")] == [there, PNG, PDF, "text"]
    assert output_of((PNG,)).parts == output_of(PNG).parts


def test_the_cap_is_for_the_text() -> None:
    output = output_of(["x" * 1000, PNG], 300)
    assert len(output.content) <= 300
    assert len(str(output.parts[0])) <= 300
    assert output.parts[1] == PNG


def test_other_values_are_as_they_were() -> None:
    assert not has_attachments([]) and not has_attachments({"a": PNG}) and not has_attachments("text")
    assert output_of([1, 2]) == Output("[1,2]")
    kept = output_of(Output("seen", False, output_of(PNG).parts))
    assert (kept.ok, len(kept.parts)) == (False, 1)


def test_an_image_is_one_or_the_other() -> None:
    for wrong in ({}, {"data": b"png", "url": "https://example.org/a.png"}):
        with pytest.raises(DefinitionError, match="Image"):
            Image(**wrong)  # type: ignore[arg-type]
