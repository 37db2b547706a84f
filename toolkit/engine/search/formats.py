"""Texts out of documents: PDF, Word, PowerPoint, Excel and HTML. Runs in sealed processes alone (`reader.py`).

A document becomes sections, each with the place it stands at: a page, a slide, a sheet, or the headings above it. A row
of a table becomes a line with ` | ` between its cells. In a sealed process nothing can be loaded, so each reader reads
something small before, which loads all that it needs.
"""

from __future__ import annotations

import codecs
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from html.parser import HTMLParser
from importlib import import_module
from typing import Any, Final, Literal

from toolkit.engine.search.reading import Path

__all__ = ["Broken", "Kind", "Read", "Section", "kind_of", "reader_of"]

Section = tuple[str, str]
"""A place, which may be empty, and the text there."""
Kind = Literal["pdf", "docx", "pptx", "xlsx", "html"]
Read = Callable[[bytes], Iterator[Section]]

_MOST_PAGES: Final = 20_000
_MOST_UNPACKED: Final = 512 * 2**20
_OFFICE: Final[Mapping[bytes, Kind]] = {
    b"word/document.xml": "docx",
    b"ppt/presentation.xml": "pptx",
    b"xl/workbook.xml": "xlsx",
}
_HTML: Final = (b"<!doctype html", b"<html")


class Broken(Exception):
    """A document that cannot be read; its text says why, to people."""


def kind_of(data: bytes) -> Kind | None:
    """Tell what a document is by its bytes, whatever its name says; None when it is none of ours."""
    if data.startswith(b"%PDF-"):
        return "pdf"
    if data.lstrip()[:15].lower().startswith(_HTML):
        return "html"
    if data.startswith(b"PK\x03\x04"):  # names stand in an archive as they are
        return next((kind for name, kind in _OFFICE.items() if name in data), None)
    return None


def reader_of(kind: Kind) -> Read:
    """Load what reads a kind of document, and all that it needs. Raises ImportError."""
    for encoding in ("ascii", "cp437", "latin-1", "utf-8", "utf-16", "utf-16-le"):
        codecs.lookup(encoding)
    read, sample = _READERS[kind]()
    for _ in read(sample):
        pass
    return read


def _pdf() -> tuple[Read, bytes]:
    pypdfium2: Any = import_module("pypdfium2")

    def read(data: bytes) -> Iterator[Section]:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            locked = "password" in str(error).lower()
            raise Broken("The PDF needs a password." if locked else "The PDF is damaged.") from None
        if len(document) > _MOST_PAGES:
            raise Broken(f"The PDF has {len(document)} pages; at most {_MOST_PAGES} can be read.")
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            yield f"page {number + 1}", text.get_text_bounded().replace("\r\n", "\n")
            text.close()
            page.close()

    sample = io.BytesIO()
    document = pypdfium2.PdfDocument.new()
    document.new_page(100, 100)
    document.save(sample)
    return read, sample.getvalue()


def _docx() -> tuple[Read, bytes]:
    docx: Any = import_module("docx")
    table: Any = import_module("docx.table")

    def read(data: bytes) -> Iterator[Section]:
        _check_size(data)
        path = Path()
        for block in docx.Document(io.BytesIO(data)).iter_inner_content():
            if isinstance(block, table.Table):
                yield str(path), _table(block)
                continue
            level = _level(block.style.name if block.style is not None else "")
            if level is not None and block.text.strip():
                path = path.down(level, block.text.strip())
            yield str(path), block.text

    sample, document = io.BytesIO(), docx.Document()
    document.add_heading("x")
    document.add_table(1, 1)
    document.save(sample)
    return read, sample.getvalue()


def _level(style: str | None) -> int | None:
    """Give the level of a heading by its style, 0 for a title; None for what is no heading."""
    if style == "Title":
        return 0
    name, _, number = (style or "").rpartition(" ")
    return int(number) if name == "Heading" and number.isdigit() else None


def _pptx() -> tuple[Read, bytes]:
    pptx: Any = import_module("pptx")

    def read(data: bytes) -> Iterator[Section]:
        _check_size(data)
        for number, slide in enumerate(pptx.Presentation(io.BytesIO(data)).slides, 1):
            said: list[str] = []
            for shape in slide.shapes:
                if shape.has_text_frame:
                    said.append(shape.text_frame.text)
                elif shape.has_table:
                    said.append(_table(shape.table))
            if slide.has_notes_slide:
                said.append(slide.notes_slide.notes_text_frame.text)
            yield f"slide {number}", "\n".join(said)

    sample, show = io.BytesIO(), pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[0])
    slide.shapes.add_table(1, 1, 0, 0, 1, 1)
    slide.notes_slide.notes_text_frame.text = "x"
    show.save(sample)
    return read, sample.getvalue()


def _xlsx() -> tuple[Read, bytes]:
    openpyxl: Any = import_module("openpyxl")

    def read(data: bytes) -> Iterator[Section]:
        _check_size(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            rows = (" | ".join("" if cell is None else str(cell) for cell in row) for row in sheet.values)
            yield f"sheet {sheet.title}", "\n".join(row.rstrip() for row in rows if row.strip(" |"))

    sample, book = io.BytesIO(), openpyxl.Workbook()
    book.active.append(["x", 1, date(2000, 1, 1)])
    book.save(sample)
    return read, sample.getvalue()


def _table(table: Any) -> str:
    return "\n".join(" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in table.rows)


def _check_size(data: bytes) -> None:
    """Refuse an archive that says it is much larger than it looks."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED:
            raise Broken(f"The file unpacks to more than {_MOST_UNPACKED // 2**20} MiB.")


def _html() -> tuple[Read, bytes]:
    def read(data: bytes) -> Iterator[Section]:
        page = _Page()
        page.feed(data.decode("utf-8", "replace"))
        page.close()
        yield from page.sections()

    return read, b"<html><body><!-- x --><h1>&amp;</h1><p>x"


_READERS: Final[Mapping[Kind, Callable[[], tuple[Read, bytes]]]] = {
    "pdf": _pdf,
    "docx": _docx,
    "pptx": _pptx,
    "xlsx": _xlsx,
    "html": _html,
}


_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_UNSEEN: Final = ("script", "style", "template", "noscript", "head", "svg")
_BLOCKS: Final = (
    "p",
    "div",
    "li",
    "tr",
    "br",
    "section",
    "article",
    "ul",
    "ol",
    "table",
    "pre",
    "blockquote",
    *_HEADINGS,
)


class _Page(HTMLParser):
    """Collects what a page shows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._path = Path()
        self._sections: list[tuple[str, list[str]]] = [("", [])]
        self._unseen = 0
        self._heading: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _HEADINGS:
            self._heading = []
        elif tag in ("td", "th") and self._said and not self._said[-1].endswith("\n"):
            self._said.append(" | ")
        if tag in _BLOCKS:
            self._said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _HEADINGS and self._heading is not None:
            text = " ".join("".join(self._heading).split())
            if text:
                self._path = self._path.down(int(tag[1]), text)
            self._sections.append((str(self._path), [text, "\n"]))
            self._heading = None
        if tag in _BLOCKS:
            self._said.append("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._heading is not None:
            self._heading.append(data)
        else:
            self._said.append(data)

    @property
    def _said(self) -> list[str]:
        return self._sections[-1][1]

    def sections(self) -> list[Section]:
        """Give what was seen, lines without what is blank around them, and no more than one empty line between two."""
        found: list[Section] = []
        for place, said in self._sections:
            lines = [" ".join(line.split()) for line in "".join(said).split("\n")]
            kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
            found.append((place, "\n".join(kept).strip("\n")))
        return found
