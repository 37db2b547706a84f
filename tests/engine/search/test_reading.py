from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.search.reading import Unreadable, is_document, text_of


def why(data: bytes) -> tuple[str, str]:
    with pytest.raises(Unreadable) as error:
        text_of(data)
    return error.value.code, str(error.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("späße 日本 🙂".encode(), "späße 日本 🙂"),
        (codecs.BOM_UTF8 + "ä".encode(), "ä"),
        ("späße".encode("utf-16"), "späße"),
        (codecs.BOM_UTF16_BE + "späße".encode("utf-16-be"), "späße"),
        ("späße".encode("utf-32"), "späße"),
        (codecs.BOM_UTF32_BE + "späße".encode("utf-32-be"), "späße"),
        ("Die Straße führt über die Brücke".encode("latin-1"), "Die Straße führt über die Brücke"),
        ("It’s 5 €".encode("cp1252"), "It’s 5 €"),
        (b"one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        (b"\x1b[1mbold\x1b[0m\tand\x0cpages\x0b", "\x1b[1mbold\x1b[0m\tand\x0cpages\x0b"),
        (b"RIFF is a format. GIF8 is none. PK, too.", "RIFF is a format. GIF8 is none. PK, too."),
        (b'{"a": 1}', '{"a": 1}'),
        (b"a,b\n1,2\n", "a,b\n1,2\n"),
    ],
)
def test_text_is_read(data: bytes, text: str) -> None:
    assert text_of(data).value == text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "an old Office file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG image"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "a JPEG image"),
        (b"GIF89a" + bytes(100), "a GIF image"),
        (b"\x1f\x8b\x08" + bytes(100), "a gzip archive"),
        (b"{\\rtf1 text}", "an RTF document"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "bytes that no text has"),
        (b"text and \0", "bytes that no text has"),
        ("utf-16 without its mark".encode("utf-16-le"), "bytes that no text has"),
        (codecs.BOM_UTF8 + b"text and \0", "bytes that no text has"),
        (codecs.BOM_UTF16_LE + b"a\0\0\0", "bytes that no text has"),
        (bytes(range(256)) * 10, "bytes that no text has"),
    ],
)
def test_what_is_no_text_is_not_supported(data: bytes, says: str) -> None:
    code, message = why(data)
    assert code == "unsupported_file"
    assert says in message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "The file has no text."),
        (b" \n\t\r\n", "The file has no text."),
        (codecs.BOM_UTF8, "The file has no text."),
        (codecs.BOM_UTF8 + b"\xff", "The file begins as UTF-8 text and goes on otherwise."),
        (codecs.BOM_UTF16_LE + b"a", "The file begins as UTF-16 text and goes on otherwise."),
        (codecs.BOM_UTF32_BE + b"abcd", "The file begins as UTF-32 text and goes on otherwise."),
        ("これは日本語です。".encode("shift-jis"), "in an encoding that is not known. Save it as UTF-8."),
        ("Это русский текст".encode("cp1251"), "in an encoding that is not known. Save it as UTF-8."),
        ("这是中文".encode("gbk"), "in an encoding that is not known. Save it as UTF-8."),
    ],
)
def test_what_cannot_be_read_is_not_valid(data: bytes, says: str) -> None:
    code, message = why(data)
    assert code == "invalid_file"
    assert says in message


@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    try:
        text = text_of(data).value
    except Unreadable as error:
        assert error.code in ("unsupported_file", "invalid_file")
    else:
        assert text.strip()
        assert not set(text) & set(map(chr, {*range(32), 127} - {*b"\t\n\v\f\x1b"}))
        text.encode()  # it can be stored and sent


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))).filter(str.strip))
def test_every_text_in_an_encoding_of_unicode_is_read(text: str) -> None:
    text = f"x{text}"  # no signature, and no mark of its own
    assert text_of(text.encode()).value == text
    for mark, encoding in ((b"", "utf-8-sig"), (b"", "utf-16"), (codecs.BOM_UTF16_BE, "utf-16-be"), (b"", "utf-32")):
        assert text_of(mark + text.encode(encoding)).value == text


def test_documents_are_told_by_their_first_bytes() -> None:
    for data in (b"%PDF-1.7", b"PK\x03\x04", b" \n<!DOCTYPE html>", b"<HTML lang=en>"):
        assert is_document(data)
    for data in (b"", b"PDF", b"<p>html</p>", b"# <html> in Markdown", b"<htmlx>"):
        assert not is_document(data)


def test_chunks_of_markdown_know_the_headings_above_them() -> None:
    text = text_of(b"Before\n\n## Garden\n\n### Roses ###\nred\n\n## Kitchen\nhot\n", "a.MD")
    places = {word: text.place(text.value.index(word)) for word in ("Before", "red", "hot")}
    assert places == {"Before": "", "red": "Garden > Roses", "hot": "Kitchen"}
    assert text_of(b"# no heading here\n", "a.py").places == ()
