"""JSON text, as it is stored and sent: compact, UTF-8 as it is, and always encodable."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["clean", "dump", "id_of", "members", "quote"]


def dump(value: Any) -> str:
    """Write a JSON value as compact text. Strings in it must have gone through `clean` if a model wrote them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def members(value: dict[str, Any]) -> str:
    """Write the members of a JSON object without its braces, to be joined with others."""
    return dump(value)[1:-1]


quote = json.dumps
"""Write a string in pure ASCII: half of a surrogate pair, such as a stream may deliver, passes unharmed."""


def clean(text: str) -> str:
    """Join surrogate pairs that arrived in pieces, and replace halves that stayed alone: they are no UTF-8."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def id_of(wire: str) -> str:
    """Read the id of an object of ours, whose text always begins with it."""
    return wire[7 : wire.index('"', 7)]
