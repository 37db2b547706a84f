"""Everything in a store, as lines of JSON.

What is left out: API keys, which open something; uploads that are not complete; answers kept for requests that come
again; where deleted objects stood. A file whose time is up is deleted, and so is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from toolkit.engine.transfer.kinds import WRITTEN
from toolkit.engine.transfer.kinds.kind import Export, Written
from toolkit.engine.transfer.lines import EndLine, ExportLine

__all__ = ["lines_of"]

_ESCAPED: Final = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
"""What some programs take for the end of a line. It only ever stands in strings."""


def lines_of(export: Export, made_by: str) -> Iterator[Written]:
    """Write all lines of an export, the first and the last included, without line ends.

    They are read on the way, a few rows and pieces of files at a time. `made_by` names the program and its version.
    """
    first = ExportLine(made_by=made_by, at=export.at, project=export.project, contents=export.contents is not None)
    yield "export", first.model_dump_json()
    count = 1
    for written in WRITTEN:
        for kind, text in written(export):
            yield kind, text if text.isascii() else text.translate(_ESCAPED)
            count += 1
    yield "end", EndLine(lines=count).model_dump_json()
