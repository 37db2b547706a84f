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
UNDERLINED = re.compile(r"\S.*\n-{3,}\s*$", re.M)
"""A heading of NumPy's."""


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

    description, sections = _sorted(text, styles)
    try:
        parsed = parse(sections, DocstringStyle[styles[0]] if len(styles) == 1 else DocstringStyle.AUTO)
    except ParseError:
        return Docstring(text)
    texts: dict[str, str] = {}
    for parameter in parsed.params:
        said = inspect.cleandoc(parameter.description or "")
        for name in parameter.arg_name.split(","):  # NumPy: "x, y : int" speaks of both
            if said:
                texts.setdefault(name.strip().lstrip("*"), said)
    return Docstring(description, texts)


def _sorted(text: str, styles: list[str]) -> tuple[str, str]:
    """Tell what speaks of the function as a whole from the sections; docstring_parser drops prose that follows these.

    A section ends where, after a blank line, other text stands at the left edge; one of NumPy at the next heading.
    """
    body: list[str] = []
    sections = [""]  # cleandoc takes the first line for one without indentation
    into, after_blank, start = body, True, 0
    for line in text.splitlines():
        if any(SIGNS[style].match(text, start) for style in styles):
            into = sections if line.strip() else into
        elif "NUMPYDOC" in styles:
            into = body if UNDERLINED.match(text, start) else into
        elif after_blank and line[:1].strip():
            into = body
        into.append(line)
        after_blank = not line.strip()
        start += len(line) + 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(body)).strip(), "\n".join(sections)
