"""What a place for runs is asked for: `run(..., on=Chat(...))` makes a host of the two."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from toolkit.runs.effects import Json
    from toolkit.runs.hosts import Host
    from toolkit.tools.toolset import Toolset

__all__ = ["Asked", "Place", "given", "plain"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What `run` or `stream` was asked for, as far as the requests depend on it."""

    verb: str
    key: str
    """Random, one a run."""
    toolset: Toolset
    """The tools that the model is to see."""
    streams: bool
    """Whether somebody looks on."""
    form: Json | None = None
    """The form that the final answer must have: `name`, `schema` and `strict`."""


class Place(Protocol):
    """An API that a run can live on, and what to begin it with."""

    def host(self, asked: Asked) -> Host:
        """Say how the run begins. Raises TypeError for what does not go together."""
        ...


def given(kind: str, options: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Give the options that were given, as plain JSON; None is not given. Raises TypeError for an unknown one."""
    names = sorted(known)
    for name in options:
        if name not in names:
            raise TypeError(f"{kind}() has no option {name}=; its options are {', '.join(names)}")
    more = cast("Mapping[str, Any]", plain(f"{kind}(extra_body=...)", options.get("extra_body") or {}))
    said = {name: value for name, value in options.items() if value is not None and name != "extra_body"}
    return {**{name: plain(f"{kind}({name}=...)", value) for name, value in said.items()}, **more}


def plain(what: str, value: object) -> Any:
    """Give a value as JSON has it, the client's own models included. Raises TypeError for what has no JSON form."""
    try:
        return json.loads(json.dumps(value, default=_plainer, allow_nan=False))
    except (ValueError, TypeError) as error:
        raise TypeError(f"{what} has no JSON form: {error}") from error


def _plainer(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    if callable(dump):  # an object that the client gave, such as the message of a completion
        return dump(mode="json", exclude_unset=True, by_alias=True)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, Iterable):
        return list(cast("Iterable[object]", value))
    raise TypeError(f"{type(value).__name__} is not known to it")
