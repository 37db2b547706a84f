"""Files on their way out: what they are called and of which type, and which of their bytes are asked for.

The type is looked up in a table of our own, so that it is the same on every machine. Whatever it is, no browser shows
the file as a page of this server: it is an attachment, and its type is not to be guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from toolkit.engine.blobs import Opened
from toolkit.engine.objects.files import Stored
from toolkit.errors import Refused
from toolkit.server.wire import Download, Headers

__all__ = ["TYPES", "download"]

_TEXT: Final = "text/plain; charset=utf-8"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("c", "cpp", "cs", "go", "h", "java", "log", "php", "py", "rb", "sh", "tex", "ts", "txt"), _TEXT),
    "bmp": "image/bmp",
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "gif": "image/gif",
    "gz": "application/gzip",
    "htm": "text/html; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "md": "text/markdown; charset=utf-8",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "wav": "audio/wav",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zip": "application/zip",
}

_ANY: Final = "application/octet-stream"
_RANGE: Final = re.compile(rb"bytes=(\d{0,19})-(\d{0,19})")


def download(file: Stored, opened: Opened, headers: Mapping[bytes, bytes]) -> Download:
    """Answer with a file, or with the one range of it that is asked for. Raises Refused (416)."""
    tag = f'"{file.sha256}"'.encode()
    sent: Headers = [
        (b"content-type", TYPES.get(file.filename.rpartition(".")[2].lower(), _ANY).encode()),
        (b"content-disposition", _attachment(file.filename)),
        (b"x-content-type-options", b"nosniff"),
        (b"accept-ranges", b"bytes"),
        (b"etag", tag),
    ]
    wanted = None
    if headers.get(b"if-range", tag) == tag:  # else it is another file by now, as far as the client knows
        wanted = _range(headers.get(b"range", b""), file.bytes)
    if wanted is None:
        return Download(opened, 0, file.bytes, 200, sent)
    start, stop = wanted
    sent.append((b"content-range", f"bytes {start}-{stop - 1}/{file.bytes}".encode()))
    return Download(opened, start, stop, 206, sent)


def _range(header: bytes, size: int) -> tuple[int, int] | None:
    """Read a range as (start, stop); None for the whole, which is also the answer to what is not understood."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or found.group(0) == b"bytes=-":
        return None
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= size:
        raise Refused(f"The range begins after the end of the file, which has {size} bytes.", status=416)
    return start, stop


def _attachment(filename: str) -> bytes:
    plain = re.sub(r"[^ !#-\[\]-~]", "_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}".encode()
