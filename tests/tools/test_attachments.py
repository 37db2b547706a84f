from __future__ import annotations

import re
from pathlib import Path

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


def test_what_is_at_the_service_is_referred_to() -> None:
    output = output_of(
        [
            Image(url="https://example.org/a.png"),
            Image(file_id="file-1"),
            Image(b"png", file_id="file-2"),
            File(b"pdf", "report.pdf", file_id="file-3"),
            File(file_id="file-4"),
        ]
    )
    places = [re.sub(r"\. Functions .* here: you cannot see it, but you can refer to it\.]$", "", line)
              for line in output.content.splitlines()]  # fmt: skip
    assert places == [
        "[An image, https://example.org/a.png (image/png)",
        "[An image, file-1 (image/png)",
        "[An image, file-2 (image/png, 3 bytes)",
        "[A file, report.pdf, file-3 (application/octet-stream, 3 bytes)",
        "[A file, file-4 (application/octet-stream)",
    ]
    assert [written_part(part) for part in output.parts] == [
        {"type": "input_image", "image_url": "https://example.org/a.png"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "input_image", "image_url": "data:image/png;base64,cG5n"},
        {"type": "input_file", "filename": "report.pdf", "file_data": "data:application/octet-stream;base64,cGRm"},
        {"type": "input_file", "file_id": "file-4"},
    ]
    for part in (Image(file_id="file-1"), File(file_id="file-4")):
        assert read_part(written_part(part)) == part


def test_a_name_that_is_no_text_is_told_as_far_as_it_is() -> None:
    assert output_of(File(b"1", "r\ud800.pdf")).content.startswith("[A file, r\ufffd.pdf (")


def test_the_bytes_of_an_address_are_no_reference() -> None:
    assert output_of(Image(url="data:image/png;base64,cG5n")).content == (
        "[An image (image/png). Functions can only answer with text here: you cannot see it.]"
    )


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
    there = "https://example.org/a.png"
    for wrong in ({}, {"data": b"png", "url": there}, {"file_id": "file-1", "url": there}, {"data": "png"}):
        with pytest.raises(DefinitionError, match="Image"):
            Image(**wrong)  # type: ignore[arg-type] - wrong on purpose


def test_a_file_has_a_name_or_is_at_the_service() -> None:
    assert File(b"", "empty.txt").name == "empty.txt"
    with pytest.raises(DefinitionError, match="File"):
        File(b"pdf")
    with pytest.raises(DefinitionError, match="File"):
        File("report.pdf", "pdf")  # type: ignore[arg-type] - wrong on purpose


def test_what_should_be_text_is_refused_where_it_is_made_and_not_when_it_is_sent() -> None:
    with pytest.raises(DefinitionError, match=r"Image\(\) takes text as media_type=, not None"):
        Image(b"png", None)  # type: ignore[arg-type] - wrong on purpose
    with pytest.raises(DefinitionError, match=r"File\(\) takes text as name=, not .*Path"):
        File(b"pdf", Path("report.pdf"))  # type: ignore[arg-type] - wrong on purpose
