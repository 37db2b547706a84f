"""What is wrong with the arguments of a call, in words for the model: one line a problem, `field: reason`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

__all__ = ["problems"]

LINES, LINE, KNOWN = 9, 160, 400
"""Lines, characters in each, characters of names that exist: under 2 KB in all, whatever came in."""

MOST = 10_000
"""From here on pydantic takes seconds to list the problems, and nobody reads them."""


def problems(error: ValidationError, names: Sequence[str]) -> str:
    """Tell the problems that validation found; `names` are those of the parameters. Never echoes what came in."""
    if (count := error.error_count()) > MOST:
        return f"{count} problems; read the parameters again"
    lines: list[str] = []
    unknown = False
    found = error.errors(include_url=False, include_context=False, include_input=False)
    for each in found[:LINES]:
        place, reason = _place(each["loc"]), each["msg"]
        if each["type"] == "missing":
            reason = "missing"
        elif each["type"] == "extra_forbidden":
            reason = "unknown"
            unknown = unknown or len(each["loc"]) == 1
        elif each["type"] == "dict_type" and not each["loc"]:
            reason = "The arguments must be one JSON object"
        lines.append(_cut(f"{place}: {reason}" if place else reason, LINE))
    if len(found) > LINES:
        lines.append(f"... and {len(found) - LINES} more")
    if unknown:
        lines.append(
            _cut(f"Known arguments: {', '.join(names)}" if names else "There are no arguments: send {}", KNOWN)
        )
    return "\n".join(lines)


def _place(location: Sequence[int | str]) -> str:
    # Besides names and positions, pydantic puts in which branch of a union it tried, such as `list[int]`.
    text = "".join(
        f"[{each}]" if isinstance(each, int) else f".{_cut(each, 80)}" for each in location if "[" not in str(each)
    )
    return text.removeprefix(".")


def _cut(text: str, most: int) -> str:
    line = " ".join(text[: most + 1].split())
    return line if len(text) <= most else f"{line[: most - 3]}..."
