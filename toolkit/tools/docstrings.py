"""A docstring becomes what the model reads: a description, and a text for each parameter.

Google, NumPy, reST and epydoc styles, read by docstring_parser. That package is imported when the first docstring with
sections is met, and told the style where the text shows it: its own search tries all four and keeps the best, at two to
four times the price. A docstring is prose first, so nothing in it can fail a tool: what does not parse is handed to the
model as it was written.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["Docstring", "read"]

NOTHING: Mapping[str, str] = MappingProxyType({})

SIGNS = {
    "REST": re.compile(r"^\s*:(param|parameter|arg|argument|key|keyword|type|returns?|rtype|raises?)\b[^:\n]*:", re.M),
    "EPYDOC": re.compile(r"^\s*@(param|keyword|type|return|rtype|raise)\b[^:\n]*:", re.M),
    "NUMPYDOC": re.compile(
        r"^\s*((Other )?Parameters|Params|Arguments|Args|Returns|Yields|Raises)\s*\n\s*-{3,}\s*$", re.M
    ),
    "GOOGLE": re.compile(r"^\s*(Args|Arguments|Params|Parameters|Returns|Yields|Raises|Exceptions):\s*$", re.M),
}
"""What gives a style away; the names are those of docstring_parser's DocstringStyle."""


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a docstring says to the model."""

    description: str = ""
    """Summary and body, without the sections on parameters, return value and exceptions."""
    parameters: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Text by parameter name, without the stars of `*args` and `**kwargs`."""


def read(text: str | None) -> Docstring:
    """Read a docstring of any of the four styles; never raises."""
    text = inspect.cleandoc(text or "").strip()
    styles = [style for style, sign in SIGNS.items() if sign.search(text)]
    if not styles:
        return Docstring(text)
    from docstring_parser import DocstringStyle, ParseError, parse

    try:
        parsed = parse(text, DocstringStyle[styles[0]] if len(styles) == 1 else DocstringStyle.AUTO)
    except ParseError:
        return Docstring(text)
    gap = "\n\n" if parsed.blank_after_short_description else "\n"
    description = gap.join(part for part in (parsed.short_description, parsed.long_description) if part)
    texts: dict[str, str] = {}
    for parameter in parsed.params:
        said = inspect.cleandoc(parameter.description or "")
        for name in parameter.arg_name.split(","):  # NumPy: "x, y : int" speaks of both
            if said:
                texts.setdefault(name.strip().lstrip("*"), said)
    return Docstring(description, texts)
