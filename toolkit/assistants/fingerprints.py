"""Fingerprints of the functions we put on an assistant, kept in its metadata.

So a function taken out of the toolset is told from one that was never ours, and a definition that somebody else changed
from one that we have changed since. Name and definition of a function have six characters each; those of 128 functions
fill three pairs of metadata exactly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import cast

from toolkit.assistants.wanted import Json
from toolkit.errors import RegistrationError

__all__ = ["canonical", "fingerprint", "of_definition", "recorded", "recorded_by_others", "with_record"]

CHARACTERS = 6
"""Of base64: 36 bits, to tell apart a hundred functions of one assistant."""
PAIRS, PAIR_CHARACTERS, MOST_PAIRS = 3, 512, 16
"""Pairs we use at most; characters in a value, and pairs of an assistant (the API reference, metadata)."""

_KEY = re.compile(r"toolkit-functions(:(?P<owner>.+?))?(-[23])?")


def fingerprint(value: object) -> str:
    """Make the fingerprint of anything that JSON can say."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())[:CHARACTERS].decode()


def canonical(value: object) -> object:
    """Write 1.0 as 1: servers that are written in JavaScript give it back so."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: canonical(inner) for key, inner in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [canonical(inner) for inner in cast("Sequence[object]", value)]
    return value


def of_definition(function: Json) -> str:
    """Make the fingerprint of a function's definition without its name; what is not said is as its default."""
    defaults: Json = {"description": "", "parameters": {}, "strict": False}
    return fingerprint([function.get(name) or default for name, default in defaults.items()])


def recorded(metadata: Mapping[str, str], owner: str) -> dict[str, str]:
    """Read what was ours: fingerprint of the name -> fingerprint of the definition."""
    text = "".join(metadata.get(key, "") for key in _keys(owner))
    whole = 2 * CHARACTERS
    return {text[at : at + CHARACTERS]: text[at + CHARACTERS : at + whole] for at in range(0, len(text), whole)}


def recorded_by_others(metadata: Mapping[str, str], owner: str) -> set[str]:
    """Read which functions other owners have: fingerprints of their names."""
    owners = {found["owner"] or "" for key in metadata if (found := _KEY.fullmatch(key))}
    return {name for each in owners - {owner} for name in recorded(metadata, each)}


def with_record(metadata: Mapping[str, str], owner: str, functions: Sequence[Json]) -> dict[str, str]:
    """Put the fingerprints of our functions among the pairs that are there. Raises RegistrationError for no room."""
    keys = _keys(owner)
    record = sorted(fingerprint(function["name"]) + of_definition(function) for function in functions)
    text = "".join(record)
    parts = [text[at : at + PAIR_CHARACTERS] for at in range(0, len(text), PAIR_CHARACTERS)]
    others = {key: value for key, value in metadata.items() if key not in keys}
    if len(others) + len(parts) > MOST_PAIRS:
        raise RegistrationError(
            f"The assistant's metadata has {len(others)} pairs of others, {MOST_PAIRS} are the most, and the "
            f"fingerprints of {len(functions)} functions take {len(parts)}: take some pairs out."
        )
    return {**others, **dict(zip(keys, parts, strict=False))}


def _keys(owner: str) -> tuple[str, ...]:
    stem = f"toolkit-functions:{owner}" if owner else "toolkit-functions"
    return (stem, *(f"{stem}-{number}" for number in range(2, PAIRS + 1)))
