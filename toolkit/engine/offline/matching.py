"""Which tools a request asks for, and with which arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

from toolkit.engine.offline.filling import fill
from toolkit.engine.offline.toolbox import Parameter, Tool, Toolbox
from toolkit.engine.offline.values import Kind, values_in
from toolkit.engine.offline.words import is_little, related, words_in

__all__ = ["Wish", "plan", "wish_for"]

_ENOUGH: Final = 1.0
_NEAR: Final = 0.8
"""Tools whose scores differ by less are told apart by whether the text has what they need."""
_RELATED: Final = 0.6
"""How much a word of nearly the same meaning counts."""
_LONGEST: Final = 1_000
"""Characters of a request that are looked at."""
_JOINT = re.compile(r"(?:[.?!;,:](?=\s|$)|\n|\b(?:and|then|also|plus|as well as)\b)+", re.IGNORECASE)
_TAIL = re.compile(r"(?:[\s.?!;,:]|\b(?:and|then|also|plus|as well as)\b)+$", re.IGNORECASE)
"""What joins a part to the next one."""
_EVIDENCE: Final[dict[Kind, str]] = {"file": "file", "sum": "sum", "url": "url", "email": "email"}


@dataclass(frozen=True, slots=True)
class Wish:
    """A tool that a request asks for: the arguments of each call, and what is missing for it."""

    tool: Tool
    each: tuple[dict[str, Any], ...]
    missing: tuple[Parameter, ...] = ()


def plan(text: str, box: Toolbox, today: Callable[[], date]) -> list[Wish]:
    """Tell what a request asks for, in its order; nothing when no tool fits it."""
    text = text[:_LONGEST]
    parts: list[tuple[Tool, int]] = []
    """Tools, and where what is said of each begins."""
    for start, end in _segments(text):
        tool = _best(text, start, end, box, today)
        if not parts:
            parts += [(tool, 0)] if tool else []
        elif (tool and tool is not parts[-1][0]) or _says_all_again(*parts[-1], text, start, end, box, today):
            parts.append((tool or parts[-1][0], start))
    ends = [start for _, start in parts[1:]] + [len(text)] * bool(parts)
    spans = ((tool, text[start:end]) for (tool, start), end in zip(parts, ends, strict=True))
    return [wish_for(tool, _TAIL.sub("", part), text, box, today) for tool, part in spans]


def wish_for(tool: Tool, text: str, around: str, box: Toolbox, today: Callable[[], date]) -> Wish:
    """Fill one tool from a text, and from the text around it."""
    filled = fill(tool, text[:_LONGEST], around[:_LONGEST], today, box.known)
    return Wish(tool, filled.each, filled.missing)


def _says_all_again(
    tool: Tool, begin: int, text: str, start: int, end: int, box: Toolbox, today: Callable[[], date]
) -> bool:
    """Say whether a segment holds all that a tool needs, as what comes before it does: `and from Busan to Tokyo`."""
    if sum(parameter.required and not parameter.nullable for parameter in tool.parameters) < 2:
        return False
    parts = text[begin:start], text[start:end]
    return not any(wish_for(tool, part, part, box, today).missing for part in parts)


def _segments(text: str) -> list[tuple[int, int]]:
    """Cut a request where another one may begin, quotations left whole."""
    quoted = [match.span() for match in re.finditer(r'"[^"\n]*"|“[^”\n]*”|`[^`\n]*`', text)]
    cuts = [match.end() for match in _JOINT.finditer(text) if not any(a < match.start() < b for a, b in quoted)]
    edges = [0, *cuts, len(text)]
    return [(start, end) for start, end in pairwise(edges) if text[start:end].strip()]


def _best(text: str, start: int, end: int, box: Toolbox, today: Callable[[], date]) -> Tool | None:
    """Choose the tool that a segment asks for: by its words, then by whether what it needs is there."""
    segment = text[start:end]
    values = values_in(segment, today, known=box.known)
    kinds = {_EVIDENCE.get(value.kind, "") for value in values} - {""}
    for value in values:
        if value.kind in ("name", "quoted", "email"):  # these are for a tool, and say nothing of which
            segment = segment[: value.start] + " " * (value.end - value.start) + segment[value.end :]
    stems = {word.stem for word in words_in(re.sub(r"[._/]", " ", segment)) if not is_little(word.stem)}
    scores = [(_score(tool, stems, kinds), tool) for tool in box.tools]
    most = max((score for score, _ in scores), default=0.0)
    if most < _ENOUGH:
        return None
    near = [(score, tool) for score, tool in scores if score >= most - _NEAR]
    if len(near) == 1:
        return near[0][1]
    return max(
        near, key=lambda each: each[0] - 0.6 * len(wish_for(each[1], text[start:end], text, box, today).missing)
    )[1]


def _score(tool: Tool, stems: set[str], kinds: set[str]) -> float:
    score = 0.0
    for word in stems:
        if word in tool.words:
            score += tool.words[word]
        else:
            score += _RELATED * max((worth for own, worth in tool.words.items() if related(word, own)), default=0.0)
    return score + sum(any(parameter.role == kind for parameter in tool.parameters) for kind in kinds)
