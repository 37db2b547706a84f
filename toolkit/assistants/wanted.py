"""What an assistant is to be, as `register`, `plan` and `check` are asked for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from openai.types.beta import AssistantResponseFormatOptionParam
    from openai.types.shared import ReasoningEffort

__all__ = ["OWNER", "AssistantOptions", "Json", "Wanted", "wanted"]

Json = Mapping[str, Any]

OWNER = re.compile(r"[A-Za-z0-9_.-]{1,40}(?<!-[23])")
"""Owners whose pairs of metadata nobody takes for another's: fingerprints.py numbers them `-2` and `-3`."""
FIELDS = ("model", "instructions", "description", "temperature", "top_p", "response_format", "reasoning_effort")
"""Fields of an assistant that are set to what is given, and left alone where nothing is."""


class AssistantOptions(TypedDict, total=False):
    """Which assistant, and what it is to be beside its functions; None is not given, and leaves a field as it is."""

    assistant_id: str | None
    """The assistant; without it, the one called `name`, which is made where there is none."""
    name: str | None
    model: str | None
    """Needed to make one."""
    instructions: str | None
    """The toolset's own are put behind them."""
    description: str | None
    metadata: Mapping[str, str] | None
    """Pairs to set; others stay."""
    temperature: float | None
    top_p: float | None
    response_format: AssistantResponseFormatOptionParam | None
    reasoning_effort: ReasoningEffort | None
    owner: str
    """Whose functions these are, where several programs register theirs on one assistant."""
    overwrite: bool
    """Write over what others did to our functions, and over functions of theirs with our names."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An assistant as it is wanted: which one, our functions on it, and fields that are set."""

    definitions: Sequence[Json]
    """Our functions, in the wire form of the API."""
    told: str = ""
    """Instructions that belong to the functions."""
    assistant_id: str | None = None
    name: str | None = None
    fields: Json = field(default_factory=dict[str, Any])
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    owner: str = ""
    overwrite: bool = False


def wanted(verb: str, definitions: Sequence[Json], told: str, options: AssistantOptions) -> Wanted:
    """Read the options of a verb. Raises TypeError for what is missing or unknown, ValueError for what cannot be."""
    for name in options:
        if name not in AssistantOptions.__optional_keys__:
            known = ", ".join(sorted(AssistantOptions.__optional_keys__))
            raise TypeError(f"{verb}() has no option {name}=; its options are {known}")
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if not given.keys() & {"assistant_id", "name"}:
        raise TypeError(f'{verb}() needs to know which assistant: name="...", or assistant_id=')
    for name in ("assistant_id", "name"):
        if given.get(name) == "":
            raise ValueError(f"{verb}({name}=''): it is empty")
    if (owner := given.get("owner", "")) and not OWNER.fullmatch(owner):
        raise ValueError(f"{verb}(owner={owner!r}): use 1 to 40 of A-Z a-z 0-9 _ - . and no -2 or -3 at the end")
    for key in given.get("metadata", {}):
        if key.startswith("toolkit-functions"):
            raise ValueError(f"{verb}(metadata=...): {key} is where the fingerprints of functions are kept")
    return Wanted(
        definitions,
        told,
        given.get("assistant_id"),
        given.get("name"),
        {name: given[name] for name in FIELDS if name in given},
        given.get("metadata", {}),
        owner,
        bool(given.get("overwrite", False)),
    )
