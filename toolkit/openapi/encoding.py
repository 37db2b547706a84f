"""Values become parts of a request, as OpenAPI's `style` and `explode` say; RFC 6570 is where they come from.

Whatever a value holds is escaped, so that it stays a value: it cannot end its place in the path, begin another query
parameter, or another line of the header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import quote, unquote

from toolkit.errors import ToolError

__all__ = ["cookies", "header", "path_part", "query", "text_of"]

RESERVED = ":/?@!$'()*,;"
"""What `allowReserved` leaves as it is; not `&`, `=`, `+` and `#`, which would end the value."""
DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}


def path_part(name: str, value: object, *, style: str = "simple", explode: bool = False) -> str:
    """Write a path parameter. Raises ToolError for one that would lead elsewhere: empty, `..`, control characters."""
    start, between, named = {"label": (".", ".", False), "matrix": (";", ";", True)}.get(style, ("", ",", False))
    between = between if explode else ","
    if isinstance(value, list):
        items = [_escaped(each) for each in cast("list[object]", value)]
        text = between.join(f"{_escaped(name)}={item}" if named and explode else item for item in items)
    elif isinstance(value, dict):
        pairs = [(_escaped(key), _escaped(each)) for key, each in cast("dict[str, object]", value).items()]
        text = between.join(f"{key}={each}" if explode else f"{key},{each}" for key, each in pairs)
    else:
        text = f"{_escaped(name)}={_escaped(value)}" if named and explode else _escaped(value)
    if not text:
        raise ToolError(f"{name}: must not be empty")
    if named and not explode:
        text = f"{_escaped(name)}={text}"
    plain = unquote(text)
    if re.search(r"[\x00-\x1f\x7f]", plain) or {".", ".."} & set(re.split(r"[/\\]", plain)):
        raise ToolError(f"{name}: must hold no control characters, and no steps such as . and ..")
    return start + text


def query(
    name: str, value: object, *, style: str = "form", explode: bool = True, allow_reserved: bool = False
) -> Iterator[str]:
    """Write a query parameter: pieces of `name=value`, to be joined by `&`."""
    safe = RESERVED if allow_reserved else ""
    key = _escaped(name)
    if isinstance(value, list):
        items = [_escaped(each, safe) for each in cast("list[object]", value)]
        if explode:
            yield from (f"{key}={item}" for item in items)
        else:
            yield f"{key}={DELIMITERS.get(style, ',').join(items)}"
    elif isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        if style == "deepObject":
            yield from _deep(key, pairs, safe)
        elif explode:
            yield from (f"{_escaped(each)}={_escaped(inner, safe)}" for each, inner in pairs.items())
        else:
            parts = [part for each, inner in pairs.items() for part in (_escaped(each), _escaped(inner, safe))]
            yield f"{key}={DELIMITERS.get(style, ',').join(parts)}"
    else:
        yield f"{key}={_escaped(value, safe)}"


def header(name: str, value: object, *, explode: bool = False) -> str:
    """Write a header's value. Raises ToolError for characters that no header has."""
    if isinstance(value, list):
        text = ",".join(text_of(each) for each in cast("list[object]", value))
    elif isinstance(value, dict):
        between = "=" if explode else ","
        text = ",".join(f"{key}{between}{text_of(each)}" for key, each in cast("dict[str, object]", value).items())
    else:
        text = text_of(value)
    if re.fullmatch(r"[\x20-\x7e]*", text) is None:
        raise ToolError(f"{name}: must be plain ASCII without line breaks")
    return text.strip()


def cookies(name: str, value: object, *, explode: bool = True) -> Iterator[str]:
    """Write a cookie parameter: pieces of `name=value`, to be joined by `; `."""
    yield from query(name, value, explode=explode)


def text_of(value: object) -> str:
    """Write one value as the text it is in a URL or a form: JSON, but for text itself."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _deep(key: str, pairs: Mapping[str, object], safe: str) -> Iterator[str]:
    for each, inner in pairs.items():
        place = f"{key}%5B{_escaped(each)}%5D"
        if isinstance(inner, dict):
            yield from _deep(place, cast("dict[str, object]", inner), safe)
        elif isinstance(inner, list):
            yield from (f"{place}={_escaped(item, safe)}" for item in cast("list[object]", inner))
        else:
            yield f"{place}={_escaped(inner, safe)}"


def _escaped(value: object, safe: str = "") -> str:
    return quote(text_of(value).encode("utf-8", "replace"), safe=safe)
