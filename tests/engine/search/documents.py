"""Documents of every kind that can be read, made by the libraries that people make them with."""

from __future__ import annotations

import io
import zipfile
from importlib import import_module
from typing import Any

__all__ = ["docx", "html", "pdf", "pptx", "xlsx", "zipped"]


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


def _saved(made: Any) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()
