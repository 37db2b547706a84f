"""Forms with a file (`multipart/form-data`, RFC 7578), read as they come: the file goes on piece by piece."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from toolkit.engine.jsontext import clean, dump
from toolkit.engine.objects.invalid import only_unknown_fields, refusal, unknown_fields
from toolkit.errors import Refused
from toolkit.server.wire import HungUp, Receive

__all__ = ["Fields", "Form"]

_log = logging.getLogger("toolkit.server")
_quiet = logging.Logger("multipart", logging.CRITICAL + 1)  # under no root, so that no settings wake it

M = TypeVar("M", bound=BaseModel)

_MOST_PARTS: Final = 32
_MOST_HEADERS: Final = 16
_MOST_HEADER_BYTES: Final = 8 * 2**10
_MOST_FIELD_BYTES: Final = 16 * 2**10
_MOST_OVERHEAD: Final = 512 * 2**10
"""Of all that is not the file: more than parts, headers and fields may be together."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What stood in a form besides the bytes of its file; the file's name stands under the file's field."""

    texts: Mapping[str, str]

    def check(self, model: type[M], *, drop_unknown: bool) -> M:
        """Check the fields against a request model; `a[b]` is the member b of a. Raises Refused with the API's text."""
        try:
            return model.model_validate_strings(self._nested(), strict=False)
        except ValidationError as error:
            if not drop_unknown or not only_unknown_fields(error):
                raise refusal(error) from None
            _log.warning("unknown fields were left out: %s", dump(unknown_fields(error)))
            return model.model_validate_strings(self._nested(), strict=False, extra="ignore")

    def _nested(self) -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for name, text in self.texts.items():
            outer, bracket, inner = name.partition("[")
            if bracket and inner.endswith("]"):
                below = nested.setdefault(outer, {})
                if isinstance(below, dict):
                    below[inner[:-1]] = text
                    continue
            nested[name] = text
        return nested


class Form:
    """A form on its way in, which is read once."""

    def __init__(self, receive: Receive, headers: Mapping[bytes, bytes]) -> None:
        self._receive, self._headers = receive, headers
        self.whole = False
        """Whether it was read to its end."""

    async def read(self, field: str, most: int, write: Callable[[bytes], Awaitable[None]]) -> Fields:
        """Read the form; the bytes of its file, in the part `field`, go to `write` as they come, `most` at most.

        Raises Refused: no form, an ill-formed one (400), too many bytes (413). Raises HungUp when it broke off.
        """
        announced = self._headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > most + _MOST_OVERHEAD:
            raise _too_large(most)
        parts = _Parts(_boundary(self._headers.get(b"content-type", b"")), field, most)
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise HungUp
            more = message.get("more_body", False)
            for piece in parts.feed(message.get("body", b"")):
                await write(piece)
        self.whole = True
        return Fields(parts.texts())


class _Parts:
    """Makes parts out of bytes: fields are collected, the file's bytes are handed on."""

    def __init__(self, boundary: bytes, field: str, most: int) -> None:
        self._field, self._most = field, most
        self._texts: dict[str, str] = {}
        self._parts = self._size = self._rest = 0
        self._ended = False
        self._pieces: list[bytes] = []
        self._name = self._header = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._current = ""
        self._text: bytearray | None = None
        """What has come of a field's text; None in the file."""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=_MOST_HEADER_BYTES,
        )
        self._parser.logger = _quiet  # it would log bytes of what people send

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; gives those of them that are the file's. Raises Refused."""
        self._rest += len(data)
        try:
            self._parser.write(data)
        except FormParserError:
            raise _malformed() from None
        if self._rest - self._size > _MOST_OVERHEAD:
            raise Refused(f"The form has more than {_MOST_OVERHEAD} bytes besides its file.", status=413)
        pieces, self._pieces = self._pieces, []
        return pieces

    def texts(self) -> Mapping[str, str]:
        """Give the fields. Raises Refused when the form has not come to its end."""
        if not self._ended:
            raise Refused("The form is cut short: its last boundary is missing.")
        return self._texts

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise Refused(f"The form has too many parts: at most {_MOST_PARTS}.")
        self._headers = {}

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        if self._headers.get(b"content-transfer-encoding", b"binary").strip().lower() not in (
            b"binary",
            b"8bit",
            b"7bit",
        ):
            raise Refused("A part of the form has a Content-Transfer-Encoding. Send its bytes as they are.")
        name, filename = _disposition(self._headers.get(b"content-disposition", b""))
        if name in self._texts:
            raise Refused(f"Duplicate parameter: '{name}'.", param=name, code="invalid_value")
        self._current, self._text = name, None if name == self._field else bytearray()
        self._texts[name] = filename

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._text is not None:
            self._text += data[start:end]
            if len(self._text) > _MOST_FIELD_BYTES:
                name = self._current
                raise Refused(
                    f"Invalid '{name}': more than {_MOST_FIELD_BYTES} bytes.", param=name, code="invalid_value"
                )
            return
        self._size += end - start
        if self._size > self._most:
            raise _too_large(self._most)
        self._pieces.append(data[start:end])

    def _on_part_end(self) -> None:
        if self._text is not None:
            self._texts[self._current] = self._text.decode("utf-8", "replace")

    def _on_end(self) -> None:
        self._ended = True


def _boundary(content_type: bytes) -> bytes:
    message = Message()
    message["content-type"] = content_type.decode("latin-1")
    boundary = message.get_boundary("")
    if message.get_content_type() != "multipart/form-data" or not 0 < len(boundary) <= 200:
        raise Refused("Invalid Content-Type header, expected multipart/form-data with a boundary.")
    return boundary.encode("latin-1")


def _disposition(header: bytes) -> tuple[str, str]:
    """Read the name of a part and of its file, which may be empty. Raises Refused."""
    message = Message()
    message["content-disposition"] = header.decode("latin-1")
    plain: dict[str, str] = {}
    extended: dict[str, str] = {}
    for name, value in message.get_params(header="content-disposition") or ():
        if isinstance(value, tuple):  # RFC 5987 and RFC 2231: an encoding, a language, the text
            extended.setdefault(name, _extended(value))
        else:
            plain.setdefault(name, _utf8(value))
    if "name" not in plain:
        raise _malformed()
    return plain["name"], extended.get("filename", plain.get("filename", ""))


def _extended(value: tuple[str | None, str | None, str]) -> str:
    if (value[0] or "").lower() not in ("utf-8", "iso-8859-1", "us-ascii"):
        raise Refused("The name of the file has an unknown encoding. Write it in UTF-8.", param="file")
    return clean(collapse_rfc2231_value(value, errors="replace"))


def _utf8(text: str) -> str:
    """Give what a client wrote as it is, or as UTF-8 with quotation marks as %22, which is how browsers write it."""
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text.replace("%22", '"')


def _malformed() -> Refused:
    return Refused("We could not parse the form of your request: it is not valid multipart/form-data.")


def _too_large(most: int) -> Refused:
    return Refused(f"Maximum content size limit ({most}) exceeded.", status=413, code="content_size_limit_exceeded")
