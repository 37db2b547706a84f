"""Documents of every kind that can be read, made by the libraries that people make them with."""

from __future__ import annotations

import io
import zipfile
from importlib import import_module
from typing import Any

__all__ = ["doc", "docx", "html", "pdf", "pptx", "xlsx", "zipped"]


def doc(text: str, *, stream: str = "WordDocument") -> bytes:
    """Write the smallest Word file of before 2007: a compound file with one stream, which begins with a header."""
    said = text.encode("cp1252")
    start, sector = 1024, 512
    word = bytearray(start) + said
    word[0:4] = (0xA5EC).to_bytes(2, "little") + (0x00C1).to_bytes(2, "little")
    word[24:32] = start.to_bytes(4, "little") + len(word).to_bytes(4, "little")
    word += bytes(-len(word) % sector or 0)
    word += bytes(max(0, 4096 - len(word)))
    sectors = len(word) // sector
    end, free, fat_mark = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    chain = [fat_mark, end, *(number + 1 for number in range(2, sectors + 1)), end]
    fat = b"".join(number.to_bytes(4, "little") for number in [*chain, *[free] * (128 - len(chain))])

    def entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
        written = name.encode("utf-16-le") + b"\0\0"
        head = written.ljust(64, b"\0") + len(written).to_bytes(2, "little") + bytes([kind, 1])
        links = b"".join(number.to_bytes(4, "little") for number in (free, free, child))
        return head + links + bytes(36) + first.to_bytes(4, "little") + size.to_bytes(8, "little")

    directory = entry("Root Entry", 5, 1, end, 0) + entry(stream, 2, free, 2, len(word))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + bytes.fromhex("3e000300feff09000600") + bytes(10)
    numbers = (1, 1, 0, 4096, end, 0, end, 0, 0)
    header += b"".join(number.to_bytes(4, "little") for number in numbers) + b"\xff" * (108 * 4)
    return header + fat + directory.ljust(sector, b"\0") + bytes(word)


def docx(**more: str) -> bytes:
    made: Any = import_module("docx").Document()
    made.add_heading("Garden", 0)
    made.add_heading("Roses", 1)
    made.add_paragraph("Prune roses in March.")
    made.add_heading("Soil", 2)
    table = made.add_table(2, 2)
    for at, text in enumerate(("Plant", "Soil", "Rose", "loam")):
        table.cell(at // 2, at % 2).text = text
    made.add_heading("Tomatoes", 1)
    made.add_paragraph(more.get("last", "Water them."))
    return _saved(made)


def pptx() -> bytes:
    made: Any = import_module("pptx").Presentation()
    for title, text in (("Roses", "Prune in March"), ("Tomatoes", "Water")):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, text
        slide.notes_slide.notes_text_frame.text = f"Note on {title}"
    return _saved(made)


def xlsx() -> bytes:
    made: Any = import_module("openpyxl").Workbook()
    made.active.title = "Sales"
    for row in (["Month", "Sum"], ["May", 12.5], [None, None], ["June", None]):
        made.active.append(row)
    made.create_sheet("Costs").append(["Rent"])
    return _saved(made)


def pdf(*pages: str) -> bytes:
    """Write the smallest PDF with a line of text on each page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    numbers: list[int] = []
    for text in pages:
        drawn = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % len(objects)
        )
        numbers.append(len(objects))
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(numbers))
    made, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(made))
    return made + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (len(objects) + 1, table, end)


def html() -> bytes:
    return (
        b"<!DOCTYPE html>\n<html><head><title>T</title><style>p {}</style></head><body><h1>Garden</h1>"
        b"<p>Roses &amp; <b>more</b></p><script>evil()</script><h2>Soil</h2><ul><li>loam<li>clay</ul>"
        b"<table><tr><th>Plant</th><th>Month</th></tr><tr><td>Rose</td><td>March</td></tr></table></body></html>"
    )


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def bomb(mib: int) -> bytes:
    """Make what unpacks to so much, packed quickly and in pieces."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("word/document.xml", "w") as file:
            for _ in range(mib):
                file.write(bytes(2**20))
    return made.getvalue()


def _saved(made: Any) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()
